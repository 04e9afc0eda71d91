"""From settings to the synthesizer that speaks: every engine, and what each one needs."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from engine.observing import NOBODY, Observer
from engine.speech.base import SpeechSynthesizer
from engine.speech.cache import CachedSynthesizer, SpeechCache
from engine.speech.ensemble import EngineEntry, Ensemble
from engine.speech.mixture import MixtureSynthesizer
from engine.speech.settings import SpeechSettings
from personas.persona import Voice
from personas.voices import VoiceCatalogue, load_voices

if TYPE_CHECKING:
    from engine.models.store import ModelStore
    from engine.speech.hibari import HibariSynthesizer
    from engine.speech.rehearsal import Rehearser

KOKORO_MODEL = "kokoro-82m"


@dataclass(frozen=True)
class _Parts:
    """What engines are made of."""

    settings: SpeechSettings
    voices: VoiceCatalogue
    models: ModelStore

    @cached_property
    def hibari(self) -> HibariSynthesizer:
        """One voice model for whoever needs it."""
        from engine.speech.hibari import HibariSynthesizer

        return HibariSynthesizer(self.settings, self.voices)

    @cached_property
    def rehearser(self) -> Rehearser:
        """Who says beforehand what a service will say."""
        from engine.speech.rehearsal import Rehearser

        return Rehearser(self.hibari)


def open_synthesizer(
    settings: SpeechSettings | None = None,
    models: ModelStore | None = None,
    voices: VoiceCatalogue | None = None,
    ensemble: Ensemble | None = None,
    observer: Observer = NOBODY,
) -> MixtureSynthesizer:
    """The mixture of all engines that the settings name. Cheap: models load with the first speech.

    Args:
        settings: which engines, and how they speak.
        models: where fetched voices lie; the usual place by default.
        voices: the catalogue; the one that comes with the program by default.
        ensemble: the engines, where they are open already.
        observer: told how they work.
    """
    voices = voices or load_voices()
    ensemble = ensemble or open_ensemble(settings, models, voices, observer)
    return MixtureSynthesizer(ensemble, voices, observer=observer)


def open_ensemble(
    settings: SpeechSettings | None = None,
    models: ModelStore | None = None,
    voices: VoiceCatalogue | None = None,
    observer: Observer = NOBODY,
) -> Ensemble:
    """All engines that the settings name, each with its memory of what it said.

    Args:
        settings: which engines, and how they speak.
        models: where fetched voices lie; the usual place by default.
        voices: the catalogue; the one that comes with the program by default.
        observer: told what was found in that memory.
    """
    if models is None:
        from engine.models.settings import ModelStoreSettings
        from engine.models.store import ModelStore

        models = ModelStore.from_settings(ModelStoreSettings())
    settings = settings or SpeechSettings()
    parts = _Parts(settings, voices or load_voices(), models)
    cache = SpeechCache(
        settings.cache.memory_bytes,
        settings.cache.folder,
        settings.cache.folder_bytes,
        observer=observer,
    )
    entries = [_cached(_ENGINES[name](parts), parts, cache) for name in settings.engines]
    return Ensemble(entries, settings.online)


def _hibari(parts: _Parts) -> EngineEntry:
    def make() -> SpeechSynthesizer:
        return parts.hibari

    return EngineEntry("hibari", make, _installed("hibari", "pip install hibari-tts"))


def _kokoro(parts: _Parts) -> EngineEntry:
    def make() -> SpeechSynthesizer:
        from engine.speech.kokoro import KokoroSynthesizer

        return KokoroSynthesizer(
            parts.settings, parts.voices, folder=lambda: parts.models.path(KOKORO_MODEL)
        )

    def obstacle() -> str:
        if parts.models.has(KOKORO_MODEL):
            return ""
        return f"its model is not here; `chatanything models pull {KOKORO_MODEL}` fetches it."

    return EngineEntry("kokoro", make, obstacle)


def _openai(parts: _Parts) -> EngineEntry:
    settings = parts.settings.openai

    def make() -> SpeechSynthesizer:
        from engine.speech.openai import OpenAISpeechSynthesizer

        return OpenAISpeechSynthesizer(parts.settings, parts.voices, parts.rehearser)

    def obstacle() -> str:
        if settings.base_url or settings.api_key.get_secret_value():
            return ""
        return "no endpoint is set; `base_url` or `api_key` of [speech.openai] says which."

    deadline = settings.timeout * (1 + settings.retries) + 5.0
    return EngineEntry("openai", make, obstacle, invited=True, deadline=deadline)


def _edge(parts: _Parts) -> EngineEntry:
    def make() -> SpeechSynthesizer:
        from engine.speech.edge import EdgeSynthesizer

        return EdgeSynthesizer(parts.settings, parts.voices, parts.rehearser)

    obstacle = _installed("edge_tts", "pip install 'chatanything[edge]'")
    return EngineEntry("edge", make, obstacle, deadline=parts.settings.edge.timeout + 5.0)


def _espeak(parts: _Parts) -> EngineEntry:
    def make() -> SpeechSynthesizer:
        from engine.speech.espeak import EspeakSynthesizer

        return EspeakSynthesizer(parts.settings, parts.voices)

    obstacle = _installed("espeakng_loader", "pip install 'chatanything[espeak]'")
    return EngineEntry("espeak", make, obstacle)


_ENGINES: Mapping[str, Callable[[_Parts], EngineEntry]] = {
    "kokoro": _kokoro,
    "hibari": _hibari,
    "openai": _openai,
    "edge": _edge,
    "espeak": _espeak,
}
_PACKAGES = {"hibari": "hibari-tts", "edge": "edge-tts", "espeak": "espeakng-loader"}


def _installed(module: str, command: str) -> Callable[[], str]:
    """An obstacle where a module is not installed."""

    def obstacle() -> str:
        if importlib.util.find_spec(module) is not None:
            return ""
        return f"it is not installed; `{command}` adds it."

    return obstacle


def _cached(entry: EngineEntry, parts: _Parts, cache: SpeechCache) -> EngineEntry:
    """The engine with a memory of what it said."""
    settings = parts.settings.model_dump(mode="json", exclude={"engines", "online", "cache"})

    def identity(voice: Voice) -> str:
        preset = parts.voices.find(voice.preset)
        told = [
            _version("chatanything"),
            _version(_PACKAGES.get(entry.name, "")),
            settings,
            preset.model_dump(mode="json") if preset else None,
        ]
        return json.dumps(told, sort_keys=True)

    def make() -> SpeechSynthesizer:
        return CachedSynthesizer(entry.make(), cache, identity)

    return EngineEntry(entry.name, make, entry.obstacle, entry.invited, entry.deadline)


def _version(package: str) -> str:
    try:
        return version(package) if package else ""
    except PackageNotFoundError:
        return ""
