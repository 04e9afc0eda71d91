"""Speech by hibari: English, neural, many times faster than speech on one core, built in."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Iterator

from engine.speech.acoustics import SAMPLE_RATE, AcousticModel
from engine.speech.base import Speech, SpeechCapabilities
from engine.speech.delivery import Phrase, compose, phrase, prepare
from engine.speech.phonemes import spans
from engine.speech.pronunciation import Pronouncer, Utterance
from engine.speech.settings import SpeechSettings
from engine.speech.shaping import render
from engine.speech.text import SpokenSentence
from personas.persona import Voice
from personas.voices import Effect, VoiceCatalogue, load_voices

_CAPABILITIES = SpeechCapabilities(
    languages=("en",), phoneme_timing=True, word_timing=True, online=False
)
_LABEL_LAG = 0.05
"""By how much the model's phonemes are late against its own sound, at rate 1."""


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
        sentences = prepare(text, voice, self._settings, effect)
        spoken = ((sentence, self.phrases(sentence, voice, effect)) for sentence in sentences)
        return compose(spoken, voice, self._settings, effect, sample_rate=SAMPLE_RATE)

    def phrases(
        self, sentence: SpokenSentence, voice: Voice, effect: Effect = "none"
    ) -> Iterator[Phrase]:
        """The sound of a sentence, breath by breath, with the times of its phonemes.

        Raises:
            UnavailableError: the voice model cannot be loaded.
        """
        for utterance in self._pronouncer.utterances(sentence.spoken):
            said = self._phrase(utterance, voice, effect)
            if said is not None:
                yield said

    def _phrase(self, utterance: Utterance, voice: Voice, effect: Effect) -> Phrase | None:
        known = [
            (symbol, word)
            for symbol, word in zip(utterance.symbols, utterance.words, strict=True)
            if self._model.known(symbol)
        ]
        symbols = "".join(symbol for symbol, _ in known)
        spectra = self._model.predict(symbols, voice.rate)
        samples = render(spectra, voice, effect, zlib.crc32(symbols.encode()))

        # silence before and after the symbols has a label of its own
        lag = _LABEL_LAG / voice.rate**0.5
        first = float(spectra.seconds[0]) - lag
        timed = [
            span.moved(max(0.0, span.start + first), max(0.0, span.end + first))
            for span in spans(symbols, [word for _, word in known], spectra.seconds[1:-1].tolist())
        ]
        return phrase(samples, SAMPLE_RATE, timed, utterance.texts)
