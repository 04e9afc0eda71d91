"""The same sentences said beforehand, by a voice of this machine that knows its own timing.

A voice that comes from elsewhere tells little of when it says what. What it says is known, so
another voice can say the same, and the two are compared (`alignment`).
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.speech.delivery import Phrase, phrase
from engine.speech.espeak import EspeakReader, breaths
from engine.speech.hibari import HibariSynthesizer
from engine.speech.letters import phonemes_of
from engine.speech.phonemes import Span
from engine.speech.text import SpokenSentence
from personas.errors import NotFoundError, UnavailableError
from personas.persona import Gender, Voice
from personas.voices.tags import primary

Samples = NDArray[np.float32]

_BETWEEN = 0.06
"""Seconds of silence between two phrases."""
_MALE = {"pitch": 0.56, "formant": 0.86}
_FEMALE = "f3"
_SLOWEST, _FASTEST = 0.5, 2.0


@dataclass(frozen=True)
class Rehearsal:
    """Sentences with their phonemes.

    Attributes:
        spans: phonemes in order, without pauses. Their `word` counts through all sentences.
        texts: each word as it is written.
        places: for each word, which sentence it is in and its index in
            `SpokenSentence.spoken.split()`.
        samples: [n] how somebody says it, in the time of `spans`; None where nobody can, and
            the times mean nothing.
        sample_rate: Hz.
    """

    spans: Sequence[Span]
    texts: Mapping[int, str]
    places: Mapping[int, tuple[int, int]]
    samples: Samples | None = None
    sample_rate: int = 0


class Rehearser:
    """Knows how to say sentences in any language: well, mechanically, or by their letters.

    Loads what it needs with the first sentence; safe to use from several threads. One is enough
    for all engines.

    Args:
        english: who says English.
    """

    def __init__(self, english: HibariSynthesizer | None = None) -> None:
        self._english = english or HibariSynthesizer()
        self._others = EspeakReader()

    def warm_up(self) -> None:
        """Loads the voice for English.

        Raises:
            UnavailableError: it cannot be loaded.
        """
        self._english.warm_up()

    def rehearse(
        self,
        sentences: Sequence[SpokenSentence],
        language: str,
        *,
        gender: Gender = "neutral",
        rate: float = 1.0,
    ) -> Rehearsal:
        """Says the sentences, as much like the voice they are meant for as is easy.

        Args:
            sentences: what is going to be said.
            language: BCP 47 tag.
            gender: of that voice.
            rate: its speed.
        """
        say = self._in_english if primary(language) == "en" else self._in(language)
        rate = min(max(rate, _SLOWEST), _FASTEST)
        try:
            said = [list(say(sentence, gender, rate)) for sentence in sentences]
        except (UnavailableError, NotFoundError):
            return _by_letters(sentences)
        return _joined(said) if any(said) else _by_letters(sentences)

    def _in_english(
        self, sentence: SpokenSentence, gender: Gender, rate: float
    ) -> Iterable[Phrase]:
        shaping = _MALE if gender == "male" else {}
        voice = Voice(engine=self._english.name, preset="", rate=rate, **shaping)
        return self._english.phrases(sentence, voice)

    def _in(self, language: str) -> Callable[[SpokenSentence, Gender, float], Iterable[Phrase]]:
        def say(sentence: SpokenSentence, gender: Gender, rate: float) -> Iterator[Phrase]:
            speaker = self._others.speaker("" if gender == "male" else _FEMALE, language)
            voice = Voice(engine="", preset="", rate=rate)
            for text, first in breaths(sentence.spoken):
                said = self._others.read(text, speaker, voice)
                own = said.pronounced
                places = {word: place + first for word, place in own.places.items()}
                part = phrase(said.samples, said.sample_rate, own.spans, own.texts, places)
                if part is not None:
                    yield part

        return say


def _joined(said: Sequence[Sequence[Phrase]]) -> Rehearsal:
    """All phrases in one recording, words numbered through."""
    pieces: list[Samples] = []
    spans: list[Span] = []
    texts: dict[int, str] = {}
    places: dict[int, tuple[int, int]] = {}
    rate = next(part.sample_rate for phrases in said for part in phrases)
    at = 0
    for sentence, phrases in enumerate(said):
        for part in phrases:
            numbers: dict[int | None, int] = {}
            for word, text in part.texts.items():
                numbers[word] = len(texts)
                places[len(texts)] = (sentence, part.place(word))
                texts[len(texts)] = text
            start = at / rate
            spans += [
                replace(span, start=span.start + start, end=span.end + start, word=number)
                for span in part.spans
                if (number := numbers.get(span.word)) is not None
            ]
            silence = np.zeros(round(_BETWEEN * rate), np.float32)
            pieces += [part.samples, silence]
            at += len(part.samples) + len(silence)
    return Rehearsal(spans, texts, places, np.concatenate(pieces), rate)


def _by_letters(sentences: Sequence[SpokenSentence]) -> Rehearsal:
    """What can be known of words that nobody can say."""
    spans: list[Span] = []
    texts: dict[int, str] = {}
    places: dict[int, tuple[int, int]] = {}
    for number, sentence in enumerate(sentences):
        for index, token in enumerate(sentence.spoken.split()):
            text = token.strip(string.punctuation + "…—。、！？，；：“”„«»¿¡")
            phonemes = phonemes_of(text)
            if phonemes:
                word = len(texts)
                texts[word], places[word] = text, (number, index)
                spans += [Span(symbol, 0.0, 0.0, word=word) for symbol in phonemes]
    return Rehearsal(spans, texts, places)
