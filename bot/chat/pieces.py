"""Cutting long texts into messages."""

from __future__ import annotations

import re

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})[ \t]*([^\s`]*)[^\n`]*$", re.MULTILINE)
_BREAKS = (
    re.compile(r"\n\s*\n"),
    re.compile(r"\n"),
    re.compile(r"(?<=[.!?…。！？])\s+"),
    re.compile(r"\s+"),
)
_EARLIEST = 0.4
"""A message is cut at a nicer place only if it is at least so full."""
_LONGEST_LANGUAGE = 20


def pieces(text: str, limit: int) -> list[str]:
    """The text as messages of at most `limit` characters.

    It is cut between paragraphs, lines, sentences or words, whichever comes first in this order
    and leaves no near-empty message. A code block that is cut is closed and opened again, so
    each message is whole by itself. The pieces of a longer text begin with those of a shorter
    one, but for the last; so a text that grows only ever changes its last message.

    Args:
        text: what to say; blank text gives no pieces.
        limit: characters a message, at least 40.
    """
    cut: list[str] = []
    rest = text.strip()
    opening = ""
    while rest:
        head = opening + rest
        if len(head) <= limit:
            cut.append(head)
            break
        # Room for the fence that may have to be closed.
        end = _place(rest, limit - len(opening) - 5)
        piece = opening + rest[:end].rstrip()
        rest = rest[end:]
        fence = _open_fence(piece)
        if fence:
            mark, language = fence
            cut.append(f"{piece}\n{mark}")
            opening = f"{mark}{language}\n"
            rest = rest.lstrip("\n")
        else:
            cut.append(piece)
            opening = ""
            rest = rest.lstrip()
    return [piece for piece in cut if piece.strip()]


def _place(text: str, limit: int) -> int:
    """Where to cut so that at most `limit` characters come before."""
    window = text[: limit + 1]
    for pattern in _BREAKS:
        ends = [match.start() for match in pattern.finditer(window)]
        ends = [end for end in ends if limit * _EARLIEST <= end <= limit]
        if ends:
            return ends[-1]
    end = limit
    # A character is not cut from what belongs to it: accents, joined emoji, low surrogates.
    while end > 1 and (text[end] in "\u200d\ufe0f" or text[end - 1] == "\u200d"):
        end -= 1
    return end


def _open_fence(text: str) -> tuple[str, str] | None:
    """The mark and the language of a code block that is not closed."""
    mark, language = "", ""
    for match in _FENCE.finditer(text):
        if not mark:
            mark, language = match[1][:3], match[2][:_LONGEST_LANGUAGE]
        elif match[1].startswith(mark):
            mark = ""
    return (mark, language) if mark else None
