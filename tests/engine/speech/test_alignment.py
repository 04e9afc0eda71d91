"""Timings made from the sound: against voices that know their own, and against nonsense."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.speech.alignment import Anchor, follow, place
from engine.speech.base import Speech
from engine.speech.letters import phonemes_of
from engine.speech.phonemes import Span
from engine.speech.rehearsal import Rehearsal
from engine.speech.text import SpokenSentence, speakable
from personas.persona import Voice
from tests.fakes.voice_service import hibari, rehearser

TEXT = (
    "Yesterday the farmer carried seven baskets of golden apples to the market; nobody wanted any, "
    "so everybody got one. Please stop, take a step back, and look at the past."
)
RATE = 24_000
Samples = NDArray[np.float32]


@pytest.fixture(scope="module")
def sentences() -> list[SpokenSentence]:
    return speakable(TEXT)


@pytest.fixture(scope="module")
def rehearsal(sentences: list[SpokenSentence]) -> Rehearsal:
    return rehearser().rehearse(sentences, "en", gender="male")


@pytest.fixture(scope="module")
def truth() -> Speech:
    """Somebody else: a girl, quicker, and her pitch and throat are far from a man's."""
    voice = Voice(engine="hibari", preset="", pitch=1.25, formant=1.1, rate=1.15, range=1.3)
    return hibari().synthesize(TEXT, voice)


@pytest.fixture(scope="module")
def uneven(truth: Speech) -> tuple[Samples, NDArray[np.float64]]:
    """Her speech on a tape that runs now faster and now slower, by a fifth; and when is when."""
    count = len(truth.samples)
    speed = 1 + 0.2 * np.sin(np.arange(count) / RATE * 2.3)
    at = np.cumsum(speed)
    at = at[at < count - 1]
    warped = np.interp(at, np.arange(count), truth.samples).astype(np.float32)
    return warped, np.interp(np.arange(count), at, np.arange(len(at))) / RATE


def starts(spans: list[Span]) -> NDArray[np.float64]:
    return np.array([span.start for span in spans if span.symbol])


def true_starts(truth: Speech, when: NDArray[np.float64]) -> NDArray[np.float64]:
    own = [int(phoneme.start * RATE) for phoneme in truth.phonemes if phoneme.symbol]
    return when[own]


def anchors(
    truth: Speech, rehearsal: Rehearsal, when: NDArray[np.float64], lag: float
) -> list[Anchor]:
    return [
        Anchor(word, when[int(said.start * RATE)] + lag, when[int(said.end * RATE)] + lag)
        for word, said in zip(rehearsal.texts, truth.words, strict=True)
    ]


def test_phonemes_follow_another_voice_through_an_uneven_pace(
    rehearsal: Rehearsal, truth: Speech, uneven: tuple[Samples, NDArray[np.float64]]
) -> None:
    samples, when = uneven
    assert rehearsal.samples is not None
    found = follow(samples, RATE, rehearsal.samples, rehearsal.sample_rate, rehearsal.spans)
    error = np.abs(starts(found) - true_starts(truth, when))
    assert np.median(error) <= 0.012
    assert np.quantile(error, 0.95) <= 0.05


@pytest.mark.parametrize("lag", [-0.1, -0.046, 0.0, 0.08])
def test_a_service_whose_clock_is_off_is_corrected(
    lag: float,
    rehearsal: Rehearsal,
    truth: Speech,
    uneven: tuple[Samples, NDArray[np.float64]],
) -> None:
    samples, when = uneven
    told = anchors(truth, rehearsal, when, lag)
    assert rehearsal.samples is not None
    found = follow(samples, RATE, rehearsal.samples, rehearsal.sample_rate, rehearsal.spans, told)
    error = np.abs(starts(found) - true_starts(truth, when))
    assert np.median(error) <= 0.012
    alone = place(samples, RATE, rehearsal.spans, told)
    error = np.abs(starts(alone) - true_starts(truth, when))
    assert np.median(error) <= 0.03


def test_phonemes_are_placed_where_nobody_can_say_the_words(
    rehearsal: Rehearsal, truth: Speech, uneven: tuple[Samples, NDArray[np.float64]]
) -> None:
    samples, when = uneven
    found = place(samples, RATE, rehearsal.spans)
    error = np.abs(starts(found) - true_starts(truth, when))
    assert np.median(error) <= 0.04


