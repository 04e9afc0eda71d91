"""The numbers that drive SadTalker: what they mean, and the windows its mapping network sees.

A source has 73: expression 0:64, angles 64:67 (pitch, yaw, roll, radians), translation 67:70,
then scale and place of the alignment 70:73. A driving frame has the first 70.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

EXPRESSION: Final = slice(0, 64)
ANGLES: Final = slice(64, 67)
POSE: Final = slice(64, 70)
PLACE: Final = slice(70, 73)
DRIVING: Final = 70
RADIUS: Final = 13
"""Frames to each side that the mapping network sees."""

_EXPRESSION_OF_ALL, _POSE_OF_ALL, _SHIFT_OF_ALL = slice(80, 144), slice(224, 227), slice(254, 257)


def source_coefficients(reconstructed: Floats, placed: Sequence[float]) -> Floats:
    """The 73 of a source.

    Args:
        reconstructed: [257], all that the reconstruction network says of the face.
        placed: scale, x and y of the alignment.
    """
    parts = [reconstructed[part] for part in (_EXPRESSION_OF_ALL, _POSE_OF_ALL, _SHIFT_OF_ALL)]
    return np.concatenate([*parts, np.asarray(placed)]).astype(np.float32)


def driving_coefficients(
    coefficients: Floats,
    source: Floats,
    *,
    expression_scale: float = 1.0,
    with_place: bool = False,
    still: bool = False,
) -> Floats:
    """What drives each frame, as the mapping network wants it.

    Args:
        coefficients: [frames, 70].
        source: [73].
        expression_scale: strength of the expression.
        with_place: also the source's place; for the mapping network of whole pictures.
        still: the head stays as it is in the source, only the expression moves.

    Returns:
        [frames, 70], or [frames, 73] with the place.
    """
    driving = np.array(coefficients[:, :DRIVING], np.float32)
    driving[:, EXPRESSION] *= np.float32(expression_scale)
    if with_place:
        places = np.repeat(source[None, PLACE], len(driving), axis=0)
        driving = np.concatenate([driving, places], axis=1)
    if still:
        driving[:, POSE.start :] = source[POSE.start : driving.shape[1]]
    return driving


def source_window(source: Floats, *, with_place: bool = False) -> Floats:
    """The source as the mapping network sees it: [70 or 73, 27], the same in every column."""
    width = len(source) if with_place else DRIVING
    return np.repeat(source[:width, None], 2 * RADIUS + 1, axis=1).astype(np.float32)


def driving_windows(driving: Floats, start: int, end: int) -> Floats:
    """What the mapping network sees of frames `start` to `end`; the clip's ends are repeated.

    Args:
        driving: [frames, channels].
        start: first frame.
        end: the frame after the last one.

    Returns:
        [end - start, channels, 27].
    """
    around = np.arange(start, end)[:, None] + np.arange(-RADIUS, RADIUS + 1)
    around = np.clip(around, 0, len(driving) - 1)
    return np.ascontiguousarray(driving[around].transpose(0, 2, 1))


def camera_track(degrees: Sequence[float], frames: int) -> NDArray[np.float64]:
    """An angle of the camera for each frame: it goes from one to the next at one speed.

    Args:
        degrees: one angle for the whole clip, or several to pass through.
        frames: how many.

    Returns:
        [frames], degrees.
    """
    stops = np.asarray(degrees, np.float64)
    moves = np.diff(stops)
    total = np.abs(moves).sum()
    if frames < 2 or not total:
        return np.full(frames, stops[0])
    step = total / (frames - 1)
    legs = [
        np.arange(before, before + move, np.copysign(step, move))
        for before, move in zip(stops, moves, strict=False)
        if move
    ]
    track = np.concatenate(legs)[:frames]
    return np.pad(track, (0, frames - len(track)), mode="edge")
