"""Speech by Kokoro: natural, 24 kHz, one network with many speakers that can be mixed."""

from __future__ import annotations

import re
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.speech.base import Speech, SpeechCapabilities
from engine.speech.delivery import Phrase, compose, phrase, prepare
from engine.speech.kokoro_model import SAMPLE_RATE, KokoroModel
from engine.speech.phonemes import spans
from engine.speech.pronunciation import Pronouncer, Utterance
from engine.speech.resynthesis import Shaping, resynthesize
from engine.speech.settings import SpeechSettings
from engine.speech.text import SpokenSentence
from personas.errors import InvalidInputError
from personas.persona import Voice
from personas.voices import Effect, VoiceCatalogue, VoicePreset, load_voices

NAME = "kokoro"
SPEAKER = "af_heart"
"""Who speaks where a voice names nobody."""
_CAPABILITIES = SpeechCapabilities(
    languages=("en",), phoneme_timing=True, word_timing=True, online=False
)
_LABEL_LAG = 0.05
"""By how much the model's phonemes are late against its own sound, at rate 1."""
_WHISPERED = 0.97
"""Breath from which on nothing of the voice is left."""
_SHARE = re.compile(r"([a-z]+_[a-z0-9]+)\s*(?:\*\s*(\d+(?:\.\d+)?|\.\d+))?")


class KokoroSynthesizer:
    """Speaks with the speakers of Kokoro and mixtures of them. The model loads when first used.

    Args:
        settings: of speech.
        voices: the catalogue; a preset's `speaker` is a name or a mixture of names.
        folder: where the model is; it is called on first use, and what it raises is passed on.
    """

    def __init__(
        self,
        settings: SpeechSettings | None = None,
        voices: VoiceCatalogue | None = None,
        *,
        folder: Callable[[], Path],
    ) -> None:
        self._settings = settings or SpeechSettings()
        self._presets: dict[str, VoicePreset] = {
            preset.name: preset for preset in (voices or load_voices()).presets()
        }
        self._model = KokoroModel(folder, self._settings.threads)
        self._pronouncer = Pronouncer()
        self._warming = threading.Lock()
        self._warm = False

    @property
    def name(self) -> str:
        """The engine, as `Voice.engine` names it."""
        return NAME

    @property
    def capabilities(self) -> SpeechCapabilities:
        """What it can do."""
        return _CAPABILITIES

    def warm_up(self) -> None:
        """Loads dictionaries and model, and runs them once.

        Raises:
            UnavailableError: the model is not here or cannot be loaded.
        """
        with self._warming:
            if not self._warm:
                self.synthesize("Hi.", Voice(engine=self.name, preset=""))
                self._warm = True

    def synthesize(self, text: str, voice: Voice) -> Speech:
        """Says `text`, as a persona wrote it, in `voice`; the same text and voice sound the same.

        Raises:
            InvalidInputError: there is nothing in the text that can be spoken.
            NotFoundError: the voice's preset names a speaker that there is not.
            UnavailableError: the model is not here or cannot be loaded.
        """
        preset = self._presets.get(voice.preset)
        effect = preset.effect if preset else "none"
        sentences = prepare(text, voice, self._settings, effect)
        style = self._style((preset.speaker if preset else "") or SPEAKER)
        spoken = ((each, self._phrases(each, style, voice, effect)) for each in sentences)
        return compose(spoken, voice, self._settings, effect, sample_rate=SAMPLE_RATE)

    def _style(self, speaker: str) -> NDArray[np.float32]:
        shares = mixture(speaker)
        mixed = [self._model.style(name) * np.float32(share) for name, share in shares.items()]
        style: NDArray[np.float32] = np.sum(mixed, axis=0)
        return style

    def _phrases(
        self, sentence: SpokenSentence, style: NDArray[np.float32], voice: Voice, effect: Effect
    ) -> Iterator[Phrase]:
        for utterance in self._pronouncer.utterances(sentence.spoken):
            part = self._phrase(utterance, style, voice, effect)
            if part is not None:
                yield part

    def _phrase(
        self, utterance: Utterance, style: NDArray[np.float32], voice: Voice, effect: Effect
    ) -> Phrase | None:
        known = [
            (symbol, word)
            for symbol, word in zip(utterance.symbols, utterance.words, strict=True)
            if self._model.known(symbol)
        ]
        symbols = "".join(symbol for symbol, _ in known)
        samples, seconds = self._speak(symbols, style, voice, effect)
        timed = spans(symbols, [word for _, word in known], seconds[1:-1].tolist())
        speed = voice.rate / voice.formant
        first = float(seconds[0]) - _LABEL_LAG / speed**0.5 / voice.formant
        timed = [
            span.moved(max(0.0, span.start + first), max(0.0, span.end + first)) for span in timed
        ]
        return phrase(samples, SAMPLE_RATE, timed, utterance.texts)

    def _speak(
        self, symbols: str, style: NDArray[np.float32], voice: Voice, effect: Effect
    ) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Sound, and seconds for each symbol.

        Played faster, a recording has another throat and another pitch. So the network speaks as
        much slower as it is to be played faster, in the pitch that becomes the one that is wanted.
        """
        whispers = voice.breath >= _WHISPERED
        sound = self._model.speak(
            symbols,
            style,
            speed=voice.rate / voice.formant,
            # without a pitch the network whispers
            pitch=0.0 if whispers else voice.pitch / voice.formant,
            melody=voice.range,
        )
        samples = resampled(sound.samples, voice.formant)
        rest = Shaping(breath=0.0 if whispers else voice.breath, effect=effect)
        if rest.breath or rest.moves_periods:
            seed = zlib.crc32(symbols.encode())
            samples = resynthesize(samples, SAMPLE_RATE, rest, seed)
        return samples, sound.seconds / voice.formant


def mixture(speaker: str) -> dict[str, float]:
    """The speakers of a mixture such as `af_heart*0.6+am_puck*0.4`; shares add up to 1.

    Raises:
        InvalidInputError: it is not written like that.
    """
    shares: dict[str, float] = {}
    for part in speaker.split("+"):
        match = _SHARE.fullmatch(part.strip())
        if match is None:
            raise InvalidInputError(
                f"“{speaker[:80]}” is no speaker of Kokoro. Write a name, such as af_heart, or a "
                "mixture, such as af_heart*0.6+am_puck*0.4."
            )
        shares[match[1]] = shares.get(match[1], 0.0) + float(match[2] or 1)
    total = sum(shares.values())
    if total <= 0:
        raise InvalidInputError(f"In the mixture “{speaker[:80]}” nobody has a share.")
    return {name: share / total for name, share in shares.items()}


def resampled(samples: NDArray[np.float32], ratio: float) -> NDArray[np.float32]:
    """The same played `ratio` times as fast: shorter and higher above 1.

    What would lie above half the sample rate is taken out before.
    """
    if abs(ratio - 1) < 1e-6 or len(samples) < 2:
        return samples
    # by the spectrum, which cuts and interpolates without a seam
    count = max(1, round(len(samples) / ratio))
    spectrum = np.fft.rfft(samples)
    kept = np.zeros(count // 2 + 1, np.complex128)
    size = min(len(kept), len(spectrum))
    kept[:size] = spectrum[:size]
    return (np.fft.irfft(kept, count) * (count / len(samples))).astype(np.float32)
