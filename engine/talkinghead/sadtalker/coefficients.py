"""The numbers that drive SadTalker: what they mean, and the windows its mapping network sees.

A source has 73: expression 0:64, angles 64:67 (pitch, yaw, roll, radians), translation 67:70,
then scale and place of the alignment 70:73. A driving frame has the first 70.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

EXPRESSION: Final = slice(0, 64)
ANGLES: Final = slice(64, 67)
POSE: Final = slice(64, 70)
PLACE: Final = slice(70, 73)
DRIVING: Final = 70
SOURCE: Final = 73
RADIUS: Final = 13
"""Frames to each side that the mapping network sees."""

_OF_ALL: Final = (slice(80, 144), slice(224, 227), slice(254, 257))
"""Where expression, angles and translation stand in what the reconstruction network says."""


def source_coefficients(reconstructed: Tensor, placed: Sequence[float]) -> Tensor:
    """The 73 of a source.

    Args:
        reconstructed: [257], all that the reconstruction network says of the face.
        placed: scale, x and y of the alignment.
    """
    parts = [reconstructed[part] for part in _OF_ALL]
    return torch.cat([*parts, torch.tensor(placed).to(reconstructed)])


def driving_coefficients(
    coefficients: Tensor,
    source: Tensor,
    *,
    expression_scale: float | Tensor = 1.0,
    with_place: bool = False,
    still: bool = False,
) -> Tensor:
    """What drives each frame, as the mapping network wants it.

    Args:
        coefficients: [frames, 70].
        source: [73].
        expression_scale: strength of the expression; one for all, or one a frame, [frames].
        with_place: also the source's place; for the mapping network of whole pictures.
        still: the head stays as it is in the source, only the expression moves.

    Returns:
        [frames, 70], or [frames, 73] with the place.
    """
    scale = torch.as_tensor(expression_scale).to(coefficients).reshape(-1, 1)
    pose = coefficients[:, POSE]
    if still:
        pose = source[POSE].expand_as(pose)
    parts = [coefficients[:, EXPRESSION] * scale, pose]
    if with_place:
        parts.append(source[PLACE].expand(len(coefficients), -1))
    return torch.cat(parts, dim=1)


def source_window(source: Tensor, *, with_place: bool = False) -> Tensor:
    """The source as the mapping network sees it: [70 or 73, 27], the same in every column."""
    width = SOURCE if with_place else DRIVING
    return source[:width, None].repeat(1, 2 * RADIUS + 1)


def driving_windows(driving: Tensor, start: int, end: int) -> Tensor:
    """What the mapping network sees of frames `start` to `end`; the clip's ends are repeated.

    Args:
        driving: [frames, channels].
        start: first frame.
        end: the frame after the last one.

    Returns:
        [end - start, channels, 27].
    """
    reach = torch.arange(-RADIUS, RADIUS + 1, device=driving.device)
    around = torch.arange(start, end, device=driving.device)[:, None] + reach
    return driving[around.clamp(0, len(driving) - 1)].transpose(1, 2)


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
