"""Endpoints: /healthz, /readyz and /metrics over HTTP.

They are served by threads of their own, so that they answer also when the event loop is stuck,
which is what /healthz is there to tell.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from personas.errors import UnavailableError

log = logging.getLogger(__name__)

_IMPATIENT: Final = 10.0
"""Seconds without a word after which a connection is closed."""
_JSON: Final = "application/json; charset=utf-8"
_TEXT: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Page:
    """What is answered."""

    status: int
    kind: str
    body: bytes

    @classmethod
    def of(cls, status: int, data: Any) -> Page:
        """An answer in JSON."""
        return cls(status, _JSON, json.dumps(data, ensure_ascii=False, indent=1).encode() + b"\n")

    @classmethod
    def saying(cls, status: int, sentence: str) -> Page:
        """An answer in words."""
        return cls(status, _TEXT, sentence.encode() + b"\n")


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    server_version = "chatanything"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout = _IMPATIENT
    pages: dict[str, Callable[[], Page]]

    def do_GET(self) -> None:
        """Answers."""
        self._answer(body=True)

    def do_HEAD(self) -> None:
        """Answers without saying what."""
        self._answer(body=False)

    def _answer(self, *, body: bool) -> None:
        make = self.pages.get(self.path.partition("?")[0])
        if make is None:
            page = Page.saying(404, f"There is {', '.join(sorted(self.pages))}.")
        else:
            try:
                page = make()
            except Exception:
                log.exception("%s could not be answered", self.path[:60])
                page = Page.saying(500, "Something went wrong; the log says what.")
        self.send_response(page.status)
        self.send_header("Content-Type", page.kind)
        self.send_header("Content-Length", str(len(page.body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if body:
            self.wfile.write(page.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: probes come every few seconds."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke off is nobody's fault."""
        log.debug("A connection to the endpoints broke off", exc_info=True)


class Endpoints:
    """A server with some pages; open until it is closed.

    Args:
        address: host and port; port 0 takes any that is free.
        pages: by path. Called in threads, side by side.

    Attributes:
        url: where it answers, without a path.

    Raises:
        UnavailableError: the address cannot be used.
    """

    def __init__(self, address: tuple[str, int], pages: dict[str, Callable[[], Page]]) -> None:
        handler = type("Handler", (_Handler,), {"pages": pages})
        kind = type("Server", (_Server,), {"address_family": _family(address[0])})
        try:
            self._server: ThreadingHTTPServer = kind(address, handler)
        except (OSError, OverflowError) as error:
            raise UnavailableError(
                f"Nothing can listen on {address[0]}:{address[1]}; another program may. Change "
                "operating.http."
            ) from error
        host, port = self._server.server_address[:2]
        shown = str(host)
        self.url = f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="endpoints", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Ends it; waits until nobody listens any more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _family(host: str) -> int:
    import socket

    return socket.AF_INET6 if ":" in host else socket.AF_INET
