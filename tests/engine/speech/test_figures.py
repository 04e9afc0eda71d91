"""The figures of a voice: they are what they are said to be."""

from __future__ import annotations

import re

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.speech.base import SpeechSynthesizer
from engine.speech.figures import (
    SENTENCES,
    figures_of,
    formants,
    plain_voice,
    plain_words,
    word_errors,
)
from personas.voices import VoiceCatalogue

RATE = 24_000


def vowel(pitch: float, resonances: tuple[float, ...], seconds: float = 0.6) -> NDArray[np.float32]:
    """A pulse train through resonances."""
    sound = np.zeros(int(RATE * seconds))
    sound[:: round(RATE / pitch)] = 1.0
    for hertz in resonances:
        decay = np.exp(-np.pi * 80.0 / RATE)
        turn = 2 * decay * np.cos(2 * np.pi * hertz / RATE)
        before = earlier = 0.0
        for index, value in enumerate(sound):
            before, earlier = value + turn * before - decay**2 * earlier, before
            sound[index] = before
    return (sound / np.abs(sound).max()).astype(np.float32)


@pytest.mark.parametrize(
    ("pitch", "resonances"),
    [
        (80.0, (500.0, 1_400.0, 2_400.0, 3_400.0)),
        (120.0, (700.0, 1_100.0, 2_500.0, 3_500.0)),
        (210.0, (600.0, 1_900.0, 3_000.0, 4_100.0)),
    ],
)
def test_formants_are_found_where_they_are(pitch: float, resonances: tuple[float, ...]) -> None:
    found = np.median(formants(vowel(pitch, resonances), RATE, pitch), axis=0)
    assert np.abs(found / resonances[:3] - 1).max() < 0.08


def test_silence_has_no_formants() -> None:
    assert formants(np.zeros(RATE, np.float32), RATE).shape == (0, 3)
    assert formants(np.zeros(10, np.float32), RATE).shape == (0, 3)


@pytest.mark.parametrize(
    ("said", "heard", "errors"),
    [
        ("one two three", "one two three", 0),
        ("one two three", "one too three", 1),
        ("one two three", "two three", 1),
        ("one two three", "oh one two three four", 2),
        ("one two three", "", 3),
        ("", "what", 1),
    ],
)
def test_words_that_were_misunderstood_are_counted(said: str, heard: str, errors: int) -> None:
    assert word_errors(said.split(), heard.split()) == errors


def test_there_are_twenty_sentences_without_names_and_numbers() -> None:
    assert len(set(SENTENCES)) == 20
    for sentence in SENTENCES:
        assert not re.search(r"\d", sentence)
        inner = [word for word in sentence.split()[1:] if word[:1].isupper()]
        assert set(inner) <= {"I"}, sentence


def test_a_voice_is_measured(hibari: SpeechSynthesizer, voices: VoiceCatalogue) -> None:
    heard: list[float] = []

    def hear(samples: NDArray[np.float32], rate: int) -> str:
        heard.append(len(samples) / rate)
        return " ".join(SENTENCES[:2]).replace("cups", "cubs")

    man = figures_of(hibari, voices.get("man"), SENTENCES[:2], hear)
    assert man.hertz == pytest.approx(195 * plain_voice(voices.get("man")).pitch, rel=0.08)
    assert man.formants[0] < man.formants[1] < man.formants[2]
    assert man.word_error == pytest.approx(1 / len(plain_words(" ".join(SENTENCES[:2]))), abs=1e-3)
    assert len(heard) == 1, "several sentences are heard at once"
    whisper = figures_of(hibari, voices.get("whisper"), SENTENCES[:1])
    assert whisper.hertz is None
    assert whisper.word_error is None
