"""Which engines there are, and what each one needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.models.catalogue import Catalogue
from engine.models.store import ModelStore
from engine.speech.factory import open_ensemble, open_synthesizer
from engine.speech.settings import ENGINES, OpenAISpeechSettings, SpeechSettings
from personas.voices import load_voices
from personas.voices.tags import ANY, primary


@pytest.fixture
def nothing_fetched(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path, Catalogue.load(), offline=True)


def test_what_needs_nothing_can_speak_and_the_others_say_what_they_need(
    nothing_fetched: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "engine.speech.factory.importlib.util.find_spec",
        lambda name: None if name in ("edge_tts", "espeakng_loader") else object(),
    )
    ensemble = open_ensemble(SpeechSettings(), nothing_fetched)
    obstacles = {status.name: status.obstacle for status in ensemble.statuses()}
    assert tuple(obstacles) == ENGINES
    assert obstacles["hibari"] == ""
    assert "chatanything models pull kokoro-82m" in obstacles["kokoro"]
    assert "chatanything[edge]" in obstacles["edge"]
    assert "chatanything[espeak]" in obstacles["espeak"]
    assert "[speech.openai]" in obstacles["openai"]


def test_an_endpoint_that_was_set_up_is_cast_from_like_a_voice_of_this_machine(
    nothing_fetched: ModelStore,
) -> None:
    endpoint = OpenAISpeechSettings(base_url="http://127.0.0.1:9/v1")
    settings = SpeechSettings(engines=("hibari", "openai"), openai=endpoint)
    ensemble = open_ensemble(settings, nothing_fetched)
    assert ensemble.engines_for("en") == ("hibari", "openai")
    assert ensemble.engines_for("sw") == ("openai",)


def test_engines_that_are_not_named_do_not_speak(nothing_fetched: ModelStore) -> None:
    ensemble = open_ensemble(SpeechSettings(engines=("hibari",)), nothing_fetched)
    assert [status.name for status in ensemble.statuses()] == ["hibari"]
    assert "not among" in ensemble.obstacle("edge")


def test_the_catalogue_promises_only_languages_that_the_engines_speak(
    nothing_fetched: ModelStore,
) -> None:
    ensemble = open_ensemble(SpeechSettings(), nothing_fetched)
    for member in ensemble.members():
        try:
            spoken = {primary(tag) for tag in member.engine.capabilities.languages}
        except ImportError:
            continue
        presets = [one for one in load_voices().presets() if one.engine == member.name]
        assert presets, member.name
        promised = {primary(preset.language) for preset in presets}
        assert ANY in spoken or promised <= spoken | {ANY}, (member.name, promised - spoken)


def test_every_engine_is_open_with_its_own_name(nothing_fetched: ModelStore) -> None:
    for member in open_ensemble(SpeechSettings(), nothing_fetched).members():
        assert member.engine.name == member.name


def test_opening_the_mixture_loads_no_model() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from engine.speech.factory import open_synthesizer; open_synthesizer();"
        "heavy = {'onnxruntime', 'edge_tts', 'openai', 'faster_whisper', 'espeakng_loader'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.stdout.strip() == "[]", run.stderr


def test_the_built_in_voice_speaks_and_remembers(nothing_fetched: ModelStore) -> None:
    voices = load_voices()
    synthesizer = open_synthesizer(SpeechSettings(engines=("hibari",)), nothing_fetched, voices)
    voice = voices.cast("woman", 1)
    assert synthesizer.synthesize("Hi.", voice) is synthesizer.synthesize("Hi.", voice)
