"""Words in another script inside a sentence, written in Latin letters so that they can be said."""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import Final

_CYRILLIC: Final = dict(
    re.findall(
        r"(\w):(\S+)",
        """
        а:a б:b в:v г:g д:d е:e ё:yo ж:zh з:z и:i й:y к:k л:l м:m н:n о:o п:p р:r с:s т:t у:u
        ф:f х:kh ц:ts ч:ch ш:sh щ:shch ъ:- ы:y ь:- э:e ю:yu я:ya і:i ї:yi є:ye ґ:g ў:w ј:y љ:ly
        њ:ny ћ:ch ђ:j џ:j ѓ:g ќ:k
        """,
    )
)
_GREEK: Final = dict(
    re.findall(
        r"(\w):(\S+)",
        """
        α:a β:v γ:g δ:d ε:e ζ:z η:i θ:th ι:i κ:k λ:l μ:m ν:n ξ:x ο:o π:p ρ:r σ:s ς:s τ:t υ:i φ:f
        χ:ch ψ:ps ω:o
        """,
    )
)
_SAID: Final = {"HIRAGANA", "KATAKANA", "HANGUL"}
"""Scripts whose letters have their sounds for names: HANGUL SYLLABLE GA."""


@functools.lru_cache(maxsize=4_096)
def script_of(char: str) -> str:
    """The script of a letter, as Unicode names it: LATIN, CYRILLIC, CJK, HANGUL ..."""
    return unicodedata.name(char, "").split(" ")[0].split("-")[0]


@functools.lru_cache(maxsize=4_096)
def in_latin(char: str) -> str:
    """A letter of another script as it sounds, in Latin letters; empty where one cannot know."""
    base = "".join(c for c in unicodedata.normalize("NFD", char.lower()) if c.isalpha())
    for letter in (char.lower(), base):
        said = _CYRILLIC.get(letter) or _GREEK.get(letter)
        if said is not None:
            return str(said.capitalize() if char.isupper() else said).replace("-", "")
    if script_of(char) not in _SAID:
        return ""
    name = unicodedata.name(char).removeprefix("HALFWIDTH ").split(" ")
    sound = name[-1].lower()
    if name[0] == "HANGUL":
        return sound if "SYLLABLE" in name else ""
    # ゃ after き is one syllable, し+ゃ; close enough for a voice that never saw it
    return sound if sound.isascii() and sound.isalpha() and len(sound) <= 3 else ""
