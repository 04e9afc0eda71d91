"""Phonemes by the letters alone: rough, for any script, where nobody knows how to pronounce it.

Good enough for a mouth to open on vowels and to close on b, m and p; not for speaking.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_LATIN: Final = {
    "a": "a", "b": "b", "c": "k", "d": "d", "e": "e", "f": "f", "g": "ɡ", "h": "h", "i": "i",
    "j": "j", "k": "k", "l": "l", "m": "m", "n": "n", "o": "o", "p": "p", "q": "k", "r": "r",
    "s": "s", "t": "t", "u": "u", "v": "v", "w": "w", "x": "ks", "y": "i", "z": "z",
    "æ": "æ", "ø": "ø", "œ": "œ", "ß": "s", "ð": "ð", "þ": "θ", "ł": "w", "ı": "ɨ", "đ": "d",
}  # fmt: skip
_CYRILLIC: Final = {
    "а": "a", "б": "b", "в": "v", "г": "ɡ", "д": "d", "е": "e", "ж": "ʒ", "з": "z", "и": "i",
    "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t",
    "у": "u", "ф": "f", "х": "x", "ц": "ts", "ч": "tʃ", "ш": "ʃ", "щ": "ʃ", "ы": "ɨ", "э": "e",
    "ю": "ju", "я": "ja", "ъ": "", "ь": "", "і": "i", "ј": "j", "є": "je",
}  # fmt: skip
_GREEK: Final = {
    "α": "a", "β": "v", "γ": "ɣ", "δ": "ð", "ε": "e", "ζ": "z", "η": "i", "θ": "θ", "ι": "i",
    "κ": "k", "λ": "l", "μ": "m", "ν": "n", "ξ": "ks", "ο": "o", "π": "p", "ρ": "r", "σ": "s",
    "ς": "s", "τ": "t", "υ": "i", "φ": "f", "χ": "x", "ψ": "ps", "ω": "o",
}  # fmt: skip
_LETTERS: Final = _LATIN | _CYRILLIC | _GREEK
_PAIRS: Final = {
    "sch": "ʃ", "sh": "ʃ", "ch": "tʃ", "th": "θ", "ph": "f", "ck": "k", "qu": "kw", "ng": "ŋ",
    "ou": "u", "oo": "u", "ee": "i", "cz": "tʃ", "sz": "ʃ",
}  # fmt: skip
_IN_PAIRS: Final = re.compile("|".join(sorted(_PAIRS, key=len, reverse=True)) + "|.", re.DOTALL)
_TOGETHER: Final = ("ts", "tʃ", "dʒ")
_IN_NAME: Final = re.compile(r"\b(?:LETTER|VOWEL SIGN|SYLLABLE|CHARACTER) (?:SMALL |SARA )?(.+)$")
_NAMED_BY_LETTER: Final = ("ARABIC", "HEBREW", "THAI CHARACTER", "LAO LETTER")
"""Scripts whose letters have names, of which the first sound is the letter's."""
_WITHOUT_A: Final = re.compile(r"VOWEL SIGN|VIRAMA")
"""Marks that take the place of the vowel that a letter before them has of itself."""
_SYLLABLE: Final = ("t", "a")


def phonemes_of(word: str) -> list[str]:
    """IPA symbols, one a sound; at least one for a word with a letter or digit in it.

    Args:
        word: in any script.
    """
    found: list[str] = []
    for piece in _IN_PAIRS.findall("".join(map(_taken_apart, word.casefold()))):
        if piece in _PAIRS:
            found += _split(_PAIRS[piece])
        elif piece in _LETTERS:
            found += _split(_LETTERS[piece])
        elif unicodedata.category(piece)[0] in "LMN":
            if _WITHOUT_A.search(unicodedata.name(piece, "")) and found[-1:] == ["a"]:
                found.pop()
            found += _by_name(piece)
    # a double letter is one sound
    return [symbol for at, symbol in enumerate(found) if not at or found[at - 1] != symbol]


def _taken_apart(char: str) -> str:
    """A letter and its marks, where the letter is one we know; others say all in their name."""
    apart = unicodedata.normalize("NFKD", char)
    return apart if apart[:1] in _LETTERS else char


def _split(symbols: str) -> list[str]:
    if symbols in _TOGETHER:
        return [symbols]
    return list(symbols)


def _by_name(letter: str) -> list[str]:
    """Unicode's name of a letter tells its sound in many scripts: HIRAGANA LETTER KA."""
    name = unicodedata.name(letter, "")
    match = _IN_NAME.search(name)
    if match is None:
        # an ideograph or a digit is a syllable; a mark over a letter is nothing
        return list(_SYLLABLE) if unicodedata.category(letter)[0] in "LN" else []
    sound = match[1].split()[-1].lower()
    if name.startswith(_NAMED_BY_LETTER):
        sound = sound[:1]
    return [symbol for char in sound for symbol in _split(_LATIN.get(char, ""))]
