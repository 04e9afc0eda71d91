"""Lips and sound, measured in the decoded clip alone."""

from __future__ import annotations

import numpy as np
import pytest

from engine.speech.base import Speech
from engine.talkinghead.clips import pictures, sound
from engine.talkinghead.drawn import DrawnHead
from engine.talkinghead.settings import EncoderSettings
from engine.talkinghead.video import encode
from tests.engine.talkinghead.mouths import offset, openings
from tests.engine.talkinghead.speeches import babble, portrait

FPS = 25
SIZE = 256
OPEN = ["ɑ", "a", "æ", "ʌ", "ɔ", "ɛ", "aɪ", "aʊ", "oʊ", "eɪ", "ɔɪ"]


def decoded_openings(said: Speech, seed: int = 0) -> np.ndarray:
    draft, head = portrait(SIZE), DrawnHead(SIZE)
    frames = head.frames(head.prepare(draft), said, seed)
    clip = encode(frames, said, fps=FPS, size=SIZE, settings=EncoderSettings(preset="superfast"))
    heard = sound(clip)
    assert heard is not None
    assert heard.duration == pytest.approx(said.duration, abs=0.05)
    return openings(pictures(clip), draft.geometry)


def at_frames(said: Speech, symbols: list[str], count: int) -> np.ndarray:
    """For each frame how much of its time is one of the sounds."""
    grid = np.zeros(count * 40)
    for phoneme in said.phonemes:
        if phoneme.symbol.rstrip("ː") in symbols:
            grid[round(phoneme.start * FPS * 40) : round(phoneme.end * FPS * 40)] = 1
    return grid.reshape(count, 40).mean(axis=1)


def closed_level(areas: np.ndarray) -> float:
    return float(areas[0] + 0.06 * (areas.max() - areas[0]))


@pytest.mark.parametrize("seed", [0, 1])
def test_the_mouth_opens_with_the_vowels(seed: int) -> None:
    said = babble(6.0, seed)
    areas = decoded_openings(said, seed)
    assert areas.max() > SIZE * SIZE / 440
    vowels = at_frames(said, ["ɑ"], len(areas))
    assert abs(offset(areas, vowels)) <= 1
    assert np.corrcoef(areas, vowels)[0, 1] > 0.6


def test_it_is_closed_in_silence_and_on_every_closure() -> None:
    said = babble(6.0, 3)
    areas = decoded_openings(said)
    closed = closed_level(areas)
    for phoneme in said.phonemes:
        if not phoneme.symbol and phoneme.end - phoneme.start > 0.25:
            inside = areas[int((phoneme.start + 0.12) * FPS) + 1 : int((phoneme.end - 0.1) * FPS)]
            assert (inside <= closed).all(), phoneme
        if phoneme.symbol in ("p", "b", "m"):
            first, last = int(phoneme.start * FPS) - 1, int(phoneme.end * FPS) + 1
            assert areas[max(0, first) : last].min() <= closed, phoneme


def test_lips_follow_the_built_in_voice() -> None:
    from engine.speech.factory import open_synthesizer
    from personas.persona import Voice

    text = "Hello my friend! I love big apples, and pumpkin pie."
    said = open_synthesizer().synthesize(text, Voice(engine="hibari", preset="woman"))
    areas = decoded_openings(said)
    vowels = at_frames(said, OPEN, len(areas))
    assert abs(offset(areas, vowels)) <= 1
    closed = closed_level(areas)
    shut = [
        areas[max(0, int(p.start * FPS) - 1) : int(p.end * FPS) + 1].min() <= closed
        for p in said.phonemes
        if p.symbol in ("p", "b", "m")
    ]
    assert len(shut) > 6
    assert all(shut)
