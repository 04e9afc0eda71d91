"""Loudness, files, settings and the bench."""

from __future__ import annotations

import dataclasses
import io
import json
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.speech.base import SpeechSynthesizer
from engine.speech.bench import bench_speech
from engine.speech.loudness import limit, loudness, normalise
from engine.speech.settings import SpeechSettings
from engine.speech.wav import wav_bytes, write_wav
from personas.persona import Voice
from personas.voices import VoiceCatalogue

RATE = 24_000


def tone(hertz: float, seconds: float = 1.0, level: float = 0.1) -> np.ndarray:
    time = np.arange(int(seconds * RATE)) / RATE
    return (level * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def test_loudness_is_close_to_the_standard() -> None:
    """A 997 Hz sine at full scale is -3.01 LUFS; bass counts less, presence more."""
    assert loudness(tone(997, level=1.0), RATE) == pytest.approx(-3.0, abs=0.8)
    assert loudness(tone(40), RATE) < loudness(tone(500), RATE) - 4
    assert loudness(tone(3_000), RATE) > loudness(tone(500), RATE) + 2


def test_pauses_do_not_count() -> None:
    speech = tone(300)
    paused = np.concatenate([speech, np.zeros(3 * RATE, np.float32), speech])
    assert loudness(paused, RATE) == pytest.approx(loudness(speech, RATE), abs=0.5)


@given(st.floats(0.001, 0.9), st.floats(-30, -12), st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_normalising_never_clips(level: float, target: float, seed: int) -> None:
    noise = np.random.default_rng(seed).standard_normal(RATE).astype(np.float32) * level
    noise[RATE // 2] = 1.0
    result = normalise(noise, RATE, target)
    assert np.abs(result).max() <= 10 ** (-1 / 20) + 1e-4
    assert result.dtype == np.float32


def test_silence_stays_silence() -> None:
    assert not normalise(np.zeros(RATE, np.float32), RATE, -18).any()
    assert len(normalise(np.zeros(0, np.float32), RATE, -18)) == 0


def test_the_limiter_leaves_quiet_sound_alone() -> None:
    assert np.array_equal(limit(tone(300), RATE), tone(300))


def test_a_wav_file_holds_what_was_said(hibari: SpeechSynthesizer, tmp_path: Path) -> None:
    speech = hibari.synthesize("Hello.", Voice(engine="hibari", preset="woman"))
    write_wav(tmp_path / "hello.wav", speech)
    assert (tmp_path / "hello.wav").read_bytes() == wav_bytes(speech)
    with wave.open(io.BytesIO(wav_bytes(speech))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 24_000)
        pcm = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32_767
    assert np.abs(pcm - speech.samples).max() < 1e-4


def test_a_voice_that_is_not_in_the_catalogue_still_speaks(hibari: SpeechSynthesizer) -> None:
    for preset, pitch, formant in (("unknown", 0.25, 0.45), ("", 3.9, 2.4)):
        voice = Voice(engine="hibari", preset=preset, pitch=pitch, formant=formant, breath=0.5)
        speech = hibari.synthesize("Good evening to you.", voice)
        assert np.isfinite(speech.samples).all()
        assert len(speech.words) == 4


def test_settings_are_checked_and_explained() -> None:
    for name, field in SpeechSettings.model_fields.items():
        assert field.description, name
    for wrong in ({"threads": 0}, {"max_seconds": 1}, {"engines": ["parrot"]}, {"speed": 2}):
        with pytest.raises(ValidationError):
            SpeechSettings.model_validate(wrong)


def test_the_bench_measures_each_voice(hibari: SpeechSynthesizer, voices: VoiceCatalogue) -> None:
    told: list[str] = []
    bench = bench_speech(
        hibari, voices, ["woman", "giant"], text="Hello. Bye.", progress=told.append
    )
    assert told == ["woman", "giant"] == [entry.voice for entry in bench.voices]
    assert all(entry.seconds > 0.5 and entry.real_time_factor > 0 for entry in bench.voices)
    assert json.loads(json.dumps(dataclasses.asdict(bench)))["engine"] == "hibari"
