"""Speech by hibari: English, neural, many times faster than speech on one core, built in."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from engine.speech.acoustics import SAMPLE_RATE, AcousticModel
from engine.speech.base import Cue, Speech, SpeechCapabilities, TimedWord
from engine.speech.edges import fade, settle_pauses, sounding
from engine.speech.effects import ECHO_SECONDS, echo, metal
from engine.speech.loudness import normalise
from engine.speech.phonemes import Span, join, spans
from engine.speech.pronunciation import Pronouncer, Utterance
from engine.speech.settings import SpeechSettings
from engine.speech.shaping import render
from engine.speech.text import SpokenSentence, speakable
from personas.errors import InvalidInputError
from personas.persona import Voice
from personas.voices import Effect, VoiceCatalogue, load_voices

_CAPABILITIES = SpeechCapabilities(
    languages=("en",), phoneme_timing=True, word_timing=True, online=False
)
_PAUSES = {".": 0.36, "!": 0.36, "?": 0.4, "…": 0.5, ":": 0.3, ";": 0.26, ",": 0.16, "—": 0.24}
_PARAGRAPH_PAUSE = 0.6
_BREATH_PAUSE = 0.08
_LABEL_LAG = 0.05
"""By how much the model's phonemes are late against its own sound, at rate 1."""
_MARGIN = 0.015
"""Kept on both sides of a sound, for its softest edges."""
_MOST_LETTERS_A_SECOND = 30.0
_NOTHING_TO_SAY = "There is nothing in this message that can be spoken aloud."


@dataclass(frozen=True)
class _Phrase:
    """One utterance as sound, silence cut off; times from its first sample."""

    samples: NDArray[np.float32]
    spans: list[Span]
    texts: dict[int, str]

    @property
    def seconds(self) -> float:
        return len(self.samples) / SAMPLE_RATE


@dataclass
class _Take:
    """What has been spoken so far."""

    pieces: list[NDArray[np.float32]] = field(default_factory=list)
    length: int = 0
    spans: list[Span] = field(default_factory=list)
    words: list[TimedWord] = field(default_factory=list)
    cues: list[Cue] = field(default_factory=list)
    written: list[str] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return self.length / SAMPLE_RATE

    def add(self, samples: NDArray[np.float32]) -> None:
        self.pieces.append(samples)
        self.length += len(samples)

    def pause(self, seconds: float) -> None:
        self.add(np.zeros(max(0, round(seconds * SAMPLE_RATE)), np.float32))


class HibariSynthesizer:
    """Speaks English in every voice of the catalogue. Models load with the first speech."""

    def __init__(
        self, settings: SpeechSettings | None = None, voices: VoiceCatalogue | None = None
    ) -> None:
        self._settings = settings or SpeechSettings()
        self._effects: dict[str, Effect] = {
            preset.name: preset.effect for preset in (voices or load_voices()).presets()
        }
        self._model = AcousticModel(self._settings.threads)
        self._pronouncer = Pronouncer()
        self._warming = threading.Lock()
        self._warm = False

    @property
    def name(self) -> str:
        """The engine, as `Voice.engine` names it."""
        return "hibari"

    @property
    def capabilities(self) -> SpeechCapabilities:
        """What it can do."""
        return _CAPABILITIES

    def warm_up(self) -> None:
        """Loads dictionaries and model, and runs them once.

        Raises:
            UnavailableError: the voice model cannot be loaded.
        """
        with self._warming:
            if not self._warm:
                self.synthesize("Hello.", Voice(engine=self.name, preset="woman"))
                self._warm = True

    def synthesize(self, text: str, voice: Voice) -> Speech:
        """Says `text`, as a persona wrote it, in `voice`; the same text and voice sound the same.

        A text too long for `SpeechSettings.max_seconds` is spoken up to there in whole
        sentences (of a first sentence that is longer, the words that fit); `Speech.text` says
        what was spoken.

        Raises:
            InvalidInputError: there is nothing in the text that can be spoken.
            UnavailableError: the voice model cannot be loaded.
        """
        effect = self._effects.get(voice.preset, "none")
        tail = self._settings.tail_seconds + (ECHO_SECONDS if effect == "echo" else 0.0)
        limit = self._settings.max_seconds - tail
        take = _Take()
        take.pause(self._settings.lead_seconds)
        pause = 0.0
        for sentence in speakable(text, limit * voice.rate * _MOST_LETTERS_A_SECOND):
            phrases = list(self._phrases(sentence, voice, effect, limit - take.seconds - pause))
            if not phrases:
                continue
            if take.seconds + pause + _length(phrases, voice.rate) > limit:
                if take.words:
                    break
                phrases, sentence = _cut(phrases, sentence, limit - take.seconds, voice.rate)
            take.pause(pause)
            _append(take, sentence, phrases, voice.rate)
            pause = _pause_after(sentence) / voice.rate
        if not take.words:
            raise InvalidInputError(_NOTHING_TO_SAY)
        return self._finish(take, effect)

    def _phrases(
        self, sentence: SpokenSentence, voice: Voice, effect: Effect, seconds: float
    ) -> Iterator[_Phrase]:
        """The sound of a sentence, breath by breath, until it is longer than `seconds`."""
        for utterance in self._pronouncer.utterances(sentence.spoken):
            phrase = self._phrase(utterance, voice, effect)
            if phrase is not None:
                yield phrase
                seconds -= phrase.seconds
                if seconds < 0:
                    return

    def _phrase(self, utterance: Utterance, voice: Voice, effect: Effect) -> _Phrase | None:
        known = [
            (symbol, word)
            for symbol, word in zip(utterance.symbols, utterance.words, strict=True)
            if self._model.known(symbol)
        ]
        symbols = "".join(symbol for symbol, _ in known)
        spectra = self._model.predict(symbols, voice.rate)
        samples = render(spectra, voice, effect, zlib.crc32(symbols.encode()))
        bounds = sounding(samples, SAMPLE_RATE)
        if bounds is None:
            return None

        # silence before and after the symbols has a label of its own
        lag = _LABEL_LAG / voice.rate**0.5
        first = float(spectra.seconds[0]) - lag
        timed = [
            span.moved(max(0.0, span.start + first), max(0.0, span.end + first))
            for span in spans(symbols, [word for _, word in known], spectra.seconds[1:-1].tolist())
        ]
        timed = settle_pauses(timed, samples, SAMPLE_RATE)
        start = max(0, int((bounds[0] - _MARGIN) * SAMPLE_RATE))
        end = min(len(samples), int((bounds[1] + _MARGIN) * SAMPLE_RATE))
        samples = fade(samples[start:end], SAMPLE_RATE)
        return _Phrase(samples, _fitted(timed, start / SAMPLE_RATE, len(samples)), utterance.texts)

    def _finish(self, take: _Take, effect: Effect) -> Speech:
        samples = np.concatenate(take.pieces)
        if effect == "robot":
            samples = metal(samples, SAMPLE_RATE)
        elif effect == "echo":
            samples = fade(echo(samples, SAMPLE_RATE), SAMPLE_RATE, 0.05)
        silence = np.zeros(round(self._settings.tail_seconds * SAMPLE_RATE), np.float32)
        samples = np.concatenate([samples, silence])
        samples = normalise(samples, SAMPLE_RATE, self._settings.loudness)
        return Speech(
            samples=samples,
            sample_rate=SAMPLE_RATE,
            phonemes=join(take.spans, len(samples) / SAMPLE_RATE),
            words=tuple(take.words),
            text=" ".join(take.written),
            cues=tuple(take.cues),
        )


