"""When eyes blink and where they look."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_CLOSING: Final = 0.08
_CLOSED: Final = 0.05
_OPENING: Final = 0.16
"""Seconds of one blink; closed for longer than a frame takes, so that a frame shows it."""

_SACCADE: Final = 0.05
"""Seconds the eyes take from one place to the next."""


def plan_blinks(
    duration: float,
    random: np.random.Generator,
    *,
    phrase_ends: tuple[float, ...] = (),
    often: float = 1.0,
) -> list[float]:
    """The moments of blinks: every few seconds, rather where a phrase ends, sometimes twice.

    Args:
        duration: seconds.
        random: decides.
        phrase_ends: moments at which people like to blink, rising.
        often: 2 is twice as often.

    Returns:
        Seconds, rising, away from both ends and from one another.
    """
    moments: list[float] = []
    last = duration - 0.4
    time = float(random.uniform(0.9, 2.2))
    while time < last:
        near = [end for end in phrase_ends if abs(end - time) < 0.9 and 0.35 < end + 0.05 < last]
        if near and random.random() < 0.75:
            time = min(near, key=lambda end: abs(end - time)) + 0.05
        if time > 0.35 and (not moments or time > moments[-1] + 0.35):
            moments.append(time)
            if random.random() < 0.13 and time + 0.42 < last:
                moments.append(time + 0.4)
                time += 0.4
        time += max(1.1, float(random.gamma(4.0, 0.8)) / often)
    return moments


def blink_track(moments: list[float], times: Floats) -> Floats:
    """How far the lids are closed, 0 to 1, at each of `times`."""
    closed = np.zeros(len(times), np.float32)
    for moment in moments:
        since = times - moment
        down = np.clip((since + _CLOSING) / _CLOSING, 0, 1)
        up = np.clip((since - _CLOSED) / _OPENING, 0, 1)
        np.maximum(closed, down * down * (3 - 2 * down) * (1 - up) ** 1.6, out=closed)
    return closed


def plan_gaze(
    duration: float, times: Floats, random: np.random.Generator, *, restless: float = 1.0
) -> tuple[Floats, Floats]:
    """Where the eyes look: mostly at you, now and then a little aside; they jump and stay.

    Args:
        duration: seconds.
        times: [n] seconds of the frames.
        random: decides.
        restless: 2 looks away twice as often.

    Returns:
        Gaze to the side and down, as in `FacePose`; 0 at both ends.
    """
    starts, places = [0.0], [(0.0, 0.0)]
    time = float(random.uniform(0.6, 1.4))
    while time < duration - 0.7:
        away = places[-1] == (0.0, 0.0)
        if away:
            aside = float(random.normal(0, 0.42)), float(random.normal(-0.05, 0.2))
            places.append(
                (float(np.clip(aside[0], -0.8, 0.8)), float(np.clip(aside[1], -0.5, 0.45)))
            )
            stay = random.uniform(0.3, 0.9)
        else:
            places.append((0.0, 0.0))
            stay = random.uniform(0.9, 2.6) / restless
        starts.append(time)
        time += float(stay)
    starts.append(max(duration - 0.45, starts[-1] + 1e-3))
    places.append((0.0, 0.0))
    gaze = np.zeros((2, len(times)), np.float32)
    for start, before, after in zip(starts[1:], places[:-1], places[1:], strict=True):
        share = np.clip((times - start) / _SACCADE, 0, 1)
        for axis in (0, 1):
            gaze[axis] += (after[axis] - before[axis]) * share
    return gaze[0], gaze[1]
