"""An S3 service that fails now and then: a proxy before the real one, and a server for it."""

from __future__ import annotations

import http.client
import random
import threading
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

from bot.bench.loopback import Loopback, QuietHandler
from personas.errors import UnavailableError

_MISSING: Final = (
    "There is no S3 service to use. Give one with --s3-endpoint, --s3-bucket and the usual "
    'variables AWS_..., or install one: pip install "chatanything[test]"'
)
_BODY: Final = b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"
_OWN: Final = "bench"


class OwnS3:
    """Moto's S3 server on loopback, in this process; a context manager.

    Raises:
        UnavailableError: it is not installed.
    """

    def __init__(self) -> None:
        try:
            import boto3  # type: ignore[import-untyped]
            from moto.server import ThreadedMotoServer
        except ImportError as error:
            raise UnavailableError(_MISSING) from error
        import logging

        logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
        self._server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.endpoint = f"http://{host}:{port}"
        self.bucket, self.key, self.secret = _OWN, _OWN, f"{_OWN}-secret"
        client = boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
        )
        client.create_bucket(Bucket=self.bucket)
        client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.stop()


class FailingProxy(Loopback):
    """Passes requests on, and fails a share of them; a context manager.

    Half of those that fail were done all the same, as when an answer is lost.

    Args:
        upstream: URL of the service.
        share: of all requests, 0 to 1.
        seed: decides which.

    Attributes:
        url: of the proxy.
        requests: how many have come.
        failed: how many of them failed.
    """

    def __init__(self, upstream: str, share: float, seed: int) -> None:
        self.requests = self.failed = 0
        self._share = share
        self._chance = random.Random(seed)
        self._guard = threading.Lock()
        self._upstream = urlsplit(upstream)
        proxy = self

        class Handler(QuietHandler):
            def __getattr__(self, name: str) -> Any:
                if name.startswith("do_"):
                    return lambda: proxy._pass(self)
                raise AttributeError(name)

        super().__init__(Handler)

    def _pass(self, handler: QuietHandler) -> None:
        body = handler.body()
        with self._guard:
            self.requests += 1
            fails, is_late = self._chance.random() < self._share, self._chance.random() < 0.5
            self.failed += fails
        status, headers, data = 503, [("Content-Type", "application/xml")], _BODY
        if not fails or is_late:
            answer = self._ask(handler, body)
            if not fails:
                status, headers, data = answer
                with self._guard:
                    self.failed += status >= 500  # by its own fault
        handler.send_response(status)
        for name, value in headers:
            handler.send_header(name, value)
        if not (handler.command == "HEAD" and any(n == "Content-Length" for n, _ in headers)):
            handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(data)

    def _ask(self, handler: QuietHandler, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection_type = (
            http.client.HTTPSConnection
            if self._upstream.scheme == "https"
            else http.client.HTTPConnection
        )
        connection = connection_type(self._upstream.netloc, timeout=30)
        try:
            # The signature covers the name of the host that the client has asked.
            connection.request(handler.command, handler.path, body, dict(handler.headers))
            answer = connection.getresponse()
            data = answer.read()
            is_head = handler.command == "HEAD"
            dropped = {"connection", "transfer-encoding", "server", "date", "keep-alive"}
            if not is_head:
                dropped.add("content-length")
            headers = [
                ("Content-Length" if name.lower() == "content-length" else name, value)
                for name, value in answer.getheaders()
                if name.lower() not in dropped
            ]
            return answer.status, headers, data
        finally:
            connection.close()
