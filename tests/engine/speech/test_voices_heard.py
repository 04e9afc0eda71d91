"""The shaped voices as they are heard: understood, distinct, and what each one claims to be."""

from __future__ import annotations

import itertools

import jiwer
import numpy as np
import pytest
from numpy.typing import NDArray

from engine.speech.base import Speech, SpeechSynthesizer
from engine.speech.espeak import EspeakSynthesizer
from engine.speech.loudness import loudness
from engine.speech.settings import SpeechSettings
from personas.voices import VoiceCatalogue, load_voices
from tests.engine.speech.conftest import Listener, plain, plain_voice

NAMES = tuple(one.name for one in load_voices().presets() if one.engine == "hibari")
SENTENCES = (
    "Please bring me three cups of tea and a slice of chocolate cake.",
    "The quick brown fox jumps over the lazy dog near the river.",
    "It was a dark and stormy night, and the ship could not find the harbor.",
    "We walked along the beach until the sun went down behind the hills.",
)
SHORT = "Hello there, my friend. I love old poetry, and you should too."


@pytest.fixture(scope="module")
def spoken(hibari: SpeechSynthesizer, voices: VoiceCatalogue) -> dict[str, Speech]:
    return {name: hibari.synthesize(SHORT, plain_voice(voices.get(name))) for name in NAMES}


@pytest.fixture(scope="module")
def mechanical(voices: VoiceCatalogue) -> dict[str, Speech]:
    """The English voices of eSpeak."""
    espeak = EspeakSynthesizer(SpeechSettings(max_seconds=20), voices)
    presets = [one for one in voices.speaking("en") if one.engine == "espeak"]
    return {one.name: espeak.synthesize(SHORT, plain_voice(one)) for one in presets}


@pytest.fixture(scope="module")
def heard(
    hibari: SpeechSynthesizer, voices: VoiceCatalogue, listener: Listener
) -> dict[str, tuple[str, str]]:
    """For each voice what it said and what was heard; a few voices a listening, to save time."""
    said = {
        name: hibari.synthesize(SENTENCES[n % len(SENTENCES)], plain_voice(voices.get(name)))
        for n, name in enumerate(NAMES)
    }
    result: dict[str, tuple[str, str]] = {}
    for start in range(0, len(NAMES), len(SENTENCES)):
        group = {name: said[name] for name in NAMES[start : start + len(SENTENCES)]}
        ends = np.cumsum([speech.duration for speech in group.values()])
        joined = np.concatenate([speech.samples for speech in group.values()])
        words = listener.hear(joined, 24_000)
        for (name, speech), end in zip(group.items(), ends, strict=True):
            own = [w for w, at, till in words if end - speech.duration <= (at + till) / 2 < end]
            result[name] = (plain(speech.text), " ".join(own))
    return result


@pytest.mark.parametrize("name", NAMES)
def test_every_voice_is_understood(name: str, heard: dict[str, tuple[str, str]]) -> None:
    said, understood = heard[name]
    assert jiwer.wer(said, understood) <= 0.1


def test_every_voice_is_equally_loud(spoken: dict[str, Speech]) -> None:
    for name, speech in spoken.items():
        assert loudness(speech.samples, speech.sample_rate) == pytest.approx(-18, abs=1.2), name
        assert np.abs(speech.samples).max() <= 0.9, name


def test_no_voice_clicks(spoken: dict[str, Speech]) -> None:
    """A click is one sample that leaps far beyond what the sound around it does."""
    for name, speech in spoken.items():
        leaps = np.abs(np.diff(speech.samples, n=2))
        around = np.convolve(leaps, np.ones(240) / 240, mode="same")
        assert (leaps < 30 * around + 0.05).all(), name


def test_every_two_voices_differ(spoken: dict[str, Speech]) -> None:
    """In pitch by a semitone, in the shape of the spectrum, or in how periodic they are."""
    for pair, (semitones, shape, _) in apart(spoken).items():
        assert semitones > 1.0 or shape > 1.5, (pair, semitones, shape)


def test_every_two_mechanical_voices_differ(mechanical: dict[str, Speech]) -> None:
    """They are bent less, so what little they differ in pitch, spectrum and pace is added up."""
    for pair, (semitones, shape, pace) in apart(mechanical).items():
        assert semitones + shape / 1.5 + pace / 0.1 > 1.2, (pair, semitones, shape, pace)


def apart(spoken: dict[str, Speech]) -> dict[tuple[str, str], tuple[float, float, float]]:
    """How far every two are: semitones, dB of a third of an octave, and the log of the pace."""
    measured = {
        name: (pitch(speech), spectrum(speech), speech.duration) for name, speech in spoken.items()
    }
    found = {}
    for a, b in itertools.combinations(measured, 2):
        (high, bright, long), (low, dark, short) = measured[a], measured[b]
        found[a, b] = (
            float(abs(12 * np.log2(high / low))),
            float(np.abs(bright - dark).mean()),
            float(abs(np.log(long / short))),
        )
    return found


