"""Mouths that say what is heard."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from engine.speech.base import Speech, TimedPhoneme
from engine.talkinghead.visemes import MUSCLES, VISEMES, clean_phonemes, mouth_tracks, visemes_of
from engine.talkinghead.voice import measure_loudness
from tests.engine.talkinghead.speeches import RATE, speech

FPS = 25


def tracks(said: Speech, fps: int = FPS) -> dict[str, np.ndarray]:
    times = ((np.arange(max(1, round(said.duration * fps))) + 0.5) / fps).astype(np.float32)
    values = mouth_tracks(said, measure_loudness(said.samples, RATE), times)
    assert values.shape == (len(times), len(MUSCLES))
    assert np.isfinite(values).all()
    return dict(zip(MUSCLES, values.T, strict=True))


def test_there_are_many_visemes_and_no_two_alike() -> None:
    assert len(VISEMES) >= 12
    assert len(set(VISEMES.values())) == len(VISEMES)


@pytest.mark.parametrize("symbol", list("æɑɒɔəɚɛɜiɪuʊʌbdfhjklmnpstvwzðŋɡɹɾʃʒθ"))
def test_every_english_sound_is_known(symbol: str) -> None:
    assert visemes_of(symbol) != ("rest",)
    assert visemes_of(symbol) == visemes_of(symbol + "ː")


@pytest.mark.parametrize(
    ("symbol", "expected"),
    [
        ("", ("rest",)),
        ("  ", ("rest",)),
        ("aɪ", ("aa", "ih")),
        ("oʊ", ("oh", "uh")),
        ("tʃ", ("ch",)),
        ("dʒ", ("ch",)),
        ("ˈuː", ("oo",)),
        ("ɑ̃", ("aa",)),
        ("ç", ("yy",)),
        ("?!", ("ah",)),
        ("漢", ("ah",)),
        ("x" * 9000, ("kk", "kk")),
    ],
)
def test_diphthongs_marks_and_the_unknown(symbol: str, expected: tuple[str, ...]) -> None:
    assert visemes_of(symbol) == expected


@pytest.mark.parametrize("closure", ["p", "b", "m"])
@pytest.mark.parametrize("length", [0.02, 0.05, 0.12])
@pytest.mark.parametrize("start", [0.5, 0.513, 0.527])
def test_lips_close_on_p_b_and_m_however_short(closure: str, length: float, start: float) -> None:
    mouth = tracks(speech(("", 0.2), ("ɑ", start), (closure, length), ("ɑ", 0.5), ("", 0.2)))
    at = round((0.2 + start + length / 2) * FPS)
    assert mouth["press"][at - 2 : at + 2].max() > 0.99
    assert mouth["jaw"][at - 2 : at + 2].min() < 0.01
    assert mouth["jaw"][at - 6] > 0.4
    assert mouth["jaw"][at + 5] > 0.4


@pytest.mark.parametrize("sound", ["f", "v"])
def test_teeth_touch_the_lip_on_f_and_v(sound: str) -> None:
    mouth = tracks(speech(("", 0.2), ("ɑ", 0.3), (sound, 0.08), ("ɑ", 0.3), ("", 0.2)))
    assert mouth["teeth"].argmax() in (12, 13)
    assert mouth["teeth"].max() > 0.9
    assert mouth["jaw"][mouth["teeth"].argmax()] < 0.25


def test_silence_closes_the_mouth() -> None:
    mouth = tracks(speech(("", 0.4), ("ɑ", 0.4), ("", 0.5), ("ɑ", 0.4), ("", 0.4)))
    for start, end in ((0.0, 0.28), (0.93, 1.2), (1.85, 2.1)):
        during = slice(round(start * FPS), round(end * FPS))
        for muscle in MUSCLES:
            assert np.abs(mouth[muscle][during]).max() < 0.06, muscle


def test_lips_shape_vowels() -> None:
    def middle(symbol: str) -> dict[str, float]:
        mouth = tracks(speech(("", 0.2), (symbol, 0.4), ("", 0.2)))
        return {muscle: float(track[len(track) // 2]) for muscle, track in mouth.items()}

    assert middle("ɑ")["jaw"] > middle("ɛ")["jaw"] > middle("i")["jaw"] > 0.1
    assert middle("i")["wide"] > 0.7
    assert middle("u")["pucker"] > 0.7
    assert middle("u")["wide"] < -0.6


def test_lips_are_ahead_of_the_sound_by_no_more_than_a_frame_or_two() -> None:
    mouth = tracks(speech(("", 0.5), ("ɑ", 0.5), ("", 0.5)), fps=200)
    half = mouth["jaw"].max() / 2
    opens = float(np.argmax(mouth["jaw"] > half)) / 200
    assert 0.42 < opens < 0.49


def test_rounding_is_heard_of_before_it_is_heard() -> None:
    plain = tracks(speech(("", 0.2), ("t", 0.1), ("ɑ", 0.3), ("", 0.2)))
    round_ = tracks(speech(("", 0.2), ("t", 0.1), ("u", 0.3), ("", 0.2)))
    during_t = round(0.25 * FPS)
    assert round_["pucker"][during_t] > plain["pucker"][during_t] + 0.15


def test_a_diphthong_moves() -> None:
    mouth = tracks(speech(("", 0.2), ("aɪ", 0.3), ("", 0.2)))
    early, late = round(0.24 * FPS), round(0.42 * FPS)
    assert mouth["jaw"][early] > mouth["jaw"][late] + 0.1
    assert mouth["wide"][late] > mouth["wide"][early] + 0.1


def test_stress_and_loudness_open_vowels_wider() -> None:
    def jaw(said: Speech) -> float:
        return float(tracks(said)["jaw"].max())

    plain = speech(("", 0.1), ("ɛ", 0.3), ("", 0.1))
    stressed = speech(("", 0.1), ("ɛ", 0.3), ("", 0.1), stressed="ɛ")
    assert jaw(stressed) > 1.1 * jaw(plain)
    two = speech(("", 0.1), ("ɛ", 0.3), ("", 0.3), ("ɛ", 0.3), ("", 0.1))
    samples = two.samples.copy()
    samples[: int(0.5 * RATE)] *= 0.15
    soft = tracks(Speech(samples, RATE, two.phonemes, (), ""))["jaw"]
    assert soft[: round(0.5 * FPS)].max() < 0.85 * soft[round(0.5 * FPS) :].max()


def test_a_voice_without_phonemes_moves_the_mouth_by_its_loudness() -> None:
    said = speech(("", 0.4), ("ɑ", 0.6), ("", 0.4))
    mouth = tracks(Speech(said.samples, RATE, (), (), ""))
    assert mouth["jaw"][round(0.7 * FPS)] > 0.3
    assert mouth["jaw"][:7].max() == 0


def test_times_that_make_no_sense_are_put_in_order() -> None:
    nan, inf = float("nan"), float("inf")
    said = speech(("ɑ", 1.0))
    muddle = (
        TimedPhoneme("b", 0.6, 0.9),
        TimedPhoneme("a", 0.0, 0.7),
        TimedPhoneme("k", nan, 0.5),
        TimedPhoneme("k", 0.1, inf),
        TimedPhoneme("t", 0.5, 0.2),
        TimedPhoneme("s", 0.95, 7.0),
        TimedPhoneme("n", -3.0, 0.01),
        TimedPhoneme("n", 50.0, 60.0),
    )
    kept = clean_phonemes(Speech(said.samples, RATE, muddle, (), ""))
    assert [p.symbol for p in kept] == ["a", "b", "s"]
    assert all(0 <= p.start < p.end <= 1.0 for p in kept)
    assert all(a.end <= b.start for a, b in pairwise(kept))
    tracks(Speech(said.samples, RATE, muddle, (), ""))