def _fitted(timed: list[Span], start: float, length: int) -> list[Span]:
    """Times from the first sample on; the first and last phoneme reach to the edges of sound."""
    end = length / SAMPLE_RATE
    sounds = [span.moved(span.start - start, span.end - start) for span in timed if span.symbol]
    sounds[0] = sounds[0].moved(0.0, sounds[0].end)
    sounds[-1] = sounds[-1].moved(sounds[-1].start, end)
    result: list[Span] = []
    for span in sounds:
        low = max(span.start, result[-1].end if result else 0.0)
        result.append(span.moved(min(low, end), min(max(span.end, low), end)))
    return result


def _length(phrases: list[_Phrase], rate: float) -> float:
    return sum(phrase.seconds for phrase in phrases) + (len(phrases) - 1) * _BREATH_PAUSE / rate


def _append(take: _Take, sentence: SpokenSentence, phrases: list[_Phrase], rate: float) -> None:
    starts: dict[int, float] = {}
    for number, phrase in enumerate(phrases):
        if number:
            take.pause(_BREATH_PAUSE / rate)
        at = take.seconds
        take.add(phrase.samples)
        moved = [span.moved(span.start + at, span.end + at) for span in phrase.spans]
        take.spans += moved
        for word, text in phrase.texts.items():
            own = [span for span in moved if span.word == word]
            if own:
                starts[word] = own[0].start
                take.words.append(TimedWord(text, own[0].start, own[-1].end))
    for action, word in sentence.directions:
        after = [start for index, start in starts.items() if index >= word]
        take.cues.append(Cue(action, min(after, default=take.seconds)))
    take.written.append(sentence.written)


def _cut(
    phrases: list[_Phrase], sentence: SpokenSentence, seconds: float, rate: float
) -> tuple[list[_Phrase], SpokenSentence]:
    """As many words of a sentence as fit; it is written as it is spoken then."""
    kept: list[_Phrase] = []
    texts: list[str] = []
    for phrase in phrases:
        ends = {span.word: span.end for span in phrase.spans if span.word is not None}
        fitting = [word for word, end in ends.items() if end <= seconds]
        if not fitting:
            break
        end = max(ends[word] for word in fitting)
        spans_kept = [span for span in phrase.spans if span.word in fitting]
        samples = fade(phrase.samples[: int(end * SAMPLE_RATE)], SAMPLE_RATE, 0.02)
        kept.append(replace(phrase, samples=samples, spans=spans_kept))
        texts += [text for word, text in phrase.texts.items() if word in fitting]
        if len(fitting) < len(ends):
            break
        seconds -= phrase.seconds + _BREATH_PAUSE / rate
    last = max((span.word or 0 for phrase in kept for span in phrase.spans), default=0)
    directions = tuple(item for item in sentence.directions if item[1] <= last)
    return kept, replace(sentence, written=" ".join(texts) + "…", directions=directions)


def _pause_after(sentence: SpokenSentence) -> float:
    pause = _PAUSES.get(sentence.spoken[-1:], _PAUSES["."])
    return max(pause, _PARAGRAPH_PAUSE) if sentence.ends_paragraph else pause
