"""The header of a GGUF file: enough to say whether a model is whole and what it will take."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from personas.errors import UnavailableError

_MAGIC = b"GGUF"
# Type numbers of the format's metadata values, with how the fixed-size ones are read.
_FIXED = {
    0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q",
    12: "<d",
}  # fmt: skip
_STRING, _ARRAY = 8, 9
_MAX_TEXT = 1 << 24


@dataclass(frozen=True)
class GgufHeader:
    """What a model file says of itself.

    Attributes:
        architecture: e.g. llama, qwen2.
        context_length: tokens the model was trained to read; 0 where it does not say.
        kv_bytes_per_token: memory of the attention cache for one token, at 16 bits.
        file_size: bytes of the file.
    """

    architecture: str
    context_length: int
    kv_bytes_per_token: int
    file_size: int

    def memory_needed(self, context_tokens: int) -> int:
        """Bytes that running it takes, roughly: weights, attention cache, working space."""
        return self.file_size + self.kv_bytes_per_token * context_tokens + (300 << 20)


def read_header(path: Path) -> GgufHeader:
    """Reads the header of a model file.

    Raises:
        UnavailableError: there is no such file, or it is not a model file of this format.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            metadata = _metadata(file)
    except FileNotFoundError:
        raise UnavailableError(f"There is no model file called {path.name}.") from None
    except (OSError, struct.error, ValueError, KeyError, UnicodeDecodeError) as error:
        raise UnavailableError(
            f"{path.name} is not a whole GGUF model file. Fetch it again."
        ) from error
    architecture = str(metadata.get("general.architecture", ""))

    def number(name: str, default: int = 0) -> int:
        value = metadata.get(f"{architecture}.{name}", default)
        return int(value) if isinstance(value, int | float) else default

    heads = number("attention.head_count", 1)
    head_size = number("attention.key_length", number("embedding_length") // max(1, heads))
    kv_heads = number("attention.head_count_kv", heads)
    return GgufHeader(
        architecture=architecture,
        context_length=number("context_length"),
        kv_bytes_per_token=number("block_count") * kv_heads * head_size * 2 * 2,
        file_size=size,
    )


def _metadata(file: BinaryIO) -> dict[str, object]:
    if file.read(4) != _MAGIC:
        raise ValueError("no GGUF magic")
    version, _tensors, entries = struct.unpack("<IQQ", _exactly(file, 20))
    if version < 2 or entries > 100_000:
        raise ValueError("not a header of this format")
    found: dict[str, object] = {}
    for _ in range(entries):
        key = _text(file)
        if key.startswith("tokenizer."):
            break  # the vocabulary is long, and nothing of ours comes after it
        found[key] = _value(file, _read(file, "<I"))
    return found


def _value(file: BinaryIO, kind: int) -> object:
    if kind == _STRING:
        return _text(file)
    if kind == _ARRAY:
        inner, count = _read(file, "<I"), _read(file, "<Q")
        if count > 1_000_000:
            raise ValueError("array too long")
        return [_value(file, inner) for _ in range(count)]
    return _read(file, _FIXED[kind])


def _read(file: BinaryIO, code: str) -> int:
    value: int = struct.unpack(code, _exactly(file, struct.calcsize(code)))[0]
    return value


def _text(file: BinaryIO) -> str:
    length = _read(file, "<Q")
    if length > _MAX_TEXT:
        raise ValueError("text too long")
    return _exactly(file, length).decode()


def _exactly(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) != count:
        raise ValueError("the file ends too early")
    return data
