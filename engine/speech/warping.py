"""Dynamic time warping: which moment of one speech is which moment of another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.speech.features import Features

_STEPS = (0, 1, 2, 3)
"""Frames of the reference that one frame of the speech may go on by."""
_COSTS = (0.6, 0.0, 0.3, 0.9)
"""Of each step, against a mean distance of 1: an even pace is likelier."""
_FAR = np.float32(1e9)


def warp(
    speech: Features,
    reference: Features,
    guide: NDArray[np.floating],
    reach: int,
) -> NDArray[np.int64]:
    """For each frame of `speech`, the frame of `reference` that is said then; never going back.

    Takes time and memory in proportion to the length of the speech times `reach`.

    Args:
        speech: [n, k].
        reference: [m, k].
        guide: [n] where in the reference each frame should be, roughly.
        reach: how many frames it may be away from there.
    """
    count, most = len(speech), len(reference)
    width = min(2 * reach + 1, most)
    first = np.clip(np.rint(guide).astype(np.int64) - reach, 0, most - width)
    first[0], first[-1] = 0, most - width
    first = np.maximum.accumulate(first)
    chosen = np.zeros((count, width), np.int8)
    squares = (reference**2).sum(axis=1)
    scale = _mean_distance(speech, reference)
    costs = np.asarray(_COSTS, np.float32)[:, None]
    total = np.full(width, _FAR, np.float32)
    total[0] = 0.0
    lead = max(_STEPS)
    candidates = np.empty((len(_STEPS), width), np.float32)
    for row in range(count):
        low = first[row]
        part = reference[low : low + width]
        distance = squares[low : low + width] - 2 * (part @ speech[row])
        distance = np.sqrt(np.maximum(distance + (speech[row] ** 2).sum(), 0)) / scale
        if row:
            # the band may have moved on: the same reference frames under new numbers
            moved = int(low - first[row - 1])
            padded = np.full(width + lead + moved, _FAR, np.float32)
            padded[lead : lead + width] = total
            for number, step in enumerate(_STEPS):
                start = lead + moved - step
                candidates[number] = padded[start : start + width]
            candidates += costs
            chosen[row] = candidates.argmin(axis=0)
            total = candidates.min(axis=0)
        total = total + distance.astype(np.float32)
    path = np.empty(count, np.int64)
    at = width - 1 if total[-1] < _FAR / 2 else int(total.argmin())
    for row in range(count - 1, -1, -1):
        path[row] = first[row] + at
        if row:
            at = int(path[row] - _STEPS[chosen[row, at]] - first[row - 1])
            at = min(max(at, 0), width - 1)
    return path


def _mean_distance(speech: Features, reference: Features) -> float:
    """Between frames that have nothing to do with one another."""
    dice = np.random.default_rng(0)
    a = speech[dice.integers(0, len(speech), 400)]
    b = reference[dice.integers(0, len(reference), 400)]
    return max(float(np.sqrt(((a - b) ** 2).sum(axis=1)).mean()), 1e-6)