@pytest.mark.parametrize(("high", "low"), [
    ("tiny", "child"), ("child", "woman"), ("woman", "lady"), ("lady", "man"),
    ("man", "narrator"), ("narrator", "giant"), ("girl", "woman"), ("youth", "man"),
])  # fmt: skip
def test_pitch_is_as_the_names_say(
    high: str, low: str, hibari: SpeechSynthesizer, voices: VoiceCatalogue
) -> None:
    flat = [
        pitch(hibari.synthesize(SHORT, plain_voice(voices.get(name), range=0.0)))
        for name in (high, low)
    ]
    assert flat[0] > 1.1 * flat[1]


@pytest.mark.parametrize("ratio", [0.36, 0.5, 0.8, 1.3, 1.9])
def test_pitch_follows_its_ratio_without_jumping_an_octave(
    ratio: float, hibari: SpeechSynthesizer, voices: VoiceCatalogue
) -> None:
    voice = plain_voice(voices.get("woman"), pitch=ratio, range=0.0)
    contour = contour_of(hibari.synthesize(SHORT, voice))
    near = np.abs(contour / (195 * ratio) - 1) < 0.05
    assert near.mean() > 0.8, np.median(contour)


def test_a_robot_has_no_melody_and_a_lively_voice_much(
    hibari: SpeechSynthesizer, voices: VoiceCatalogue
) -> None:
    def spread(extent: float) -> float:
        speech = hibari.synthesize(SHORT, plain_voice(voices.get("woman"), range=extent))
        contour = np.log2(contour_of(speech))
        return float(np.quantile(contour, 0.85) - np.quantile(contour, 0.15))

    flat, natural, lively = spread(0.0), spread(1.0), spread(1.6)
    assert flat < 0.03
    assert flat < natural < lively


def test_a_whisper_has_no_tone(spoken: dict[str, Speech]) -> None:
    assert periodicity(spoken["whisper"]) < 0.55 * periodicity(spoken["woman"])
    assert periodicity(spoken["ghost"]) < periodicity(spoken["lady"])


def test_rate_changes_the_length(hibari: SpeechSynthesizer, voices: VoiceCatalogue) -> None:
    preset = voices.get("man")
    lengths = [
        hibari.synthesize(SHORT, plain_voice(preset, rate=rate)).duration
        for rate in (0.7, 1.0, 1.4)
    ]
    assert lengths[0] > 1.2 * lengths[1] > 1.4 * lengths[2]


def test_two_personas_with_one_preset_are_kin_but_not_the_same(
    hibari: SpeechSynthesizer, voices: VoiceCatalogue, spoken: dict[str, Speech]
) -> None:
    cast = [hibari.synthesize(SHORT, voices.cast("woman", seed)) for seed in (1, 2, 3)]
    for a, b in itertools.combinations(cast, 2):
        assert not np.array_equal(a.samples, b.samples)
        assert abs(12 * np.log2(pitch(a) / pitch(b))) < 3.5
    far = float(np.abs(spectrum(cast[0]) - spectrum(spoken["giant"])).mean())
    for speech in cast:
        assert float(np.abs(spectrum(speech) - spectrum(spoken["woman"])).mean()) < far


def contour_of(speech: Speech) -> NDArray[np.float64]:
    """Pitch of the voiced frames in Hz, by autocorrelation of the sound."""
    return np.array([hertz for hertz, strength in _periods(speech) if strength > 0.6])


def pitch(speech: Speech) -> float:
    contour = contour_of(speech)
    return float(np.median(contour)) if len(contour) else 1.0


def periodicity(speech: Speech) -> float:
    return float(np.median([strength for _, strength in _periods(speech)]))


def _periods(speech: Speech) -> list[tuple[float, float]]:
    size, rate = 1_600, speech.sample_rate
    window = np.hanning(size)
    frames = np.lib.stride_tricks.sliding_window_view(speech.samples, size)[::480]
    power = (frames**2).mean(axis=1)
    frames = frames[power > 0.1 * power.max()] * window
    own = np.fft.irfft(np.abs(np.fft.rfft(window, 4 * size)) ** 2)
    spectra = np.abs(np.fft.rfft(frames, 4 * size, axis=1)) ** 2
    # below the second formant the overtones say what the pitch is
    spectra[:, int(900 * 4 * size / rate) :] = 0
    correlation = np.fft.irfft(spectra, axis=1)[:, :600] / own[:600]
    correlation /= correlation[:, :1]
    first, last = rate // 600, min(599, rate // 52)
    found = []
    for row in correlation:
        inside = row[first:last]
        peaks = np.flatnonzero((inside[1:-1] >= inside[:-2]) & (inside[1:-1] >= inside[2:])) + 1
        good = [peak for peak in peaks if inside[peak] > 0.9 * inside.max()]
        if good:
            found.append((rate / (first + good[0]), float(inside[good[0]])))
    return found


def spectrum(speech: Speech) -> NDArray[np.float64]:
    """The long-term spectrum in dB, smoothed over a third of an octave, at equal power."""
    size = 2_048
    frames = np.lib.stride_tricks.sliding_window_view(speech.samples, size)[::512]
    power = (np.abs(np.fft.rfft(frames * np.hanning(size), axis=1)) ** 2).mean(axis=0)
    edges = 120 * 2 ** (np.arange(19) / 3) * size / speech.sample_rate
    bands = [power[int(a) : int(b) + 1].mean() for a, b in itertools.pairwise(edges)]
    return np.asarray(10 * np.log10(np.array(bands) / np.sum(bands)), np.float64)
