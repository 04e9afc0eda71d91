"""A loopback web server that plays PyPI, npm, the hub and plain addresses, with faults on order."""

from __future__ import annotations

import io
import json
import re
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Registry:
    """What the server has, how it misbehaves, and what it was asked.

    Attributes:
        files: path -> body.
        types: path -> content type, where it matters.
        cut: path -> how many bytes to send before the connection breaks; each entry breaks once.
        status: path -> statuses to answer with, used up one by one.
        ranges: whether the server can give ranges of bytes.
        gate: path -> an event without which the second half of the body is not sent.
        asked: (path, Range header) in the order of the requests.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    cut: dict[str, list[int]] = field(default_factory=dict)
    status: dict[str, list[int]] = field(default_factory=dict)
    ranges: bool = True
    gate: dict[str, threading.Event] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""

    def sent(self, path: str) -> list[str]:
        """The Range headers with which a path was asked for; empty strings for all of it."""
        return [asked_range for asked, asked_range in self.asked if asked == path]

    def add_wheel(self, package: str, version: str, wheel: bytes, *, as_html: bool = False) -> str:
        """Publish a wheel in the simple index below /simple; returns the path of the file."""
        name = f"{package.replace('-', '_')}-{version}-py3-none-any.whl"
        path = f"/wheels/{name}"
        self.files[path] = wheel
        page = f"/simple/{package}/"
        if as_html:
            link = f'<a href="../..{path}#sha256=0">{name}</a>'
            self.files[page] = f"<!DOCTYPE html><html><body>{link}</body></html>".encode()
            self.types[page] = "text/html"
        else:
            files = [{"filename": name, "url": f"../..{path}", "hashes": {}}]
            self.files[page] = json.dumps({"files": files}).encode()
            self.types[page] = "application/vnd.pypi.simple.v1+json"
        return path

    def add_npm(self, package: str, version: str, tarball: bytes) -> str:
        """Publish a tarball below /npm; returns the path of the file."""
        path = f"/npm/{package}/-/{version}.tgz"
        self.files[path] = tarball
        about = {"dist": {"tarball": f"{self.url}{path}"}}
        self.files[f"/npm/{package.replace('/', '%2F')}/{version}"] = json.dumps(about).encode()
        return path

    def environment(self, home: str) -> dict[str, str]:
        """The environment of a process that is set up to use these registries."""
        return {
            "HOME": home,
            "PIP_CONFIG_FILE": "/dev/null",
            "PIP_INDEX_URL": f"{self.url}/simple",
            "npm_config_registry": f"{self.url}/npm",
            "HF_ENDPOINT": f"{self.url}/hub",
        }


def zip_of(members: Mapping[str, bytes], *, stored: bool = False) -> bytes:
    """A zip archive."""
    buffer = io.BytesIO()
    method = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return buffer.getvalue()


def tar_of(members: Mapping[str, bytes], links: Mapping[str, str] | None = None) -> bytes:
    """A gzipped tar archive; `links` are symbolic links and where they lead."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, body in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(body)
            archive.addfile(info, io.BytesIO(body))
        for name, target in (links or {}).items():
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            archive.addfile(link)
    return buffer.getvalue()


@contextmanager
def serving() -> Iterator[Registry]:
    """A registry that answers on a free loopback port."""
    registry = Registry()

    class Handler(_Handler):
        shop = registry

    server = _Server(("127.0.0.1", 0), Handler)
    registry.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield registry
    finally:
        for event in registry.gate.values():
            event.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Killed clients are part of the play."""


class _Handler(BaseHTTPRequestHandler):
    shop: Registry
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path, wanted = self.path, self.headers.get("Range", "")
        self.shop.asked.append((path, wanted))
        if statuses := self.shop.status.get(path):
            self._plain(statuses.pop(0))
            return
        body = self.shop.files.get(path)
        if body is None:
            self._plain(404)
            return
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", wanted) if self.shop.ranges else None
        if match is None:
            self._send(200, body, {}, path)
            return
        start = int(match[1])
        end = min(int(match[2]) if match[2] else len(body) - 1, len(body) - 1)
        if start >= len(body):
            self._plain(416, {"Content-Range": f"bytes */{len(body)}"})
            return
        place = {"Content-Range": f"bytes {start}-{end}/{len(body)}"}
        self._send(206, body[start : end + 1], place, path)

    def _plain(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        self._send(status, b"", headers or {}, "")

    def _send(self, status: int, body: bytes, headers: Mapping[str, str], path: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", self.shop.types.get(path, "application/octet-stream"))
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        cuts = self.shop.cut.get(path)
        try:
            if cuts and len(body) > cuts[0]:
                self.wfile.write(body[: cuts.pop(0)])
                self.wfile.flush()
                self.close_connection = True
                return
            half = len(body) // 2
            self.wfile.write(body[:half])
            self.wfile.flush()
            if path in self.shop.gate:
                self.shop.gate[path].wait(30)
            self.wfile.write(body[half:])
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Silence: the tests look at `asked`."""
