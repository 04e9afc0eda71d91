"""The phonemes of English speech in IPA, and where each one lies in time.

A diphthong and an affricate are one phoneme each, written with two letters (`aɪ`, `tʃ`); a long
vowel carries its mark (`ɑː`). Stress is not written: it is `TimedPhoneme.stressed`. A pause is the
empty symbol.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.speech.base import TimedPhoneme

_MISAKI_TO_IPA = {
    "A": "eɪ", "I": "aɪ", "O": "oʊ", "Q": "əʊ", "W": "aʊ", "Y": "ɔɪ",
    "ʤ": "dʒ", "ʧ": "tʃ", "T": "ɾ", "ᵊ": "ə", "ᵻ": "ɪ", "ɐ": "ə", "r": "ɹ", "g": "ɡ",
}  # fmt: skip
_PLAIN = "aæɑɒɔeəɚɛɜiɪuʊʌobdfhjklmnpstvwzðŋɡɹɾʃʒθʔx"

_DIPHTHONGS = ("eɪ", "aɪ", "oʊ", "əʊ", "aʊ", "ɔɪ")
_LONG = ("ɑː", "ɔː", "iː", "uː", "ɜː", "ɛː")
VOWELS = frozenset([*"aæɑɒɔeəɚɛɜiɪuʊʌo", *_DIPHTHONGS, *_LONG])
CONSONANTS = frozenset([*"bdfhjklmnpstvwzðŋɡɹɾʃʒθʔx", "dʒ", "tʃ"])
INVENTORY = VOWELS | CONSONANTS
"""Every symbol that can occur in a speech, besides the pause."""

PLOSIVES = frozenset([*"pbtdkɡ", "dʒ", "tʃ"])
"""What begins with a moment of silence."""
_STRESS = frozenset("ˈˌ")
_LENGTH = "ː"
_SHORTEST = 0.01


@dataclass(frozen=True)
class Span:
    """A stretch of labels in time: a phoneme, a gap between words, or a pause. Seconds."""

    symbol: str
    start: float
    end: float
    stressed: bool = False
    word: int | None = None
    is_pause: bool = False

    def moved(self, start: float, end: float) -> Span:
        """The same at another time."""
        return Span(self.symbol, start, end, self.stressed, self.word, self.is_pause)


def to_ipa(symbol: str) -> str | None:
    """The IPA of one misaki letter; None where it is no phoneme (punctuation, marks, spaces)."""
    if symbol in _MISAKI_TO_IPA:
        return _MISAKI_TO_IPA[symbol]
    return symbol if symbol in _PLAIN else None


def spans(labels: str, words: Sequence[int | None], seconds: Sequence[float]) -> list[Span]:
    """Timed phonemes from what the voice model was given and how long it took for each letter.

    The time of a stress mark goes to the vowel after it, that of a length mark to the vowel
    before. Between words, the closure of a plosive belongs to the plosive; else the two
    neighbours share. Punctuation becomes a pause.

    Args:
        labels: misaki letters, stress marks, spaces and punctuation.
        words: for each label, which word it belongs to.
        seconds: for each label, how long it took.
    """
    found: list[Span] = []
    time = pending_start = 0.0
    stressed = False
    for label, word, length in zip(labels, words, seconds, strict=True):
        end = time + length
        symbol = to_ipa(label)
        if label in _STRESS:
            stressed = stressed or label == "ˈ"
        elif label == _LENGTH and found and not found[-1].is_pause:
            last = found[-1]
            marked = last.symbol + _LENGTH
            symbol = marked if marked in INVENTORY else last.symbol
            found[-1] = Span(symbol, last.start, end, last.stressed, last.word)
            pending_start = end
        elif symbol is not None:
            is_vowel = symbol in VOWELS
            found.append(Span(symbol, pending_start, end, stressed and is_vowel, word))
            stressed = stressed and not is_vowel
            pending_start = end
        elif label == " " and found and found[-1].symbol and not found[-1].is_pause:
            found.append(Span("", pending_start, end))
            pending_start = end
        else:
            if found and not found[-1].symbol:
                pending_start = found.pop().start
            found.append(Span("", pending_start, end, is_pause=True))
            pending_start = end
        time = end
    return _without_gaps_between_words(found)


def _without_gaps_between_words(found: list[Span]) -> list[Span]:
    result: list[Span] = []
    for index, span in enumerate(found):
        if span.symbol or span.is_pause:
            start = result[-1].end if result else span.start
            result.append(span.moved(start, span.end))
            continue
        following = found[index + 1] if index + 1 < len(found) else None
        if following is not None and following.symbol and following.symbol not in PLOSIVES:
            middle = (span.start + span.end) / 2
            result[-1] = result[-1].moved(result[-1].start, middle)
    return result


def join(parts: Sequence[Span], duration: float) -> tuple[TimedPhoneme, ...]:
    """Phonemes without gaps from 0 to `duration`: what lies between them is pause."""
    result: list[TimedPhoneme] = []

    def pause(until: float) -> None:
        start = result[-1].end if result else 0.0
        if until - start <= 1e-9:
            return
        if result and not result[-1].symbol:
            result[-1] = TimedPhoneme("", result[-1].start, until)
        else:
            result.append(TimedPhoneme("", start, until))

    for part in parts:
        if not part.symbol:
            continue
        start = max(part.start, result[-1].end if result else 0.0)
        end = min(part.end, duration)
        if end - start < 1e-6:
            continue
        if start - (result[-1].end if result else 0.0) < _SHORTEST:
            start = result[-1].end if result else 0.0
        else:
            pause(start)
        result.append(TimedPhoneme(part.symbol, start, end, part.stressed))
    if not result or duration - result[-1].end > 1e-9:
        pause(duration)
    return tuple(result)
