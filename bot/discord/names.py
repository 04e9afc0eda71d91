"""Text of models and people as Discord may show it: names and messages that are what they seem."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from personas.text import clean

MAX_NAME: Final = 80
"""Characters of a webhook's name."""
MARK: Final = " ✦"
"""Stands behind a persona's name wherever it speaks, so that it passes for no member."""

_FORBIDDEN = re.compile(r"discord|clyde", re.IGNORECASE)
_SIGNS = str.maketrans({"@": "", "#": "", ":": "", "`": "", "\n": " ", "✦": " "})
_CODE = re.compile(r"(```.*?```|``[^`\n]+``|`[^`\n]+`)", re.DOTALL)
_MARKUP = re.compile(r"<(?=[@#/:]|a:|t:|id:)")
_EVERYONE = re.compile(r"@(?=everyone|here)", re.IGNORECASE)
_MASKED_LINK = re.compile(r"\]\(")


def speaker_name(name: str) -> str:
    """The name under which a persona speaks: one that Discord takes and no member has.

    Discord refuses names with "discord" or "clyde" in them, whatever their case; letters that
    only look like those pass, so one letter is replaced by such a twin.
    """
    shown = clean(unicodedata.normalize("NFKC", name)).translate(_SIGNS)
    shown = " ".join(shown.split()) or "Persona"
    shown = _FORBIDDEN.sub(_twin, shown)
    return shown[: MAX_NAME - len(MARK)].rstrip() + MARK


def _twin(match: re.Match[str]) -> str:
    """The word with its first o, or y, from another alphabet."""
    word = match.group()
    for letter, other in (("o", "о"), ("O", "О"), ("y", "у"), ("Y", "У")):
        if letter in word:
            return word.replace(letter, other, 1)
    return word[:1] + "·" + word[1:]


def harmless(text: str) -> str:
    """A text that mentions nobody and hides no address, as long as it was.

    What stands in code is shown as it is by Discord, and stays.
    """
    parts = _CODE.split(text)
    parts[::2] = [_defused(part) for part in parts[::2]]
    return "".join(parts)


def _defused(text: str) -> str:
    text = _MARKUP.sub("‹", text)
    text = _EVERYONE.sub("＠", text)
    return _MASKED_LINK.sub("]（", text)


def quotable(text: str) -> str:
    """A text of people or models inside a text of ours: one line, without markup of its own."""
    shown = " ".join(clean(text).split())
    return re.sub(r"([\\*_~`|>#\[\]()<@:-])", r"\\\1", shown)