@pytest.mark.parametrize("rehearsed", [True, False])
def test_words_begin_when_a_machine_of_another_make_says_they_do(
    rehearsed: bool, sentences: list[SpokenSentence], rehearsal: Rehearsal
) -> None:
    """Nothing in eSpeak is related to the voice that rehearses, but its clock is exact."""
    pytest.importorskip("espeakng_loader")
    from engine.speech.espeak import EspeakReader

    reader = EspeakReader()
    said = reader.read(" ".join(s.spoken for s in sentences), reader.speaker("en-us", "en-US"))
    known: dict[int | None, float] = {}
    for span in said.pronounced.spans:
        if span.symbol:
            known.setdefault(span.word, span.start)
    if rehearsed:
        assert rehearsal.samples is not None
        spans = follow(
            said.samples,
            said.sample_rate,
            rehearsal.samples,
            rehearsal.sample_rate,
            rehearsal.spans,
        )
    else:
        spans = place(said.samples, said.sample_rate, rehearsal.spans)
    found: dict[int | None, float] = {}
    for span in spans:
        if span.symbol:
            found.setdefault(span.word, span.start)
    assert len(found) == len(known)
    error = np.abs(np.array(list(found.values())) - np.array(list(known.values())))
    assert np.median(error) <= 0.03
    assert np.quantile(error, 0.9) <= 0.1


@pytest.mark.parametrize(("language", "text"), [
    ("de", "Guten Morgen, mein Freund. Das Wetter ist heute besonders schön."),
    ("es", "Buenos días, amigo mío. El tiempo está muy bonito esta mañana."),
    ("fr", "Bonjour, mon ami. Le temps est vraiment magnifique ce matin."),
    ("ru", "Доброе утро, мой друг. Сегодня очень хорошая погода."),
])  # fmt: skip
def test_other_languages_are_rehearsed_by_a_machine(language: str, text: str) -> None:
    """A woman, slower, told by what a man rehearsed."""
    pytest.importorskip("espeakng_loader")
    from engine.speech.espeak import EspeakReader

    sentences = speakable(text, language=language)
    rehearsal = rehearser().rehearse(sentences, language, gender="male")
    reader = EspeakReader()
    voice = Voice(engine="espeak", preset="", rate=0.85, pitch=1.3)
    said = reader.read(" ".join(s.spoken for s in sentences), reader.speaker("f3", language), voice)
    assert rehearsal.samples is not None
    found = follow(
        said.samples, said.sample_rate, rehearsal.samples, rehearsal.sample_rate, rehearsal.spans
    )
    known = starts(list(said.pronounced.spans))
    assert len(known) == len(starts(found))
    assert np.median(np.abs(starts(found) - known)) <= 0.03


def test_a_long_silence_between_words_is_a_pause(rehearsal: Rehearsal, truth: Speech) -> None:
    end = next(word.end for word in truth.words if word.text == "golden")
    at = int(end * RATE)
    silence = np.zeros(RATE // 2, np.float32)
    samples = np.concatenate([truth.samples[:at], silence, truth.samples[at:]])
    assert rehearsal.samples is not None
    found = follow(samples, RATE, rehearsal.samples, rehearsal.sample_rate, rehearsal.spans)
    pauses = [span for span in found if span.is_pause and span.end - span.start > 0.4]
    assert any(abs(pause.start - end) < 0.06 for pause in pauses)
    for before, after in itertools.pairwise(found):
        assert before.start <= before.end <= after.start + 1e-9


@pytest.mark.parametrize("samples", [
    np.zeros(0, np.float32),
    np.zeros(RATE, np.float32),
    np.ones(40, np.float32),
    np.random.default_rng(0).standard_normal(RATE // 10).astype(np.float32),
    np.random.default_rng(0).standard_normal(3 * RATE).astype(np.float32),
    np.eye(1, RATE, 100, dtype=np.float32)[0],
])  # fmt: skip
def test_what_is_no_speech_gets_times_in_order_and_no_error(
    samples: Samples, rehearsal: Rehearsal
) -> None:
    assert rehearsal.samples is not None
    wild = [Anchor(3, 9.0, 1.0), Anchor(1, -5.0, 99.0), Anchor(10_000, 0.0, 0.0)]
    for told in ([], wild):
        for found in (
            follow(samples, RATE, rehearsal.samples, rehearsal.sample_rate, rehearsal.spans, told),
            place(samples, RATE, rehearsal.spans, told),
        ):
            own = [span for span in found if span.symbol]
            assert len(own) == len(rehearsal.spans)
            assert all(a.start <= b.start + 1e-9 for a, b in itertools.pairwise(own))


@pytest.mark.parametrize(("word", "sounds"), [
    ("schön", "ʃ o n"),
    ("Шёпот", "ʃ e p o t"),
    ("γάτα", "ɣ a t a"),
    ("にほんご", "n i h o n ɡ o"),
    ("안녕", "a n i e o n ɡ"),
    ("नमस्ते", "n a m a s t e"),
    ("שלום", "s l v m"),
    ("中文", "t a t a"),
    ("…", ""),
    ("", ""),
])  # fmt: skip
def test_letters_of_any_script_move_a_mouth(word: str, sounds: str) -> None:
    assert phonemes_of(word) == sounds.split()
