"""A face is well inside the circle of a video note, wherever it is in the portrait."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.telegram.notes import note_of, window_of
from engine.talkinghead.clips import pictures, sound
from engine.talkinghead.video import encode
from personas.persona import FaceGeometry, Portrait
from tests.bot.telegram.test_outlet import speech

SIZE = 256


def face(x: float, y: float, width: float = 50.0) -> FaceGeometry:
    return FaceGeometry(
        source="found",
        left_eye=(x - width / 4, y - width / 5),
        right_eye=(x + width / 4, y - width / 5),
        eye_radius=width / 10,
        nose=(x, y),
        mouth=(x, y + width / 4),
        mouth_width=width / 3,
        centre=(x, y),
        width=width,
        height=width * 1.2,
    )


def test_a_face_in_the_middle_needs_nothing() -> None:
    assert window_of(face(128, 128), SIZE) is None


@given(st.floats(40, 216), st.floats(45, 210), st.floats(20, 70))
def test_wherever_a_face_is_the_circle_holds_it(x: float, y: float, width: float) -> None:
    found = face(x, y, width)
    left, top, side = window_of(found, SIZE) or (0, 0, SIZE)
    assert 0 <= left <= SIZE - side
    assert 0 <= top <= SIZE - side
    middle = (left + side / 2, top + side / 2)
    near_border = min(x, y, SIZE - x, SIZE - y) < 0.75 * width
    if not near_border and side > 0.45 * SIZE:
        assert max(math.dist(eye, middle) for eye in (found.left_eye, found.right_eye)) < side / 2


@pytest.mark.parametrize("corner", [(60.0, 60.0), (215.0, 205.0)])
def test_a_clip_is_brought_nearer_to_its_face_and_keeps_its_sound(
    corner: tuple[float, float],
) -> None:
    frame = np.full((SIZE, SIZE, 3), 220, np.uint8)
    cv2.circle(frame, (round(corner[0]), round(corner[1])), 14, (200, 0, 0), -1)
    clip = encode([frame] * 10, speech(1.0), fps=10, size=SIZE)
    portrait = Portrait(
        image="x", size=(SIZE, SIZE), generator="t", style="s", seed=1, geometry=face(*corner)
    )
    note = note_of(clip, portrait)
    assert (note.size, note.frames) == (SIZE, 10)
    seen = list(pictures(note))[5].astype(int)
    red = np.argwhere((seen[..., 0] > 150) & (seen[..., 1] < 80))
    middle = (SIZE / 2, SIZE / 2)
    assert math.dist(red.mean(axis=0), middle) < math.dist(corner, middle) - 4
    heard = sound(note)
    assert heard is not None
    assert heard.duration == pytest.approx(1.0, abs=0.15)
