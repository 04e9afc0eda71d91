"""Speech by eSpeak NG: a hundred languages, offline, on any machine; it sounds like a machine."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.speech.base import Speech, SpeechCapabilities
from engine.speech.delivery import Phrase, compose, phrase, prepare
from engine.speech.espeak_library import EspeakLibrary, PhonemeEvent
from engine.speech.espeak_phonemes import Pronounced, pronounced, symbols
from engine.speech.espeak_voices import LANGUAGES, Speaker, find_speaker, voice_file
from engine.speech.settings import SpeechSettings
from engine.speech.text import SpokenSentence
from personas.persona import Voice
from personas.voices import Effect, VoiceCatalogue, VoicePreset, load_voices

NAME = "espeak"
_CAPABILITIES = SpeechCapabilities(
    languages=LANGUAGES, phoneme_timing=True, word_timing=True, online=False, natural=False
)
_LONGEST = 300
"""Letters that are read in one breath."""
_BREAKS = ",;:—…،؛、，；।"
_SAMPLE_RATE = 22_050
_LOWEST_HERTZ = 20.0


@dataclass(frozen=True)
class Utterance:
    """A text as it was read.

    Attributes:
        samples: [n] float32 mono.
        sample_rate: Hz.
        pronounced: its phonemes and words; seconds from the first sample.
    """

    samples: NDArray[np.float32]
    sample_rate: int
    pronounced: Pronounced


class EspeakReader:
    """Reads single texts, with the times of all phonemes. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._library: EspeakLibrary | None = None
        self._count = functools.lru_cache(maxsize=2_000)(self._count_alone)

    def speaker(self, name: str, language: str) -> Speaker:
        """The speaker called `name`; see `find_speaker`.

        Raises:
            NotFoundError: there is no such language or variant.
            UnavailableError: espeak is not installed or does not work.
        """
        return find_speaker(self._open(), name, language)

    def read(
        self, text: str, speaker: Speaker, voice: Voice | None = None, effect: Effect = "none"
    ) -> Utterance:
        """Reads a text, at most a few sentences, aloud.

        Args:
            text: words and punctuation.
            speaker: who reads, in which language.
            voice: the shaping on top; none where it is None.
            effect: tremor and growl are the voice's own, the others are added to the sound later.

        Raises:
            UnavailableError: espeak is not installed or does not work.
        """
        library = self._open()
        voice = voice or Voice(engine=NAME, preset="")
        reading = library.read(text, voice_file(library, speaker, voice, effect), voice.rate)
        count = functools.partial(self._count, speaker)
        return Utterance(
            without_rumble(reading.samples, reading.sample_rate),
            reading.sample_rate,
            pronounced(reading, text, speaker.is_english, count),
        )

    def _count_alone(self, speaker: Speaker, word: str) -> int:
        """How many sounds a word has when nothing is around it."""
        library = self._open()
        voice = voice_file(library, speaker, Voice(engine=NAME, preset=""))
        events = library.read(word, voice, 2.5).events
        names = [event.name for event in events if isinstance(event, PhonemeEvent)]
        return sum(len(symbols(name, speaker.is_english)) for name in names)

    def _open(self) -> EspeakLibrary:
        with self._lock:
            if self._library is None:
                self._library = EspeakLibrary()
            return self._library


class EspeakSynthesizer:
    """Reads every language of `LANGUAGES`; a preset's `speaker` is such as `de+f3`."""

    def __init__(
        self, settings: SpeechSettings | None = None, voices: VoiceCatalogue | None = None
    ) -> None:
        self._settings = settings or SpeechSettings()
        self._presets: dict[str, VoicePreset] = {
            preset.name: preset for preset in (voices or load_voices()).presets()
        }
        self._reader = EspeakReader()

    @property
    def name(self) -> str:
        """The engine, as `Voice.engine` names it."""
        return NAME

    @property
    def capabilities(self) -> SpeechCapabilities:
        """What it can do."""
        return _CAPABILITIES

    def warm_up(self) -> None:
        """Loads the library once; it is as quick later.

        Raises:
            UnavailableError: espeak is not installed or does not work.
        """
        self._reader.read("a", self._reader.speaker("", "en"))

    def synthesize(self, text: str, voice: Voice) -> Speech:
        """Says `text`, as a persona wrote it, in `voice`; the same text and voice sound the same.

        Raises:
            InvalidInputError: there is nothing in the text that can be spoken.
            NotFoundError: the voice's preset names a language or variant that there is not.
            UnavailableError: espeak is not installed or does not work.
        """
        preset = self._presets.get(voice.preset)
        effect = preset.effect if preset else "none"
        language = preset.language if preset else "en"
        speaker = self._reader.speaker(preset.speaker if preset else "", language)
        sentences = prepare(text, voice, self._settings, effect, language=language)
        spoken = ((each, self._phrases(each, speaker, voice, effect)) for each in sentences)
        return compose(spoken, voice, self._settings, effect, sample_rate=_SAMPLE_RATE)

    def _phrases(
        self, sentence: SpokenSentence, speaker: Speaker, voice: Voice, effect: Effect
    ) -> Iterator[Phrase]:
        for text, first in breaths(sentence.spoken):
            said = self._reader.read(text, speaker, voice, effect)
            part = phrase(
                said.samples,
                said.sample_rate,
                said.pronounced.spans,
                said.pronounced.texts,
                {word: place + first for word, place in said.pronounced.places.items()},
            )
            if part is not None:
                yield part


def without_rumble(samples: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
    """The same around zero: the library's pulses all point the same way."""
    if len(samples) == 0:
        return samples
    # twice as long, so that the end does not run into the beginning
    size = 2 * len(samples)
    ratio = (np.fft.rfftfreq(size, 1 / sample_rate) / _LOWEST_HERTZ) ** 2
    filtered = np.fft.irfft(np.fft.rfft(samples, size) * ratio / (1 + ratio), size)
    return filtered[: len(samples)].astype(np.float32)


def breaths(spoken: str, longest: int = _LONGEST) -> Iterable[tuple[str, int]]:
    """Parts of a sentence that can be read at once, and the index of the first word of each."""
    words = spoken.split()
    start = 0
    while start < len(words):
        end, letters, comma = start, 0, 0
        while end < len(words) and (end == start or letters + len(words[end]) <= longest):
            letters += len(words[end]) + 1
            end += 1
            if words[end - 1][-1] in _BREAKS and letters > longest / 2:
                comma = end
        if end < len(words) and comma:
            end = comma
        yield " ".join(words[start:end]), start
        start = end
