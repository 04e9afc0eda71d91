"""HTTP with our manners: patience, clear reasons for failures, and ranges of bytes.

Whatever goes wrong on the way becomes a `SourceError` whose text is a reason for people. Addresses
in reasons are host names only: an index's address may hold a password.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from engine.models.sources.base import SourceError

if TYPE_CHECKING:
    import httpx2

T = TypeVar("T")

MAX_PAGE = 64 * 1024 * 1024
"""Bytes of an index page or a table of contents; more is not what it says it is."""


class InterruptedTransferError(Exception):
    """The connection broke or the server stumbled; asking again may help."""


@dataclass(frozen=True)
class Patience:
    """How long we wait for a server, and how often we ask again.

    Attributes:
        connect: seconds until a server must have answered the door.
        read: seconds of complete silence that are borne.
        slowest: bytes a second below which a server counts as stuck.
        window: seconds over which the speed is measured.
        attempts: tries in a row without a single new byte before a source is given up.
        introductions: the same for a host that has never answered: perhaps it cannot.
        pause: seconds before the second try; doubled for each further one.
        clock: where seconds come from.
        sleep: how a pause is made.
    """

    connect: float = 10.0
    read: float = 30.0
    slowest: float = 1_000.0
    window: float = 45.0
    attempts: int = 6
    introductions: int = 2
    pause: float = 0.5
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass
class Web:
    """An HTTP client, the process environment that configures registries, and our patience.

    Attributes:
        client: the HTTP client; None stands for no network at all.
        environment: where `PIP_INDEX_URL`, `HF_ENDPOINT` and their kind are looked up.
        patience: how long to wait and how often to try.
    """

    client: httpx2.Client | None
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    patience: Patience = field(default_factory=Patience)
    _known: set[str | None] = field(default_factory=set)

    @property
    def offline(self) -> bool:
        """Whether only what is on this machine may be used."""
        return self.client is None

    @contextmanager
    def stream(self, url: str, headers: Mapping[str, str]) -> Iterator[httpx2.Response]:
        """GET an address; the caller reads the raw body.

        Yields:
            The response, whatever its status below 400, and 416.

        Raises:
            SourceError: the server says that there is nothing for us; asking again is useless.
            InterruptedTransferError: it could not be reached, broke off, or is overloaded.
        """
        import httpx2

        if self.client is None:
            raise SourceError("not tried, because this program is set to be offline")
        host = urlsplit(url).hostname or url
        try:
            # a compressed transfer would make nonsense of ranges and lengths
            asked = {"Accept-Encoding": "identity", **headers}
            with self.client.stream("GET", url, headers=asked, follow_redirects=True) as response:
                self._known.add(host)
                self._check_status(response, host)
                yield response
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            if "CERTIFICATE" in str(error).upper():
                raise SourceError(f"the certificate of {host} cannot be verified") from error
            raise InterruptedTransferError(f"{host} could not be reached") from error
        except httpx2.TimeoutException as error:
            raise InterruptedTransferError(f"{host} fell silent") from error
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol, httpx2.TooManyRedirects) as error:
            raise SourceError(f"{host} leads nowhere") from error
        except httpx2.TransportError as error:
            raise InterruptedTransferError(f"the connection to {host} broke") from error

    def page(self, url: str, accept: str = "*/*") -> tuple[str, bytes, str]:
        """GET a whole small document.

        Returns:
            Its content type, its bytes, and the address it came from after redirections.
        """

        def get() -> tuple[str, bytes, str]:
            with self.stream(url, {"Accept": accept}) as response:
                body = bytearray()
                for chunk in response.iter_raw():
                    body += chunk
                    if len(body) > MAX_PAGE:
                        raise SourceError(f"{urlsplit(url).hostname} sent an endless page")
                return response.headers.get("content-type", ""), bytes(body), str(response.url)

        return self._patiently(url, get)

    def json(self, url: str) -> Any:
        """GET a JSON document."""
        return self.parse_json(self.page(url, accept="application/json")[1])

    @staticmethod
    def parse_json(body: bytes) -> Any:
        """Parse what a server calls JSON."""
        try:
            return json.loads(body)
        except ValueError as error:
            raise SourceError("the registry's answer is not JSON") from error

    def size(self, location: str) -> int | None:
        """Bytes at a location; None where the server cannot give ranges of it."""
        if "://" not in location:
            try:
                return Path(location).stat().st_size
            except OSError as error:
                raise SourceError(f"{location} cannot be read") from error

        def get() -> int | None:
            with self.stream(location, {"Range": "bytes=0-0"}) as response:
                total = re.search(r"/(\d+)$", response.headers.get("content-range", ""))
                return int(total[1]) if response.status_code == 206 and total else None

        return self._patiently(location, get)

    def read(self, location: str, start: int, length: int) -> bytes:
        """Read a range of bytes of a location that can give ranges.

        Raises:
            SourceError: it is not there, cannot be reached, or gives something else.
        """
        if length > MAX_PAGE:
            raise SourceError("its table of contents is absurdly large")
        if "://" not in location:
            try:
                with Path(location).open("rb") as file:
                    file.seek(start)
                    return file.read(length)
            except OSError as error:
                raise SourceError(f"{location} cannot be read") from error

        def get() -> bytes:
            wanted = {"Range": f"bytes={start}-{start + length - 1}"}
            with self.stream(location, wanted) as response:
                if response.status_code != 206:
                    raise SourceError(f"{urlsplit(location).hostname} stopped giving ranges")
                body = bytearray()
                for chunk in response.iter_raw():
                    body += chunk
                    if len(body) > length:
                        raise SourceError(f"{urlsplit(location).hostname} gives wrong ranges")
                return bytes(body)

        return self._patiently(location, get)

    def try_again(self, url: str, failures: int) -> bool:
        """Make a pause after failures in a row; False when it is time to give up."""
        known = urlsplit(url).hostname in self._known
        if failures >= (self.patience.attempts if known else self.patience.introductions):
            return False
        self.patience.sleep(self.patience.pause * 2 ** max(0, failures - 1))
        return True

    def _patiently(self, url: str, action: Callable[[], T]) -> T:
        failures = 0
        while True:
            try:
                return action()
            except InterruptedTransferError as error:
                failures += 1
                if not self.try_again(url, failures):
                    raise SourceError(str(error)) from error

    @staticmethod
    def _check_status(response: httpx2.Response, host: str) -> None:
        status = response.status_code
        if status < 400 or status == 416:
            return
        if status == 404:
            raise SourceError(f"{host} does not have it")
        if status in (401, 403, 407):
            raise SourceError(f"{host} refuses to give it ({status})")
        if status in (408, 425, 429) or status >= 500:
            raise InterruptedTransferError(f"{host} cannot answer now ({status})")
        raise SourceError(f"{host} answered with status {status}")
