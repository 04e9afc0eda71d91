"""JSON from strangers: bounded, plain, and safe to store."""

from __future__ import annotations

import base64
import binascii
import json
import math
from typing import Any

from personas.errors import InvalidInputError

MAX_DEPTH = 60
MAX_PARTS = 400_000
"""Of one document: objects, lists and their members; bounds the memory it takes."""

_NOT_TEXT = "This card is damaged: it is not written in UTF-8."


def read_object(data: bytes) -> dict[str, Any]:
    """The JSON object in `data`, its texts free of what cannot be stored.

    Raises:
        InvalidInputError: it is no JSON object, or is nested or split absurdly.
    """
    if sum(data.count(sign) for sign in (b"{", b"[", b",")) > MAX_PARTS:
        raise InvalidInputError("This card has absurdly many parts.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInputError(_NOT_TEXT) from error
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except RecursionError as error:
        raise InvalidInputError("This card is nested too deeply.") from error
    except ValueError as error:
        raise InvalidInputError("This is not a character card: it is not valid JSON.") from error
    if not isinstance(value, dict):
        raise InvalidInputError("This is not a character card: it is not a JSON object.")
    cleaned: dict[str, Any] = _clean(value, 0)
    return cleaned


def write_object(value: dict[str, Any]) -> bytes:
    """JSON as people may want to read it."""
    return json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False).encode()


def write_compact(value: dict[str, Any]) -> bytes:
    """JSON as short as can be."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def decode_base64(text: bytes, limit: int) -> bytes:
    """The bytes that base64 stands for, line breaks and missing padding forgiven.

    Raises:
        InvalidInputError: it is none, or is longer than `limit` bytes.
    """
    if len(text) > limit * 4 // 3 + limit // 32 + 64:
        raise InvalidInputError("This card is too large.")
    compact = text.translate(None, b" \t\r\n").rstrip(b"=")
    try:
        return base64.b64decode(compact + b"=" * (-len(compact) % 4), validate=True)
    except binascii.Error as error:
        raise InvalidInputError("The card in this picture is damaged.") from error


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _clean(value: Any, depth: int) -> Any:
    """`value` without lone surrogates, NULs and infinities, which no database keeps."""
    if depth > MAX_DEPTH:
        raise InvalidInputError("This card is nested too deeply.")
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {clean_text(key): _clean(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item, depth + 1) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidInputError("This card has a number that is too large.")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise InvalidInputError("This card has a number that is too large.")
    return value


def clean_text(text: str) -> str:
    """Text that every encoder and database takes."""
    if "\0" in text:
        text = text.replace("\0", "")
    if not text.isascii():  # halves of UTF-16 pairs are joined, lone ones replaced
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
