"""How fast each engine speaks on this machine, and what it needs."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from engine.machine import peak_memory_mb
from engine.models.settings import ModelStoreSettings
from engine.speech.base import SpeechSynthesizer
from engine.speech.settings import SpeechCacheSettings, SpeechSettings
from personas.errors import ChatAnythingError, UnavailableError
from personas.voices import VoiceCatalogue

TEXT = (
    "Hello! I have been standing here for more than a hundred years, and every night I light the "
    "way. Sit down, and I will tell you about the sea."
)
_VOICES_AN_ENGINE = 3


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


def bench_engine(
    engine: str, settings: SpeechSettings, models: ModelStoreSettings | None = None
) -> SpeechBench:
    """Measures an engine in a process of its own, so that loading and memory are its alone.

    Args:
        engine: one of `SpeechSettings.engines`.
        settings: how it speaks.
        models: where fetched voices lie.

    Raises:
        UnavailableError: it cannot speak here.
    """
    context = multiprocessing.get_context("spawn")
    # Ctrl+C reaches both processes; this one ends the other, and says so.
    deaf = (signal.SIGINT, signal.SIG_IGN)
    with ProcessPoolExecutor(1, context, signal.signal, deaf) as pool:
        try:
            return pool.submit(_alone, engine, settings, models).result()
        except ChatAnythingError:
            raise
        except Exception as error:
            raise UnavailableError(f"The speech engine {engine} cannot be measured.") from error


def _alone(engine: str, settings: SpeechSettings, models: ModelStoreSettings | None) -> SpeechBench:
    from engine.models.store import ModelStore
    from engine.speech.factory import open_ensemble
    from personas.voices import load_voices

    voices = load_voices()
    nothing_kept = settings.model_copy(update={"cache": SpeechCacheSettings(memory_bytes=0)})
    store = ModelStore.from_settings(models or ModelStoreSettings())
    ensemble = open_ensemble(nothing_kept, store, voices)
    member = ensemble.get(engine)
    if member is None:
        raise UnavailableError(f"{engine}: {ensemble.obstacle(engine)}")
    english = [one.name for one in voices.speaking("en") if one.engine == engine]
    return bench_speech(member.engine, voices, english[:_VOICES_AN_ENGINE])


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

    Raises:
        ChatAnythingError: it cannot speak.
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
