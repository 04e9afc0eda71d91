"""The same speech asked twice is made once."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from engine.observing import Observer
from engine.speech.base import Cue, Speech, TimedPhoneme, TimedWord
from engine.speech.cache import (
    CachedSynthesizer,
    SpeechCache,
    speech_from_bytes,
    speech_to_bytes,
)
from personas.errors import InvalidInputError
from personas.persona import Voice
from tests.fakes.speech import HummingSynthesizer

VOICE = Voice(engine="hum", preset="woman")
LARGE = 10_000_000


def speech(seconds: float = 0.1, text: str = "Hello.") -> Speech:
    samples = (0.5 * np.sin(np.arange(int(8_000 * seconds)) / 9)).astype(np.float32)
    return Speech(
        samples=samples,
        sample_rate=8_000,
        phonemes=(TimedPhoneme("h", 0.0, 0.05), TimedPhoneme("ə", 0.05, seconds, stressed=True)),
        words=(TimedWord("Hello", 0.0, seconds),),
        text=text,
        cues=(Cue("smiles", 0.02),),
    )


def cached(cache: SpeechCache, identity: str = "1") -> tuple[CachedSynthesizer, HummingSynthesizer]:
    inner = HummingSynthesizer()
    return CachedSynthesizer(inner, cache, lambda voice: identity), inner


def test_it_is_told_what_was_found(tmp_path: Path) -> None:
    told: list[bool] = []

    class Listening(Observer):
        def looked_up(self, cache: str, found: bool) -> None:
            assert cache == "speech"
            told.append(found)

    for _ in range(2):  # the second one finds it in the folder
        synthesizer, _inner = cached(SpeechCache(LARGE, tmp_path, LARGE, observer=Listening()))
        for _ in range(2):
            synthesizer.synthesize("Hello there.", VOICE)
    assert told == [False, True, True, True]


def test_what_was_said_is_not_made_again() -> None:
    synthesizer, inner = cached(SpeechCache(LARGE))
    first = synthesizer.synthesize("Hello there.", VOICE)
    assert synthesizer.synthesize("Hello there.", VOICE) is first
    assert inner.spoken == ["Hello there."]


@pytest.mark.parametrize(
    ("text", "voice", "identity"),
    [
        ("Hello, there.", VOICE, "1"),
        ("Hello there.", VOICE.model_copy(update={"pitch": 1.01}), "1"),
        ("Hello there.", VOICE.model_copy(update={"preset": "man"}), "1"),
        ("Hello there.", VOICE, "a newer version, other settings, another speaker"),
    ],
)
def test_all_that_changes_the_sound_makes_it_another_speech(
    text: str, voice: Voice, identity: str
) -> None:
    cache = SpeechCache(LARGE)
    cached(cache)[0].synthesize("Hello there.", VOICE)
    synthesizer, inner = cached(cache, identity)
    synthesizer.synthesize(text, voice)
    assert inner.spoken == [text]


def test_nobody_can_change_what_all_share() -> None:
    synthesizer, _ = cached(SpeechCache(LARGE))
    samples = synthesizer.synthesize("Hello there.", VOICE).samples
    with pytest.raises(ValueError, match="read-only"):
        samples[0] = 1.0


def test_two_who_ask_at_the_same_time_wait_for_one() -> None:
    cache, made, results = SpeechCache(LARGE), [], []
    started, go_on = threading.Event(), threading.Event()

    def make() -> Speech:
        made.append(1)
        started.set()
        assert go_on.wait(10)
        return speech()

    def ask() -> None:
        results.append(cache.once("key", make))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    threads[0].start()
    assert started.wait(10)
    for thread in threads[1:]:
        thread.start()
    time.sleep(0.02)
    go_on.set()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert len({id(result) for result in results}) == 1


def test_who_waits_gets_the_same_error_and_the_next_one_tries_again() -> None:
    synthesizer, inner = cached(SpeechCache(LARGE))
    inner.failures.append(InvalidInputError("There is nothing to say."))
    with pytest.raises(InvalidInputError):
        synthesizer.synthesize("Hello there.", VOICE)
    assert synthesizer.synthesize("Hello there.", VOICE).words


def test_memory_stays_within_its_bytes_and_the_oldest_goes_first() -> None:
    one = speech(1.0)
    cache, made = SpeechCache(3 * (one.samples.nbytes + 2_000)), []

    def ask(key: str) -> None:
        cache.once(key, lambda: made.append(key) or speech(1.0))  # type: ignore[func-returns-value]

    for key in ("a", "b", "c", "a", "d", "a", "c"):
        ask(key)
    assert made == ["a", "b", "c", "d"]
    ask("b")
    assert made[-1] == "b", "it was used least lately, so it was given up"


def test_nothing_is_kept_where_nothing_may_be() -> None:
    synthesizer, inner = cached(SpeechCache(0))
    for _ in range(2):
        synthesizer.synthesize("Hello there.", VOICE)
    assert len(inner.spoken) == 2


# -- the folder


def test_a_folder_keeps_speeches_for_the_next_process(tmp_path: Path) -> None:
    first, _ = cached(SpeechCache(LARGE, tmp_path, LARGE))
    said = first.synthesize("Hello there.", VOICE)
    second, inner = cached(SpeechCache(LARGE, tmp_path, LARGE))
    again = second.synthesize("Hello there.", VOICE)
    assert inner.spoken == []
    assert np.abs(again.samples - said.samples).max() < 1e-4
    assert (again.phonemes, again.words, again.text) == (said.phonemes, said.words, said.text)


def test_a_speech_survives_being_written_and_read() -> None:
    one = speech()
    again = speech_from_bytes(speech_to_bytes(one))
    assert again.cues == one.cues
    assert again.phonemes[1].stressed
    assert again.samples.dtype == np.float32
    assert again.sample_rate == 8_000


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"RIFF" + data,
        lambda data: data[: len(data) // 2],
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: data.replace(b'"words"', b'"wordz"'),
        lambda data: b"speech1\n[1, 2]\n",
        lambda data: b"speech1\nnull\nxx",
    ],
)
def test_a_damaged_file_counts_as_missing(tmp_path: Path, damage: object) -> None:
    cached(SpeechCache(LARGE, tmp_path, LARGE))[0].synthesize("Hello there.", VOICE)
    (file,) = tmp_path.glob("*/*")
    file.write_bytes(damage(file.read_bytes()))  # type: ignore[operator]
    synthesizer, inner = cached(SpeechCache(LARGE, tmp_path, LARGE))
    assert synthesizer.synthesize("Hello there.", VOICE).words
    assert inner.spoken == ["Hello there."]
    assert speech_from_bytes(file.read_bytes()).words, "and it is whole again"


def test_the_folder_stays_within_its_bytes(tmp_path: Path) -> None:
    size = len(speech_to_bytes(speech(1.0)))
    cache = SpeechCache(0, tmp_path, 4 * size)
    for number in range(12):
        cache.once(f"{number:04}", lambda: speech(1.0))
    files = list(tmp_path.glob("*/*"))
    assert sum(file.stat().st_size for file in files) <= 4 * size
    assert tmp_path.joinpath("00", "0011.speech") in files, "the newest stays"


def test_a_folder_that_cannot_be_used_costs_only_the_memory_of_it(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    synthesizer, inner = cached(SpeechCache(LARGE, blocked, LARGE))
    for _ in range(2):
        assert synthesizer.synthesize("Hello there.", VOICE).words
    assert len(inner.spoken) == 1
    assert blocked.read_text() == "not a folder"
