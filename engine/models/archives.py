"""Zip and tar archives from strangers: find a member, take it out, unpack a folder, safely."""

from __future__ import annotations

import fnmatch
import io
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Literal

from engine.models.sources.base import ArchiveMember, ContentError, Stretch

if TYPE_CHECKING:
    from engine.models.web import Web

CHUNK = 1 << 20
MAX_UNPACKED = 2 << 30
"""Bytes that one archive may unfold to; beyond is a bomb."""

_LOCAL_HEADER = struct.Struct("<4s22xHH")


class BadArchiveError(ContentError):
    """The archive is damaged, hostile, or lacks what should be in it."""


def members_of_zip(web: Web, location: str, pattern: str) -> list[Stretch]:
    """Where the members of a zip archive lie that match a pattern, in numeric order.

    Only the table of contents is read. Where the server gives no ranges of bytes, the whole
    archive is what must be fetched, and the pattern must then match one member.

    Raises:
        SourceError: there is no such archive or no such member.
    """
    total = web.size(location)
    if total is None:
        return [Stretch(location, member=ArchiveMember("zip", pattern))]
    try:
        with zipfile.ZipFile(_Ranged(web, location, total)) as archive:
            infos = [i for i in archive.infolist() if fnmatch.fnmatchcase(i.filename, pattern)]
    except (zipfile.BadZipFile, struct.error, ValueError) as error:
        raise BadArchiveError("it is not a zip archive") from error
    if not infos:
        raise BadArchiveError(f"it holds no {pattern}")
    return [_stretch_of(web, location, info) for info in sorted(infos, key=_numeric_order)]


def take_out(archive: Path, member: ArchiveMember) -> Iterator[bytes]:
    """The bytes of one member of an archive on disk; a pattern may name it.

    Raises:
        BadArchiveError: it is damaged or lacks the member.
    """
    try:
        with _opened(archive, member.format, member.name) as file:
            while chunk := file.read(CHUNK):
                yield chunk
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, KeyError) as error:
        raise BadArchiveError("the archive is damaged") from error


def inflate(raw: Path) -> Iterator[bytes]:
    """The bytes of a raw deflate stream on disk.

    Raises:
        BadArchiveError: it is damaged or cut off.
    """
    decompressor = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        with raw.open("rb") as file:
            while chunk := file.read(CHUNK):
                data = decompressor.decompress(chunk, CHUNK)
                while data:
                    yield data
                    data = decompressor.decompress(decompressor.unconsumed_tail, CHUNK)
            yield decompressor.flush()
    except zlib.error as error:
        raise BadArchiveError("the archive is damaged") from error
    if not decompressor.eof:
        raise BadArchiveError("the archive is cut off")


def unpack(archive: Path, target: Path, root: str, include: tuple[str, ...]) -> list[str]:
    """Unpack the regular files below a folder of a zip or tar archive.

    Args:
        archive: the archive on disk.
        target: an existing folder that receives them.
        root: folder inside the archive whose contents are wanted; empty for everything.
        include: globs, relative to `root`, of the files that are wanted.

    Returns:
        The relative paths written, sorted.

    Raises:
        BadArchiveError: a name leads outside, a wanted member is a link or a device, or the
            contents are larger than anything we ship.
    """
    written: set[str] = set()
    total = 0
    prefix = f"{root.strip('/')}/" if root.strip("/") else ""
    try:
        for name, is_regular, reader in _walk(archive):
            if not name.startswith(prefix):
                continue
            inside = name[len(prefix) :]
            if not any(fnmatch.fnmatchcase(inside, pattern) for pattern in include):
                continue
            if not is_regular:
                raise BadArchiveError(f"{name!r} in it is a link or a device")
            path = target / _safe(inside)
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                while chunk := reader.read(CHUNK):
                    total += len(chunk)
                    if total > MAX_UNPACKED:
                        raise BadArchiveError("it unfolds to more than any archive of ours")
                    file.write(chunk)
            written.add(inside)
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, ValueError) as error:
        raise BadArchiveError("the archive is damaged") from error
    if not written:
        raise BadArchiveError(f"it holds nothing of {prefix}{', '.join(include)}")
    return sorted(written)


