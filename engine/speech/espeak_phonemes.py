"""The phonemes and words of eSpeak NG's events, as the rest of the program knows them.

The library names a phoneme in IPA where it has a name for it, else by its own mnemonic; a name
holds a whole diphthong, an affricate or a syllabic consonant with its vowel.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass

from engine.speech.espeak_library import PhonemeEvent, Reading, WordEvent
from engine.speech.phonemes import INVENTORY, Span

_MARKS = "ːʰʲʷˠˤ"
"""Letters that belong to the sound before them."""
_ENGLISH = {
    "ɐ": "ə", "ᵻ": "ɪ", "r": "ɹ", "oː": "ɔː", "ɪː": "iː", "ʊː": "uː", "ɔ̃": "ɔ", "ɑ̃": "ɑ", "ɬ": "l",
    "aː": "ɑː", "eː": "eɪ", "æː": "æ", "o": "oʊ", "ɫ": "l", "ɲ": "n", "ç": "h", "ɣ": "ɡ",
}  # fmt: skip
_TOGETHER = frozenset(
    re.findall(
        r"\S+", "ts dz tɕ dʑ tʂ dʐ pf ai au ei ou oi ui iu eu ɛi ɛu œy ʌu ɑu ɑi ɔø ɔʏ øy ie uo"
    )
)
"""Affricates and diphthongs that are one sound in some language, besides those of English."""
_WITHOUT_SPACES = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")


@dataclass(frozen=True)
class Pronounced:
    """A text as it was read.

    Attributes:
        spans: phonemes and pauses in order; seconds from the first sample.
        texts: the words by the `word` of their spans, as they are written.
        places: for each of them its index in `text.split()`.
    """

    spans: tuple[Span, ...]
    texts: dict[int, str]
    places: dict[int, int]


def pronounced(
    reading: Reading, text: str, english: bool, count: Callable[[str], int]
) -> Pronounced:
    """The phonemes and words of a reading.

    Args:
        reading: of `text`.
        text: what was read.
        english: whether the phonemes shall be those of `INVENTORY`.
        count: how many phonemes a word has when it stands alone; it divides what the library
            takes together, such as `of the`.
    """
    tokens = [(match.start(), match.end()) for match in re.finditer(r"\S+", text)]
    words = _Words(text, tokens)
    spans: list[Span] = []
    stressed = False
    word: int | None = None
    ends = [event.sample for event in reading.events if isinstance(event, PhonemeEvent)][1:]
    ends.append(len(reading.samples))
    for event in reading.events:
        if isinstance(event, WordEvent):
            word = words.begin(event.position)
            continue
        start, end = event.sample / reading.sample_rate, ends.pop(0) / reading.sample_rate
        sounds = symbols(event.name, english)
        stressed = stressed or "ˈ" in event.name
        if sounds:
            share = max(0.0, end - start) / len(sounds)
            for number, sound in enumerate(sounds):
                bears = stressed and is_vowel(sound)
                at = start + number * share
                spans.append(Span(sound, at, at + share, bears, word))
                stressed = stressed and not bears
        elif event.name and spans:  # tone, or a change of language
            spans[-1] = spans[-1].moved(spans[-1].start, end)
        else:
            if spans and spans[-1].is_pause:
                start = spans.pop().start
            spans.append(Span("", start, end, is_pause=True))
    return words.divided(spans, count)


def symbols(name: str, english: bool = False) -> list[str]:
    """The sounds of a phoneme's name, without stress and tone; none for a pause.

    >>> symbols("ˈaɪə", english=True)
    ['aɪ', 'ə']
    """
    if name.startswith("("):  # the language of what follows
        return []
    letters: list[str] = []
    for char in unicodedata.normalize("NFC", re.sub(r"(?<=[ptkɕʃ])h", "ʰ", name)):
        kind = unicodedata.category(char)
        if char in _MARKS or kind == "Mn":
            if letters:
                letters[-1] += char
        elif kind[0] == "L" and kind != "Lm":
            letters.append(char)
    sounds: list[str] = []
    for letter in letters:
        pair = (sounds[-1] if sounds else "") + letter
        if sounds and (pair in INVENTORY or (not english and pair.rstrip(_MARKS) in _TOGETHER)):
            sounds[-1] = pair
        else:
            sounds.append(letter)
    if not english:
        return sounds
    sounds = [_ENGLISH.get(sound, sound) for sound in sounds]
    sounds = [sound if sound in INVENTORY else sound[0] for sound in sounds]
    return [sound for sound in sounds if sound in INVENTORY]


def is_vowel(sound: str) -> bool:
    """Whether a sound can bear stress."""
    plain = unicodedata.normalize("NFD", sound)[:1]
    return plain in "aeiouyæøœɐɑɒɔəɘɚɛɜɞɤɨɪɯɵɶʉʊʌʏᵻɝ" and bool(plain)


class _Words:
    """Which word is being read."""

    def __init__(self, text: str, tokens: list[tuple[int, int]]) -> None:
        self._text = text
        self._tokens = tokens
        self._starts = [start for start, _ in tokens]
        self._begun: list[tuple[int, int]] = []
        """Token and position of each word."""

    def begin(self, position: int) -> int | None:
        """The number of the word that begins at a position; a number's parts are one word."""
        token = bisect_right(self._starts, position) - 1
        if token < 0:
            return None
        written = self._text[slice(*self._tokens[token])]
        if self._begun and self._begun[-1][0] >= token and not _WITHOUT_SPACES.search(written):
            return len(self._begun) - 1
        if self._begun and self._begun[-1] >= (token, position):
            return len(self._begun) - 1
        self._begun.append((token, position))
        return len(self._begun) - 1

    def divided(self, spans: list[Span], count: Callable[[str], int]) -> Pronounced:
        """The words with their phonemes, where several were read as one each with its own."""
        texts: dict[int, str] = {}
        places: dict[int, int] = {}
        renamed: dict[int, list[tuple[int, int]]] = {}
        for number, (token, position) in enumerate(self._begun):
            following = self._begun[number + 1] if number + 1 < len(self._begun) else None
            until = following[0] if following else len(self._tokens)
            if following and following[0] == token:
                members = [(token, self._text[position : following[1]])]
            else:
                end = self._tokens[token][1]
                inside = number and self._begun[number - 1][0] == token
                start = position if inside else self._tokens[token][0]
                members = [(token, self._text[start:end])]
                members += [
                    (later, self._text[slice(*self._tokens[later])])
                    for later in range(token + 1, until)
                ]
            spoken = [(at, _bare(said)) for at, said in members]
            spoken = [(at, said) for at, said in spoken if said] or [(token, members[0][1])]
            renamed[number] = []
            for at, said in spoken:
                key = len(texts)
                texts[key], places[key] = said, at
                weight = 1 if len(spoken) == 1 else max(1, count(said))
                renamed[number].append((key, weight))
        return Pronounced(tuple(_renamed(spans, renamed)), texts, places)


def _bare(word: str) -> str:
    """Without the punctuation around it; vowel signs of Indian scripts are no punctuation."""
    outer = "".join(char for char in word if unicodedata.category(char)[0] in "PSZC")
    return word.strip(outer) if outer else word


def _renamed(spans: list[Span], names: dict[int, list[tuple[int, int]]]) -> list[Span]:
    """Spans with the numbers of divided words: each gets its share of the phonemes."""
    totals: dict[int, int] = {}
    for span in spans:
        if span.word is not None:
            totals[span.word] = totals.get(span.word, 0) + 1
    seen: dict[int, int] = {}
    result: list[Span] = []
    for span in spans:
        word = span.word
        if word is not None:
            shares = names[word]
            weights = sum(weight for _, weight in shares)
            reached = (seen.get(word, 0) + 0.5) / totals[word] * weights
            seen[word] = seen.get(word, 0) + 1
            for key, weight in shares:
                word = key
                reached -= weight
                if reached < 0:
                    break
        result.append(Span(span.symbol, span.start, span.end, span.stressed, word, span.is_pause))
    return result
