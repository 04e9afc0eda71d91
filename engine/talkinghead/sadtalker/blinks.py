"""Blinks as SadTalker wants them: a ratio a frame, 0 open to 1 closed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

BLINK: Final = (0.5, 0.9, 1.0, 0.9, 0.5)
_SHORTEST: Final = 20
"""Frames up to which nobody blinks."""
_SOONEST, _LATEST = 10, 70

Choose = Callable[[int, int], int]
"""A whole number from the first, included, to the second, not included."""


def blink_ratios(frames: int, choose: Choose) -> NDArray[np.float32]:
    """When the eyes close in a clip, as the published program draws it.

    Args:
        frames: of the clip.
        choose: draws how many frames pass before a blink.

    Returns:
        [frames].
    """
    ratios = np.zeros(frames, np.float32)
    soonest, latest = min(_SOONEST, frames), min(frames // 2, _LATEST)
    # Of 21 frames the published program has none to choose from, and ends with an error.
    if frames <= _SHORTEST or latest <= soonest:
        return ratios
    at = 0
    while at < frames:
        start = at + choose(soonest, latest)
        if start + len(BLINK) > frames - 1:
            break
        ratios[start : start + len(BLINK)] = BLINK
        at = start + len(BLINK)
    return ratios


def seeded(seed: int) -> Choose:
    """Chooses the same for the same seed."""
    random = np.random.default_rng(abs(seed))
    return lambda first, end: int(random.integers(first, end))
