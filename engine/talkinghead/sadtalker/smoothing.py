"""Savitzky-Golay smoothing of the head's pose over time."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

_WINDOW: Final = 13
_ORDER: Final = 2


def smooth(track: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each frame becomes what a parabola through its neighbours has there.

    The first and last half window are read off the parabola of the window at that end. Tracks
    that are too short for a parabola stay as they are.

    Args:
        track: [frames, channels].

    Returns:
        The same shape.
    """
    frames = len(track)
    window = min(_WINDOW, 2 * ((frames - 1) // 2) + 1)
    if window <= _ORDER:
        return np.array(track, np.float32)
    half = window // 2
    powers = np.arange(-half, half + 1)[:, None] ** np.arange(_ORDER + 1)
    # fit @ values are the parabola's own values at the window's frames.
    fit = powers @ np.linalg.pinv(powers)
    values = track.astype(np.float64)
    smoothed = np.empty_like(values)
    smoothed[: half + 1] = (fit @ values[:window])[: half + 1]
    smoothed[-half - 1 :] = (fit @ values[-window:])[-half - 1 :]
    spans = np.lib.stride_tricks.sliding_window_view(values, window, axis=0)
    smoothed[half : frames - half] = spans @ fit[half]
    return smoothed.astype(np.float32)