def _safe(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    unsafe = (
        path.is_absolute()
        or ".." in path.parts
        or not path.parts
        or path.parts[0].startswith(".")
        or re.search(r'[\x00-\x1f\\:*?"<>|]', name)
    )
    if unsafe:
        raise BadArchiveError(f"{name!r} in it leads outside of its folder")
    return path


def _walk(archive: Path) -> Iterator[tuple[str, bool, IO[bytes]]]:
    """(name, is a regular file, reader) of every member that is not a folder."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zipped:
            for entry in zipped.infolist():
                if not entry.is_dir():
                    # the upper half of the attributes is the Unix mode, zero where unknown
                    kind = (entry.external_attr >> 28) & 0xF
                    with zipped.open(entry) as reader:
                        yield entry.filename, kind in (0, 0o10), reader
        return
    with tarfile.open(archive, mode="r:*") as tarred:
        for member in tarred:
            if not member.isdir():
                extracted = tarred.extractfile(member) if member.isreg() else None
                yield member.name, member.isreg(), extracted or io.BytesIO()


@contextmanager
def _opened(archive: Path, kind: Literal["zip", "tar"], pattern: str) -> Iterator[IO[bytes]]:
    if kind == "zip":
        with zipfile.ZipFile(archive) as zipped:
            names = [n for n in zipped.namelist() if fnmatch.fnmatchcase(n, pattern)]
            if len(names) != 1:
                raise BadArchiveError(f"it holds {len(names) or 'no'} {pattern}")
            with zipped.open(names[0]) as file:
                yield file
        return
    with tarfile.open(archive, mode="r:*") as tarred:
        for member in tarred:
            if member.name == pattern and member.isreg():
                extracted = tarred.extractfile(member)
                if extracted is not None:
                    yield extracted
                    return
    raise BadArchiveError(f"it holds no {pattern}")


def _stretch_of(web: Web, location: str, info: zipfile.ZipInfo) -> Stretch:
    if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return Stretch(location, member=ArchiveMember("zip", info.filename))
    # the table says where the member's own header is; how long that is, only the header says
    header = web.read(location, info.header_offset, _LOCAL_HEADER.size)
    if len(header) < _LOCAL_HEADER.size:
        raise BadArchiveError("it is cut off")
    magic, name_length, extra_length = _LOCAL_HEADER.unpack(header)
    if magic != b"PK\x03\x04":
        raise BadArchiveError("its table of contents is wrong")
    return Stretch(
        location,
        start=info.header_offset + _LOCAL_HEADER.size + name_length + extra_length,
        length=info.compress_size,
        size=info.file_size,
        deflated=info.compress_type == zipfile.ZIP_DEFLATED,
    )


def _numeric_order(info: zipfile.ZipInfo) -> list[tuple[int, str]]:
    """part2 before part10."""
    pieces = re.split(r"(\d+)", info.filename)
    return [(int(p), "") if p.isdigit() else (-1, p) for p in pieces]


class _Ranged(io.RawIOBase):
    """A file somewhere else, read by ranges; the end is kept, as zip tables stand there."""

    TAIL = 1 << 16

    def __init__(self, web: Web, location: str, size: int) -> None:
        self._web = web
        self._location = location
        self._size = size
        self._at = 0
        self._tail_start = max(0, size - self.TAIL)
        self._tail = web.read(location, self._tail_start, size - self._tail_start) if size else b""

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("before the start")
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        if size < 0:
            size = max(0, self._size - self._at)
        size = min(size, max(0, self._size - self._at))
        if size == 0:
            return b""
        if self._at >= self._tail_start:
            data = self._tail[self._at - self._tail_start :][:size]
        else:
            data = self._web.read(self._location, self._at, size)
        self._at += len(data)
        return data
