"""How far a mouth is open, measured in pictures alone."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from engine.portrait.base import Image
from personas.persona import FaceGeometry


def openings(frames: Iterable[Image], geometry: FaceGeometry) -> NDArray[np.float64]:
    """For each frame the area in the mouth that is neither lip nor skin, pixels.

    The face must have the test's colours: blue skin, green lips. Teeth, tongue and throat are
    redder than both.
    """
    x, y = geometry.mouth
    reach = geometry.mouth_width
    rows = slice(int(y - 0.6 * reach), int(y + 0.9 * reach))
    columns = slice(int(x - reach), int(x + reach))
    result = []
    for frame in frames:
        part = frame[rows, columns].astype(int)
        red, green, blue = part[..., 0], part[..., 1], part[..., 2]
        result.append(int(((red > blue - 20) & (red > green - 12)).sum()))
    return np.asarray(result, float)


def offset(first: NDArray[np.float64], second: NDArray[np.float64], reach: int = 8) -> int:
    """By how many frames `first` comes after `second` where they agree best."""
    a, b = first - first.mean(), second - second.mean()
    count = min(len(a), len(b))
    scores = {
        lag: float(np.dot(a[reach + lag : count - reach + lag], b[reach : count - reach]))
        for lag in range(-reach, reach + 1)
    }
    return max(scores, key=lambda lag: scores[lag])
