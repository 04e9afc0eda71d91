"""Round video notes: a clip whose face is well inside the circle that people see."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np

from engine.portrait.base import Image
from engine.talkinghead.base import Clip
from engine.talkinghead.clips import pictures, sound
from engine.talkinghead.video import encode
from personas.persona import FaceGeometry, Portrait

_WELL_INSIDE: Final = 0.86
"""How far from the middle eyes and mouth may reach, as a share of the circle's radius."""
_NEAREST: Final = 0.4
"""The smallest part of a picture that is shown: a face must not become a blur."""

Window = tuple[int, int, int]
"""Left, top and side of a square part of a picture, pixels."""


def note_of(clip: Clip, portrait: Portrait) -> Clip:
    """The clip as a note: as it is, or brought nearer to a face that is too far from its middle.

    Raises:
        InvalidInputError: the clip cannot be read.
        UnavailableError: it cannot be encoded.
    """
    window = window_of(portrait.geometry, portrait.size[0])
    if window is None:
        return clip
    fps = max(1, round(clip.frames / clip.duration)) if clip.duration > 0 else 25
    frames = _seen(clip, window, clip.size / portrait.size[0])
    return encode(frames, sound(clip), fps=fps, size=clip.size)


def window_of(face: FaceGeometry, size: int) -> Window | None:
    """The largest square with the face well inside its circle; None where that is all of it.

    Args:
        face: in a picture of `size` x `size` pixels.
        size: of the picture.
    """
    middle = (size / 2, size / 2)
    if _reach(face, middle) <= _WELL_INSIDE * size / 2:
        return None
    x = (face.left_eye[0] + face.right_eye[0]) / 4 + face.mouth[0] / 2
    y = (face.left_eye[1] + face.right_eye[1]) / 4 + face.mouth[1] / 2
    for side in range(size, round(size * _NEAREST), -max(1, size // 64)):
        left = min(max(round(x - side / 2), 0), size - side)
        top = min(max(round(y - side / 2), 0), size - side)
        if _reach(face, (left + side / 2, top + side / 2)) <= _WELL_INSIDE * side / 2:
            return left, top, side
    return None


def _reach(face: FaceGeometry, middle: tuple[float, float]) -> float:
    """How far eyes and mouth are from a point, pixels."""
    half = face.mouth_width / 2
    mouth = [(face.mouth[0] + side * half, face.mouth[1]) for side in (-1, 1)]
    eyes = max(math.dist(eye, middle) for eye in (face.left_eye, face.right_eye))
    return max(eyes + face.eye_radius, *(math.dist(corner, middle) for corner in mouth))


def _seen(clip: Clip, window: Window, scale: float) -> Iterator[Image]:
    """What is in the window, as large as the whole was."""
    left, top, side = (round(value * scale) for value in window)
    for picture in pictures(clip):
        part = picture[top : top + side, left : left + side]
        whole = cv2.resize(part, (clip.size, clip.size), interpolation=cv2.INTER_CUBIC)
        yield np.asarray(whole, np.uint8)
