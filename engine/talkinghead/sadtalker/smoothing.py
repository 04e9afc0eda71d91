"""Savitzky-Golay smoothing of the head's pose over time."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

_WINDOW: Final = 13
_ORDER: Final = 2


def smooth(track: Tensor) -> Tensor:
    """Each frame becomes what a parabola through its neighbours has there.

    The first and last half window are read off the parabola of the window at that end. Tracks
    that are too short for a parabola stay as they are.

    Args:
        track: [frames, channels].

    Returns:
        The same shape, on the same device.
    """
    frames = len(track)
    window = min(_WINDOW, 2 * ((frames - 1) // 2) + 1)
    if window <= _ORDER:
        return track.clone()
    half = window // 2
    fit = _fit(window).to(track)
    middle = track.unfold(0, window, 1) @ fit[half]
    first, last = fit @ track[:window], fit @ track[-window:]
    return torch.cat([first[:half], middle, last[half + 1 :]])


def _fit(window: int) -> Tensor:
    """[window, window]: values in it to the values of their parabola."""
    places = torch.arange(window, dtype=torch.float64) - window // 2
    powers = places[:, None] ** torch.arange(_ORDER + 1)
    fit: Tensor = powers @ torch.linalg.pinv(powers)
    return fit
