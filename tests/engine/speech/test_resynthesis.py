"""Finished sound in another voice: what changes, what stays, and what nothing does harm to."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.speech.base import Speech
from engine.speech.pitch import melody_of
from engine.speech.resynthesis import Shaping, resynthesize
from personas.persona import Voice
from tests.fakes.voice_service import hibari

RATE = 24_000
Samples = NDArray[np.float32]
TEXT = "Hello there, my friend. I love old poetry, and you should too."


@pytest.fixture(scope="module", params=["man", "woman"])
def speech(request: pytest.FixtureRequest) -> Speech:
    shape = {"pitch": 0.56, "formant": 0.86} if request.param == "man" else {}
    return hibari().synthesize(TEXT, Voice(engine="hibari", preset="", **shape))


def shaped(speech: Speech, **changes: object) -> Samples:
    return resynthesize(speech.samples, RATE, Shaping(**changes))  # type: ignore[arg-type]


def middle(samples: Samples) -> float:
    return melody_of(samples, RATE).middle


def spread(samples: Samples) -> float:
    """Of the melody, in octaves."""
    melody = melody_of(samples, RATE)
    voiced = np.log2(melody.hertz[melody.voiced])
    return float(np.quantile(voiced, 0.85) - np.quantile(voiced, 0.15))


def spectrum(samples: Samples) -> NDArray[np.float64]:
    """Long-term spectrum by third of an octave, in dB."""
    power = np.abs(np.fft.rfft(samples)) ** 2
    edges = (150 * 2 ** (np.arange(17) / 3) * len(samples) / RATE).astype(int)
    bands = np.add.reduceat(power, edges)[:-1]
    return np.asarray(10 * np.log10(bands / bands.sum()))


def throat(before: Samples, after: Samples) -> float:
    """By which ratio the resonances of one sound are higher than those of another."""
    fine = 48

    def envelope(samples: Samples) -> NDArray[np.float64]:
        power = np.abs(np.fft.rfft(samples)) ** 2
        edges = (250 * 2 ** (np.arange(4.6 * fine) / fine) * len(samples) / RATE).astype(int)
        bands = np.log(np.add.reduceat(power, edges)[:-1] / np.diff(edges))
        return np.diff(np.convolve(bands, np.hanning(fine // 2), mode="valid"))

    first, second = envelope(before), envelope(after)
    reach = fine * 2 // 3
    inside = second[reach:-reach]
    fits = {
        by: float(inside @ first[reach - by : len(first) - reach - by])
        for by in range(-reach, reach + 1)
    }
    return float(2 ** (max(fits, key=lambda by: fits[by]) / fine))


@pytest.mark.parametrize("pitch", [0.65, 1.5])
def test_pitch_moves_and_throat_and_length_stay(speech: Speech, pitch: float) -> None:
    samples = shaped(speech, pitch=pitch)
    assert middle(samples) == pytest.approx(middle(speech.samples) * pitch, rel=0.06)
    assert len(samples) == len(speech.samples)
    assert np.abs(spectrum(samples) - spectrum(speech.samples))[4:].mean() < 3.0


@pytest.mark.parametrize("formant", [0.75, 1.35])
def test_the_throat_changes_and_pitch_and_length_stay(speech: Speech, formant: float) -> None:
    samples = shaped(speech, formant=formant)
    assert middle(samples) == pytest.approx(middle(speech.samples), rel=0.06)
    assert len(samples) == pytest.approx(len(speech.samples), abs=RATE * 0.002)
    assert throat(speech.samples, samples) == pytest.approx(formant, rel=0.08)


@pytest.mark.parametrize("rate", [0.7, 1.4])
def test_pace_changes_evenly_and_pitch_stays(speech: Speech, rate: float) -> None:
    samples = shaped(speech, rate=rate)
    assert len(samples) == pytest.approx(len(speech.samples) / rate, rel=0.001)
    assert middle(samples) == pytest.approx(middle(speech.samples), rel=0.06)
    loud = np.abs(speech.samples) > 0.02
    first, last = np.flatnonzero(loud)[[0, -1]] / RATE
    loud = np.abs(samples) > 0.02
    assert np.flatnonzero(loud)[[0, -1]] / RATE == pytest.approx(
        [first / rate, last / rate], abs=0.03
    )


def test_the_melody_can_be_flat_or_lively(speech: Speech) -> None:
    flat, natural, lively = (spread(shaped(speech, range=r)) for r in (0.0, 1.0, 1.5))
    assert flat < 0.05
    assert flat < natural < lively


def test_breath_takes_the_tone_away(speech: Speech) -> None:
    def toned(samples: Samples) -> float:
        return float(melody_of(samples, RATE).voiced.mean())

    assert toned(shaped(speech, breath=1.0)) < 0.1 * toned(speech.samples)
    assert toned(shaped(speech, breath=0.3)) > 0.6 * toned(speech.samples)


@pytest.mark.parametrize("effect", ["tremor", "growl"])
def test_effects_change_the_sound_and_not_the_pitch(speech: Speech, effect: str) -> None:
    samples = shaped(speech, effect=effect)
    assert middle(samples) == pytest.approx(middle(speech.samples), rel=0.08)
    assert np.abs(samples - speech.samples).max() > 0.05
    again = shaped(speech, effect=effect)
    assert np.array_equal(samples, again)


def test_what_nobody_would_hear_is_not_done(speech: Speech) -> None:
    slight = {"pitch": 1.005, "range": 1.05, "breath": 0.02, "formant": 1.004, "rate": 1.004}
    assert shaped(speech, **slight) is speech.samples


@pytest.mark.parametrize("samples", [
    np.zeros(0, np.float32),
    np.zeros(RATE, np.float32),
    np.ones(30, np.float32),
    np.ones(RATE, np.float32),
    np.random.default_rng(0).standard_normal(RATE).astype(np.float32),
    np.eye(1, RATE, 100, dtype=np.float32)[0],
])  # fmt: skip
@pytest.mark.parametrize("shaping", [
    Shaping(pitch=3.9, formant=0.5, rate=2.4, range=2.0, breath=1.0, effect="growl"),
    Shaping(pitch=0.21, formant=2.4, rate=0.41, range=0.0, breath=0.5, effect="tremor"),
])  # fmt: skip
def test_any_sound_survives_any_shaping(samples: Samples, shaping: Shaping) -> None:
    result = resynthesize(samples, RATE, shaping)
    assert result.dtype == np.float32
    assert np.isfinite(result).all()
    if len(samples) == RATE:
        assert len(result) == pytest.approx(RATE / shaping.rate, rel=0.01)
