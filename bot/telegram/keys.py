"""Inline buttons: what stands on them, and what they send back when they are touched."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Final

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

MOST_BYTES: Final = 64
_LONGEST_LABEL: Final = 48


def key(label: str, verb: str, *details: str) -> InlineKeyboardButton:
    """A button that sends `verb:detail:...` back.

    Raises:
        ValueError: that is more than a button can carry.
    """
    data = ":".join((verb, *details))
    if not fits(verb, *details):
        raise ValueError(f"{data} is too long for a button")
    return InlineKeyboardButton(_short(label), callback_data=data)


def link(label: str, url: str) -> InlineKeyboardButton:
    """A button that opens an address."""
    return InlineKeyboardButton(_short(label), url=url)


def fits(verb: str, *details: str) -> bool:
    """Whether a button can carry this."""
    return len(":".join((verb, *details)).encode()) <= MOST_BYTES


def rows(*buttons: Sequence[InlineKeyboardButton | None]) -> InlineKeyboardMarkup:
    """A keyboard; what is None is left out."""
    kept = [[button for button in row if button is not None] for row in buttons]
    return InlineKeyboardMarkup([row for row in kept if row])


def pack(persona_id: str) -> str:
    """An id in as few bytes as a button needs; any id comes back from `unpack`."""
    try:
        raw = bytes.fromhex(persona_id)
    except ValueError:
        return f".{persona_id}"
    if raw.hex() != persona_id:
        return f".{persona_id}"
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def unpack(packed: str) -> str:
    """The id that was packed; what never was an id gives one that nobody has."""
    if packed.startswith("."):
        return packed[1:]
    try:
        return base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).hex()
    except (binascii.Error, ValueError):
        return ""


def cut(text: str, most: int) -> str:
    """As much of a text as fits into so many bytes, in whole characters."""
    return text.encode()[:most].decode("utf-8", "ignore")


def _short(label: str) -> str:
    label = " ".join(label.split())
    return label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1]}…"
