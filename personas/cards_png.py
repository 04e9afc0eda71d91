"""PNG files as containers of text: reading hostile ones, writing correct ones."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from personas.errors import InvalidInputError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS = 20_000
MAX_TEXT = 32 * 1024 * 1024
"""Bytes of one text after decompression."""
MAX_PIXELS = 64_000_000

_CRITICAL = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}
_TEXTS = {b"tEXt", b"zTXt", b"iTXt"}


@dataclass(frozen=True)
class Chunk:
    """One chunk of a PNG file."""

    kind: bytes
    data: bytes

    @property
    def keyword(self) -> str:
        """What a text chunk is called, or empty where it is none."""
        if self.kind not in _TEXTS:
            return ""
        return self.data[:80].partition(b"\0")[0].decode("latin-1")


def is_png(data: bytes) -> bool:
    """Whether `data` begins like a PNG file."""
    return data.startswith(SIGNATURE)


def read_chunks(data: bytes) -> tuple[Chunk, ...]:
    """All chunks of a PNG file, checked; what follows its end is left out.

    Raises:
        InvalidInputError: it is none, or it is cut off, damaged or absurd.
    """
    if not is_png(data):
        raise InvalidInputError("This is not a PNG picture.")
    chunks: list[Chunk] = []
    view = memoryview(data)
    at = len(SIGNATURE)
    while True:
        if at + 12 > len(data):
            raise InvalidInputError("This PNG picture is cut off; get the whole file.")
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            raise InvalidInputError("This PNG picture is cut off; get the whole file.")
        (crc,) = struct.unpack_from(">I", data, end - 4)
        # A wrong sum in a chunk that we neither show nor read is not our business.
        if kind in _CRITICAL | _TEXTS and zlib.crc32(view[at + 4 : end - 4]) != crc:
            raise InvalidInputError("This PNG picture is damaged; get the file once more.")
        chunks.append(Chunk(kind, bytes(view[at + 8 : end - 4])))
        if len(chunks) > MAX_CHUNKS:
            raise InvalidInputError("This PNG picture has absurdly many parts.")
        at = end
        if kind == b"IEND":
            break
    size_of(chunks)
    return tuple(chunks)


def size_of(chunks: Iterable[Chunk]) -> tuple[int, int]:
    """Width and height in pixels.

    Raises:
        InvalidInputError: the header is missing or wrong, or the picture is too large.
    """
    header = next(iter(chunks), None)
    if header is None or header.kind != b"IHDR" or len(header.data) != 13:
        raise InvalidInputError("This PNG picture is damaged; get the file once more.")
    width, height = struct.unpack_from(">II", header.data)
    if not width or not height or width * height > MAX_PIXELS:
        raise InvalidInputError(f"A picture of {width} x {height} pixels cannot be used.")
    return width, height


def write_chunks(chunks: Iterable[Chunk]) -> bytes:
    """A PNG file of these chunks."""
    parts = [SIGNATURE]
    for chunk in chunks:
        crc = zlib.crc32(chunk.data, zlib.crc32(chunk.kind))
        parts += [struct.pack(">I4s", len(chunk.data), chunk.kind), chunk.data]
        parts.append(struct.pack(">I", crc))
    return b"".join(parts)


def text_chunk(keyword: str, text: bytes) -> Chunk:
    """A tEXt chunk; `keyword` has 1 to 79 characters, `text` is Latin-1."""
    name = keyword.encode("latin-1")
    if not 1 <= len(name) <= 79 or b"\0" in name + text:
        raise ValueError(f"not a PNG text: {keyword!r}")
    return Chunk(b"tEXt", name + b"\0" + text)


def add_texts(chunks: Iterable[Chunk], texts: Iterable[Chunk]) -> tuple[Chunk, ...]:
    """The chunks with texts before the end; everything else stays as it is."""
    *most, end = chunks
    return (*most, *texts, end)


def without_texts(chunks: Iterable[Chunk], unwanted: Callable[[str], bool]) -> tuple[Chunk, ...]:
    """The chunks but the texts with an unwanted keyword."""
    return tuple(c for c in chunks if not (c.kind in _TEXTS and unwanted(c.keyword)))


def find_text(chunks: Iterable[Chunk], keyword: str) -> bytes | None:
    """The text of the first chunk with this keyword, in any case; None where there is none.

    Raises:
        InvalidInputError: it cannot be decompressed, or is too large when it is.
    """
    for chunk in chunks:
        if chunk.keyword.lower() == keyword.lower():
            return _text(chunk)
    return None


def picture_data(chunks: Iterable[Chunk]) -> Iterable[bytes]:
    """What decides how the picture looks, without texts and other additions."""
    for chunk in chunks:
        if chunk.kind in _CRITICAL or chunk.kind == b"tRNS":
            yield chunk.kind
            yield chunk.data


def _text(chunk: Chunk) -> bytes:
    _, _, rest = chunk.data.partition(b"\0")
    if chunk.kind == b"tEXt":
        return _bounded(rest)
    if chunk.kind == b"zTXt":
        return _inflate(rest[1:])
    compressed = rest[:1] == b"\1"
    parts = rest[2:].split(b"\0", 2)  # language, translated keyword, text
    if len(parts) != 3:
        raise InvalidInputError("A text in this PNG picture is damaged.")
    return _inflate(parts[2]) if compressed else _bounded(parts[2])


def _bounded(text: bytes) -> bytes:
    if len(text) > MAX_TEXT:
        raise InvalidInputError("The text in this picture is too large to be a character card.")
    return text


def _inflate(data: bytes) -> bytes:
    """Decompresses, but never beyond the limit: a few kilobytes can hold gigabytes."""
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(data, MAX_TEXT + 1)
    except zlib.error as error:
        raise InvalidInputError("A text in this PNG picture is damaged.") from error
    if not inflater.eof and len(text) <= MAX_TEXT:
        raise InvalidInputError("A text in this PNG picture is cut off.")
    return _bounded(text)
