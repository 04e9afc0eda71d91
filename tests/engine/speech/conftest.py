"""One synthesizer and one listener for all tests of speech."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.speech.base import SpeechSynthesizer
from engine.speech.hibari import HibariSynthesizer
from engine.speech.settings import SpeechSettings
from personas.persona import Voice
from personas.voices import VoiceCatalogue, VoicePreset, load_voices


@dataclass
class Listener:
    """Writes down what it hears."""

    model: Any

    def hear(
        self, samples: NDArray[np.float32], sample_rate: int
    ) -> list[tuple[str, float, float]]:
        """What was heard, word by word: lower case without punctuation, start and end."""
        count = int(len(samples) * 16_000 / sample_rate)
        at = np.arange(count) * sample_rate / 16_000
        resampled = np.interp(at, np.arange(len(samples)), samples)
        segments, _ = self.model.transcribe(
            resampled.astype(np.float32),
            language="en",
            beam_size=1,
            temperature=0,
            word_timestamps=True,
            condition_on_previous_text=False,
        )
        heard = [word for segment in segments for word in segment.words]
        return [(plain(w.word), w.start, w.end) for w in heard if plain(w.word)]


def plain(text: str) -> str:
    """Lower-case words only."""
    return " ".join(re.findall(r"[a-z']+", text.lower()))


@pytest.fixture(scope="session")
def voices() -> VoiceCatalogue:
    return load_voices()


@pytest.fixture(scope="session")
def hibari(voices: VoiceCatalogue) -> SpeechSynthesizer:
    return HibariSynthesizer(SpeechSettings(max_seconds=20))


@pytest.fixture(scope="session")
def listener(require_model: Callable[[str], Path]) -> Listener:
    from faster_whisper import WhisperModel

    path = require_model("whisper-tiny.en")
    return Listener(WhisperModel(str(path), device="cpu", compute_type="int8", cpu_threads=2))


def plain_voice(preset: VoicePreset, **changes: float) -> Voice:
    """The preset itself, without a seed's variation."""
    shaping = {
        "pitch": preset.pitch,
        "formant": preset.formant,
        "breath": preset.breath,
        "range": preset.range,
        "rate": preset.rate,
    }
    return Voice(engine=preset.engine, preset=preset.name, **{**shaping, **changes})
