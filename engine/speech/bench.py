"""How fast a synthesizer speaks and what it needs, voice by voice."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from engine.machine import peak_memory_mb
from engine.speech.base import SpeechSynthesizer
from personas.voices import VoiceCatalogue

TEXT = (
    "Hello! I have been standing here for more than a hundred years, and every night I light the "
    "way. Sit down, and I will tell you about the sea."
)


@dataclass(frozen=True)
class VoiceBench:
    """What one voice costs; `dataclasses.asdict` makes JSON of it.

    Attributes:
        voice: the preset.
        seconds: of speech.
        first_sound_seconds: from the text to the first sentence that can be played.
        real_time_factor: time to speak all of it, as a share of the speech's length.
        memory_mb: resident memory of the process at its most so far, in MiB; None where the
            system does not tell.
    """

    voice: str
    seconds: float
    first_sound_seconds: float
    real_time_factor: float
    memory_mb: float | None


@dataclass(frozen=True)
class SpeechBench:
    """The cost of an engine.

    Attributes:
        engine: its name.
        load_seconds: for the first words of the process, models included.
        voices: one entry a voice.
    """

    engine: str
    load_seconds: float
    voices: tuple[VoiceBench, ...]


def bench_speech(
    synthesizer: SpeechSynthesizer,
    voices: VoiceCatalogue,
    names: Iterable[str] = (),
    *,
    text: str = TEXT,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> SpeechBench:
    """Speaks `text` in each voice and takes the time.

    Args:
        synthesizer: what is measured.
        voices: the catalogue.
        names: which voices; all that belong to the engine where there are none.
        text: at least two sentences.
        seed: for the casting of the voices.
        progress: told the voice before it speaks.
    """
    chosen = list(names) or [
        preset.name for preset in voices.presets() if preset.engine == synthesizer.name
    ]
    _, load = _timed(synthesizer, "Hello.", voices, chosen[0], seed)
    measured: list[VoiceBench] = []
    for name in chosen:
        if progress:
            progress(name)
        _, first = _timed(synthesizer, text.split(". ")[0] + ".", voices, name, seed)
        seconds, total = _timed(synthesizer, text, voices, name, seed)
        measured.append(VoiceBench(name, seconds, first, total / seconds, peak_memory_mb()))
    return SpeechBench(synthesizer.name, load, tuple(measured))


def _timed(
    synthesizer: SpeechSynthesizer, text: str, voices: VoiceCatalogue, name: str, seed: int
) -> tuple[float, float]:
    voice = voices.cast(name, seed)
    start = time.perf_counter()
    speech = synthesizer.synthesize(text, voice)
    return speech.duration, time.perf_counter() - start
