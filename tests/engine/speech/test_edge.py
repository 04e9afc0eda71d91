"""Edge's voices, against a service on this machine that speaks its protocol."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import numpy as np
import pytest

from engine.speech.base import Speech, SpeechSynthesizer
from engine.speech.edge import EdgeSynthesizer
from engine.speech.settings import EdgeSettings, SpeechSettings
from personas.errors import UnavailableError
from personas.persona import Voice
from tests.engine.speech.contract import SynthesizerContract, contract_settings
from tests.fakes.edge_server import EdgeServer, Mode, edge_server
from tests.fakes.voice_service import rehearser, spoken

TEXT = "Yesterday the farmer carried seven baskets of golden apples to the market, my friend."
ARIA = Voice(engine="edge", preset="woman-aria")


@pytest.fixture(scope="module")
def service() -> Iterator[EdgeServer]:
    with edge_server() as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr("edge_tts.communicate.WSS_URL", server.address)
        yield server


@pytest.fixture(scope="module")
def edge(service: EdgeServer) -> SpeechSynthesizer:
    return EdgeSynthesizer(SpeechSettings(), rehearser=rehearser())


class TestContract(SynthesizerContract):
    preset = "woman-aria"

    @pytest.fixture(scope="class")
    def synthesizer(self, service: EdgeServer) -> SpeechSynthesizer:
        return EdgeSynthesizer(contract_settings(), rehearser=rehearser())


def test_the_service_is_asked_for_pitch_and_pace_and_the_rest_is_done_here(
    edge: SpeechSynthesizer, service: EdgeServer
) -> None:
    voice = Voice(engine="edge", preset="woman-aria", pitch=1.2, rate=0.9, formant=1.0)
    speech = edge.synthesize("Hello, 2 friends! *waves*", voice)
    asked = service.asked[-1]
    assert asked["voice"].endswith("(en-US, AriaNeural)")
    assert asked["text"] == "Hello, two friends!"
    assert (asked["pitch"], asked["rate"]) == ("+41Hz", "-10%")
    assert [word.text for word in speech.words] == ["Hello", "two", "friends"]


def test_a_smaller_throat_is_the_same_speech_played_faster(
    edge: SpeechSynthesizer, service: EdgeServer
) -> None:
    """So the service has to speak lower and slower, for pitch and pace to be those of the voice."""
    plain = edge.synthesize(TEXT, ARIA)
    small = edge.synthesize(TEXT, ARIA.model_copy(update={"formant": 1.25}))
    assert (service.asked[-1]["pitch"], service.asked[-1]["rate"]) == ("-41Hz", "-20%")
    assert small.duration == pytest.approx(plain.duration, rel=0.06)
    assert centroid(small) > 1.08 * centroid(plain)


def test_words_begin_when_they_are_heard_though_the_service_counts_from_elsewhere(
    edge: SpeechSynthesizer,
) -> None:
    """The service's clock is that of the sound before it became an MP3: 46 ms early."""
    truth = spoken(TEXT, 1.0)
    speech = edge.synthesize(TEXT, ARIA)
    known = np.array([word.start for word in truth.words])
    found = np.array([word.start for word in speech.words])
    # all of it may be moved: silence before the first sound is cut off
    error = (found - found[0]) - (known - known[0])
    assert np.median(np.abs(error)) < 0.015
    assert np.abs(error).max() < 0.06


def test_every_phoneme_is_found_in_the_sound(edge: SpeechSynthesizer) -> None:
    truth, speech = spoken(TEXT, 1.0), edge.synthesize(TEXT, ARIA)
    known = [p for p in truth.phonemes if p.symbol]
    found = [p for p in speech.phonemes if p.symbol]
    assert [p.symbol for p in found] == [p.symbol for p in known]
    error = np.array([a.start - b.start for a, b in zip(found, known, strict=True)])
    assert np.median(np.abs(error - np.median(error))) < 0.015


def test_a_service_that_names_its_words_in_another_way_is_timed_by_the_sound(
    edge: SpeechSynthesizer, service: EdgeServer
) -> None:
    service.mode = "unknown words"
    try:
        speech = edge.synthesize(TEXT, ARIA)
    finally:
        service.mode = "fine"
    expected = edge.synthesize(TEXT, ARIA)
    error = [a.start - b.start for a, b in zip(speech.words, expected.words, strict=True)]
    assert np.abs(error).max() < 0.03


@pytest.mark.parametrize(("mode", "said"), [
    ("forbidden", "refuses to speak \\(403\\)"),
    ("broken", "refuses to speak \\(503\\)"),
    ("silent", "sent no sound"),
    ("cut", "broke off|cannot be reached"),
    ("garbage", "cannot be understood"),
    ("noise", "not a sound|broke off"),
])  # fmt: skip
def test_what_goes_wrong_is_told_in_a_sentence(
    edge: SpeechSynthesizer, service: EdgeServer, mode: Mode, said: str
) -> None:
    service.mode = mode
    try:
        with pytest.raises(UnavailableError, match=said) as caught:
            edge.synthesize(TEXT, ARIA)
    finally:
        service.mode = "fine"
    assert str(caught.value).endswith(".")
    assert edge.synthesize("And it speaks again.", ARIA).words


def test_a_service_that_only_drips_is_given_up(service: EdgeServer) -> None:
    patient = EdgeSynthesizer(SpeechSettings(edge=EdgeSettings(timeout=1)), rehearser=rehearser())
    service.mode = "drip"
    try:
        with pytest.raises(UnavailableError, match="too long"):
            patient.synthesize(TEXT, ARIA)
    finally:
        service.mode = "fine"


def test_without_a_network_it_says_so(
    edge: SpeechSynthesizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"ws://127.0.0.1:{free.getsockname()[1]}/?x"
    monkeypatch.setattr("edge_tts.communicate.WSS_URL", address)
    with pytest.raises(UnavailableError, match="cannot be reached") as caught:
        edge.synthesize(TEXT, ARIA)
    assert caught.value.__cause__ is not None


async def test_it_may_be_called_where_an_event_loop_runs(edge: SpeechSynthesizer) -> None:
    assert asyncio.get_running_loop()
    assert edge.synthesize("Hello again.", ARIA).words


def test_a_preset_that_is_gone_still_speaks(edge: SpeechSynthesizer, service: EdgeServer) -> None:
    assert edge.synthesize("Hello.", Voice(engine="edge", preset="forgotten")).words
    assert "Multilingual" in service.asked[-1]["voice"]


def test_it_speaks_for_every_language_of_its_voices(edge: SpeechSynthesizer) -> None:
    known = edge.capabilities
    assert known.online
    assert {"en", "de", "fr", "es", "zh", "ja", "ru", "ar", "hi", "pt"} <= set(known.languages)


def centroid(speech: Speech) -> float:
    """The middle of the spectrum below 5 kHz, in Hz."""
    power = np.abs(np.fft.rfft(speech.samples)) ** 2
    hertz = np.fft.rfftfreq(len(speech.samples), 1 / speech.sample_rate)
    low = hertz < 5_000
    return float((power[low] * hertz[low]).sum() / power[low].sum())
