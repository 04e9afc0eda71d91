"""Fetching one file from one source into a folder of its own, so that nothing is fetched twice.

The folder holds `raw-P-S` (bytes as the source gives them, appended to as they come), `joined`
(the file as far as it is put together) and `joined.json` (how much of `joined` is certain). A
process may be killed between any two writes: what is there is gone on with, or cut back to what
is certain. Whether the result is right, only its hash decides.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from urllib.parse import urlsplit

from engine.models.archives import CHUNK, inflate, take_out
from engine.models.sources import ContentError, SourceError, SourceProtocol, Stretch
from engine.models.web import InterruptedTransferError, Web

ARCHIVE_ALLOWANCE = 512 << 20
"""Bytes an archive may be larger than the member we want of it."""


def digest(path: Path, on_bytes: Callable[[int], None] | None = None) -> str:
    """SHA-256 of a file on disk.

    Args:
        path: the file.
        on_bytes: told, as it goes, how many bytes are done.
    """
    sha = hashlib.sha256()
    done = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            sha.update(chunk)
            done += len(chunk)
            if on_bytes:
                on_bytes(done)
    return sha.hexdigest()


@dataclass
class FileDownload:
    """One file of `size` bytes, from one source, in its own folder.

    Attributes:
        source: where it comes from.
        size: bytes of the finished file.
        folder: where the unfinished things are kept; made when needed.
        web: how to reach the source.
        on_bytes: told how many bytes of the finished file are accounted for.
    """

    source: SourceProtocol
    size: int
    folder: Path
    web: Web
    on_bytes: Callable[[int], None]

    @property
    def joined(self) -> Path:
        """The file as far as it is put together."""
        return self.folder / "joined"

    @property
    def begun(self) -> bool:
        """Whether an earlier attempt left something to go on with."""
        return self.folder.is_dir() and any(self.folder.iterdir())

    def discard(self) -> None:
        """Throw away what was fetched so far."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self) -> Path:
        """Fetch and join what is missing.

        Returns:
            The joined file, of the right size; its hash is still to be checked.

        Raises:
            SourceError: this source cannot give the file; `str` of it says why.
            OSError: the disk is full or may not be written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        parts = self.source.parts()
        done, certain = self._certain(len(parts))
        for number in range(done, len(parts)):
            self.on_bytes(certain)
            for order, stretch in enumerate(parts[number].locate(self.web)):
                certain += self._add(stretch, f"raw-{number}-{order}", certain, len(parts))
            self._remember(number + 1, certain)
        if certain != self.size:
            raise ContentError(f"it gives {certain:,} bytes where {self.size:,} are right")
        return self.joined

    def _add(self, stretch: Stretch, raw_name: str, at: int, parts: int) -> int:
        """Fetch one stretch and append what comes of it; how many bytes those are."""
        if stretch.size is not None and at + stretch.size > self.size:
            raise ContentError("it holds more than the file")
        whole = stretch.verbatim and parts == 1 and stretch.length is None
        limit = self.size - at if stretch.verbatim else self.size + ARCHIVE_ALLOWANCE
        raw = self._fetch(stretch, self.folder / raw_name, at, limit, exact=whole)
        if whole and at == 0 and raw.parent == self.folder:
            with raw.open("rb") as file:
                os.fsync(file.fileno())
            raw.replace(self.joined)
            return self.joined.stat().st_size
        added = 0
        with self.joined.open("ab") as file:
            file.truncate(at)
            for chunk in self._contents(stretch, raw):
                added += len(chunk)
                if at + added > self.size:
                    raise ContentError("it holds more than the file")
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        if raw.parent == self.folder:
            raw.unlink()
        return added

    def _contents(self, stretch: Stretch, raw: Path) -> Iterator[bytes]:
        if stretch.member is not None:
            yield from take_out(raw, stretch.member)
        elif stretch.deflated:
            yield from inflate(raw)
        else:
            with raw.open("rb") as file:
                while chunk := file.read(CHUNK):
                    yield chunk

    def _fetch(self, stretch: Stretch, raw: Path, at: int, limit: int, exact: bool) -> Path:
        """The bytes of a stretch as a file on disk; the caller takes them from there."""
        if "://" not in stretch.location:
            return self._copy(stretch, raw, limit)
        expected = stretch.length if stretch.length is not None else (limit if exact else None)
        # progress is told in bytes of the file, whatever they weigh on the way
        if expected:
            scale = (stretch.size if stretch.size is not None else limit) / expected
        else:
            scale = 1.0
        transfer = _Transfer(self.web, stretch, raw, expected, limit)
        transfer.run(lambda got: self.on_bytes(min(self.size, at + int(got * scale))))
        return raw

    def _copy(self, stretch: Stretch, raw: Path, limit: int) -> Path:
        path = Path(stretch.location)
        if stretch.member is not None:
            return path
        with _reading(path) as file, raw.open("wb") as copy:
            file.seek(stretch.start)
            left = stretch.length if stretch.length is not None else limit + 1
            while left > 0 and (chunk := file.read(min(CHUNK, left))):
                copy.write(chunk)
                left -= len(chunk)
        if stretch.verbatim and raw.stat().st_size > limit:
            raise ContentError("it holds more than the file")
        return raw

    def _certain(self, parts: int) -> tuple[int, int]:
        """(parts that are joined, bytes they are), cutting off what is not certain."""
        try:
            kept = json.loads((self.folder / "joined.json").read_bytes())
            done, size = int(kept["parts"]), int(kept["bytes"])
            if 0 <= done <= parts and self.joined.stat().st_size >= size:
                os.truncate(self.joined, size)
                return done, size
        except (OSError, ValueError, KeyError, TypeError):
            pass
        self.joined.unlink(missing_ok=True)
        return 0, 0

    def _remember(self, parts: int, size: int) -> None:
        fresh = self.folder / "joined.json.new"
        fresh.write_text(json.dumps({"parts": parts, "bytes": size}))
        fresh.replace(self.folder / "joined.json")


@dataclass
class _Transfer:
    """The bytes of a stretch, from a server into a growing file, however often it breaks off."""

    web: Web
    stretch: Stretch
    raw: Path
    expected: int | None
    limit: int
    _since: float = 0.0
    _got: int = 0

    def run(self, on_bytes: Callable[[int], None]) -> None:
        failures = 0
        self._since = self.web.patience.clock()
        while True:
            before = self._have()
            if self.expected is not None and before > self.expected:
                self.raw.unlink()
                before = 0
            if self.expected is not None and before == self.expected:
                return
            try:
                self._attempt(before, on_bytes)
                return
            except InterruptedTransferError as error:
                failures = 0 if self._have() > before else failures + 1
                if not self.web.try_again(self.stretch.location, failures):
                    raise SourceError(str(error)) from error

    def _attempt(self, have: int, on_bytes: Callable[[int], None]) -> None:
        first = self.stretch.start + have
        last = self.stretch.start + self.stretch.length - 1 if self.stretch.length else ""
        headers = dict(self.stretch.headers)
        if first or last != "":
            headers["Range"] = f"bytes={first}-{last}"
        host = urlsplit(self.stretch.location).hostname
        with self.web.stream(self.stretch.location, headers) as response:
            content_range = response.headers.get("content-range", "")
            if response.status_code == 416:
                if have and content_range == f"bytes */{first}":
                    return  # it was all here already
                self.raw.unlink(missing_ok=True)
                raise InterruptedTransferError(f"{host} refuses the range asked for")
            if response.status_code == 206:
                if not re.match(rf"bytes {first}-", content_range):
                    raise SourceError(f"{host} gives other ranges than asked for")
            elif self.stretch.start or self.stretch.length is not None:
                raise SourceError(f"{host} stopped giving ranges")
            else:
                have = 0  # the server starts at the beginning, so we do too
            self._check_announced(response.headers.get("content-length"), have, host)
            with self.raw.open("ab") as file:
                file.truncate(have)
                for chunk in self._at_speed(response.iter_raw(), host):
                    have += len(chunk)
                    if have > min(self.limit, self.expected or self.limit):
                        raise ContentError(f"{host} sends more than the file holds")
                    file.write(chunk)
                    file.flush()  # what has come survives us, even a kill
                    on_bytes(have)
        if self.expected is not None and have < self.expected:
            raise InterruptedTransferError(f"the connection to {host} broke")

    def _check_announced(self, length: str | None, have: int, host: str | None) -> None:
        if length is None or not length.isdigit() or self.expected is None:
            return
        announced = have + int(length)
        if announced != self.expected:
            raise ContentError(f"{host} has {announced:,} bytes where {self.expected:,} are right")

    def _at_speed(self, chunks: Iterator[bytes], host: str | None) -> Iterator[bytes]:
        # measured across attempts: a server that gives a byte and hangs up is slow as well
        patience = self.web.patience
        for chunk in chunks:
            yield chunk
            self._got += len(chunk)
            if (elapsed := patience.clock() - self._since) >= patience.window:
                if self._got < patience.slowest * elapsed:
                    speed = self._got / elapsed
                    raise SourceError(f"{host} is too slow ({speed:,.0f} bytes a second)")
                self._since, self._got = patience.clock(), 0

    def _have(self) -> int:
        try:
            return self.raw.stat().st_size
        except FileNotFoundError:
            return 0


def _reading(path: Path) -> BufferedReader:
    try:
        return path.open("rb")
    except OSError as error:
        raise SourceError(f"{path} cannot be read") from error
