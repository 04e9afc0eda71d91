"""Voices of an endpoint, against one on this machine."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from pydantic import SecretStr

from engine.speech.base import SpeechSynthesizer
from engine.speech.openai import OpenAISpeechSynthesizer
from engine.speech.settings import OpenAISpeechSettings, SpeechSettings
from personas.errors import UnavailableError
from personas.persona import Voice
from tests.engine.speech.contract import SynthesizerContract, contract_settings
from tests.fakes.openai_speech_server import KEY, Mode, SpeechEndpoint, speech_endpoint
from tests.fakes.voice_service import rehearser, spoken

TEXT = "Yesterday the farmer carried seven baskets of golden apples to the market, my friend."
ASH = Voice(engine="openai", preset="man-ash-openai")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[SpeechEndpoint]:
    with speech_endpoint() as server:
        yield server


@pytest.fixture(scope="module")
def voices_of_it(endpoint: SpeechEndpoint) -> SpeechSynthesizer:
    return made(endpoint)


def made(endpoint: SpeechEndpoint, **changes: object) -> OpenAISpeechSynthesizer:
    told = {"base_url": endpoint.address, "api_key": SecretStr(KEY), "retries": 0, **changes}
    own = OpenAISpeechSettings.model_validate(told)
    return OpenAISpeechSynthesizer(SpeechSettings(openai=own), rehearser=rehearser())


class TestContract(SynthesizerContract):
    preset = "man-ash-openai"
    unspeakable = ("", " \n ", "…", "*smiles*", "\x00")

    @pytest.fixture(scope="class")
    def synthesizer(self, endpoint: SpeechEndpoint) -> SpeechSynthesizer:
        own = OpenAISpeechSettings(base_url=endpoint.address)
        return OpenAISpeechSynthesizer(
            contract_settings().model_copy(update={"openai": own}), rehearser=rehearser()
        )


def test_the_endpoint_is_told_who_speaks_and_how(
    voices_of_it: SpeechSynthesizer, endpoint: SpeechEndpoint
) -> None:
    voices_of_it.synthesize("Hello, 2 friends! *waves*", ASH)
    asked = endpoint.asked[-1]
    assert asked["model"] == "gpt-4o-mini-tts"
    assert asked["voice"] == "ash"
    assert asked["input"] == "Hello, two friends!"
    assert "steady" in asked["instructions"]
    assert "speed" not in asked, "this model would not heed it"


def test_a_model_that_heeds_speed_is_asked_for_it(endpoint: SpeechEndpoint) -> None:
    slow = ASH.model_copy(update={"rate": 0.8})
    plain = made(endpoint, model="tts-1").synthesize(TEXT, slow)
    assert endpoint.asked[-1]["speed"] == 0.8
    assert "instructions" not in endpoint.asked[-1]
    stretched = made(endpoint).synthesize(TEXT, slow)
    assert stretched.duration == pytest.approx(plain.duration, rel=0.08)


@pytest.mark.parametrize("sound", ["mp3", "wav", "opus", "flac"])
def test_timings_are_made_from_the_sound(endpoint: SpeechEndpoint, sound: str) -> None:
    truth = spoken(TEXT, 1.0)
    speech = made(endpoint, sound=sound).synthesize(TEXT, ASH)
    assert [word.text for word in speech.words] == [word.text for word in truth.words]
    known = [p for p in truth.phonemes if p.symbol]
    found = [p for p in speech.phonemes if p.symbol]
    assert [p.symbol for p in found] == [p.symbol for p in known]
    error = np.array([a.start - b.start for a, b in zip(found, known, strict=True)])
    # all of it may be moved: silence before the first sound is cut off
    assert np.median(np.abs(error - np.median(error))) < 0.015
    assert np.abs(error - np.median(error)).max() < 0.12


def test_a_simple_endpoint_is_asked_less_of_and_that_is_remembered(
    endpoint: SpeechEndpoint,
) -> None:
    quick = ASH.model_copy(update={"rate": 1.2})
    engine = made(endpoint, model="kokoro")
    endpoint.asked.clear()
    endpoint.mode = "simple"
    try:
        assert engine.synthesize("Hello, my friend.", quick).words
        assert engine.synthesize("Hello again.", quick).words
    finally:
        endpoint.mode = "fine"
    assert [sorted(set(asked) - {"input", "model", "voice"}) for asked in endpoint.asked] == [
        ["instructions", "response_format", "speed"],
        ["response_format", "speed"],
        ["response_format"],
        ["response_format"],
        ["response_format"],
    ]
    assert endpoint.asked[-1]["response_format"] == "wav"


def test_a_long_answer_is_sent_in_parts(
    voices_of_it: SpeechSynthesizer, endpoint: SpeechEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.speech.openai._LONGEST", 100)
    endpoint.asked.clear()
    speech = voices_of_it.synthesize("The sea is wide and blue today, my friend. " * 5, ASH)
    assert [len(asked["input"].split(".")) - 1 for asked in endpoint.asked] == [2, 2, 1]
    assert len(speech.words) == 5 * 9


@pytest.mark.parametrize(("mode", "said"), [
    ("stranger", "does not accept the key"),
    ("busy", "too many requests"),
    ("broken", "fault of its own"),
    ("silent", "sent no sound"),
    ("cut", "broke off"),
    ("garbage", "not a sound"),
    ("empty", "not a sound|no sound"),
])  # fmt: skip
def test_what_goes_wrong_is_told_in_a_sentence(
    voices_of_it: SpeechSynthesizer, endpoint: SpeechEndpoint, mode: Mode, said: str
) -> None:
    endpoint.mode = mode
    try:
        with pytest.raises(UnavailableError, match=said) as caught:
            voices_of_it.synthesize(TEXT, ASH)
    finally:
        endpoint.mode = "fine"
    assert str(caught.value).endswith(".")
    assert KEY not in f"{caught.value} {caught.value.__cause__}"
    assert voices_of_it.synthesize("And it speaks again.", ASH).words


def test_an_endpoint_that_only_drips_is_given_up(endpoint: SpeechEndpoint) -> None:
    endpoint.mode = "drip"
    try:
        with pytest.raises(UnavailableError, match="too long"):
            made(endpoint, timeout=1, sound="wav").synthesize(TEXT, ASH)
    finally:
        endpoint.mode = "fine"


def test_without_a_network_it_says_so() -> None:
    own = OpenAISpeechSettings(base_url="http://127.0.0.1:9/v1", retries=0)
    engine = OpenAISpeechSynthesizer(SpeechSettings(openai=own))
    with pytest.raises(UnavailableError, match="cannot be reached"):
        engine.synthesize(TEXT, ASH)


def test_without_a_key_it_says_what_to_set() -> None:
    with pytest.raises(UnavailableError, match="api_key"):
        OpenAISpeechSynthesizer(SpeechSettings()).warm_up()


def test_a_voice_of_many_languages_speaks_that_of_the_text(
    voices_of_it: SpeechSynthesizer, endpoint: SpeechEndpoint
) -> None:
    assert voices_of_it.capabilities.languages == ("mul",)
    pytest.importorskip("espeakng_loader")
    voices_of_it.synthesize("Ich habe 2 Katzen und du nicht.", ASH)
    assert endpoint.asked[-1]["input"] == "Ich habe zwei Katzen und du nicht."
