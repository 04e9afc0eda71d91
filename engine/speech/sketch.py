"""What speech would look like by its phonemes alone: how long each sound is, how loud, how bright.

Speakers differ in everything else, but in every language an `s` hisses, a vowel is loud and a `t`
is silent before it bursts.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Final

import numpy as np

from engine.speech.features import HOP_SECONDS, Features
from engine.speech.phonemes import Span

_CLASSES: Final[dict[str, tuple[str, float, tuple[tuple[float, float], ...]]]] = {
    # symbols, seconds, then (level, brightness) from its beginning to its end
    "hiss": ("s ʃ tʃ ɕ ʂ ts x ç χ f θ", 0.105, ((-0.4, 1.6),)),
    "buzz": ("z ʒ v ð ʑ ʐ dʒ dz ɣ β ʁ", 0.07, ((-0.2, 0.5),)),
    "stop": ("p t k q ʔ ʈ c", 0.085, ((-2.2, -0.2), (-2.2, -0.2), (-0.7, 0.9))),
    "voiced stop": ("b d ɡ g ɖ ɟ ɓ ɗ", 0.065, ((-1.2, -0.8), (-0.6, 0.0))),
    "tap": ("ɾ ɽ", 0.035, ((-0.3, -0.3),)),
    "nasal": ("m n ŋ ɲ ɳ ɱ ɴ", 0.07, ((-0.2, -1.0),)),
    "glide": ("l ɹ r w j ɥ ʎ ɫ ʋ ɻ ɭ ʀ", 0.065, ((0.2, -0.6),)),
    "breath": ("h ɦ ħ", 0.055, ((-0.8, 0.6),)),
    "weak vowel": ("ə ɪ ʊ ɐ ɨ ᵻ ɚ", 0.06, ((0.5, -0.3),)),
}
_VOWEL: Final = (0.095, ((0.8, -0.3),))
_LONG: Final = 1.5
_STRESSED: Final = 1.2
_OF_SYMBOL: Final = {
    symbol: (seconds, course)
    for symbols, seconds, course in _CLASSES.values()
    for symbol in symbols.split()
}


def sketch(spans: Sequence[Span], seconds: float) -> tuple[list[Span], Features]:
    """Phonemes with usual lengths, `seconds` in all, and the outline of their sound.

    Args:
        spans: phonemes in order; their times are not looked at.
        seconds: how long the speech is.

    Returns:
        The same phonemes with times from 0, and their outline every 5 ms as `outline` gives it.
    """
    usual = [_usual(span) for span in spans]
    lengths = np.array([length for length, _ in usual])
    ends = np.cumsum(lengths) * (seconds / lengths.sum())
    starts = np.concatenate(([0.0], ends[:-1]))
    timed = [
        span.moved(float(start), float(end))
        for span, start, end in zip(spans, starts, ends, strict=True)
    ]
    count = max(2, round(seconds / HOP_SECONDS))
    times = (np.arange(count) + 0.5) * HOP_SECONDS
    which = np.minimum(np.searchsorted(ends, times), len(spans) - 1)
    share = (times - starts[which]) / np.maximum(ends[which] - starts[which], 1e-6)
    drawn = np.empty((count, 2), np.float32)
    for row, (number, at) in enumerate(zip(which, share, strict=True)):
        course = usual[number][1]
        drawn[row] = course[min(int(at * len(course)), len(course) - 1)]
    return timed, drawn


def _usual(span: Span) -> tuple[float, tuple[tuple[float, float], ...]]:
    """Seconds of a phoneme, and the course of its level and brightness."""
    symbol = unicodedata.normalize("NFC", span.symbol)
    if symbol in _OF_SYMBOL:
        return _OF_SYMBOL[symbol]
    if symbol[:1] in _OF_SYMBOL and symbol[:1] not in "əɪʊɐɨᵻɚ":
        return _OF_SYMBOL[symbol[:1]]
    seconds, course = _VOWEL
    plain = symbol.rstrip("ː")
    seconds *= _LONG if symbol.endswith("ː") or len(plain) > 1 else 1.0
    return seconds * (_STRESSED if span.stressed else 1.0), course
