"""Lips: their outlines from what a few muscles do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.face.curves import f32, span

ACROSS = span(41)
"""Across the mouth, from its left corner to its right one."""
_ARCH = np.maximum(1 - ACROSS * ACROSS, 0)
_BOW = 0.22 * np.exp(-((ACROSS / 0.15) ** 2))
_DENT = 0.025 * (np.exp(-((ACROSS / 0.14) ** 2)) - 0.5 * np.exp(-((ACROSS / 0.4) ** 2)))
"""Cupid's bow, and the small dent that the upper lip's tubercle makes in the closed line."""
_BASIS = f32(
    [
        np.ones_like(ACROSS),
        ACROSS * ACROSS,
        ACROSS * np.abs(ACROSS),
        _DENT,
        # How lips get thinner towards the corners.
        _ARCH**0.72,
        _ARCH**0.72 * _BOW,
        _ARCH**0.66,
    ]
)
"""What every outline is a sum of, besides the shape of the opening."""
SMOOTH = f32(1 - ACROSS**4)
"""The edge of a row of teeth."""


@dataclass(frozen=True)
class MouthState:
    """The muscles, as in `FacePose`; `smirk` lifts the right corner and lowers the left."""

    jaw: float
    wide: float
    pucker: float
    teeth: float
    tongue: float
    press: float
    smile: float
    smirk: float


@dataclass(frozen=True)
class MouthShape:
    """Outlines in units of half the mouth's width, origin at the centre of the closed mouth.

    `inner` curves share `x`; `outer` curves share `outer_x`, which reaches past the corners;
    `opening` is the largest distance between the lips.
    """

    x: NDArray[np.float32]
    top: NDArray[np.float32]
    bottom: NDArray[np.float32]
    outer_x: NDArray[np.float32]
    outer_top: NDArray[np.float32]
    outer_bottom: NDArray[np.float32]
    opening: float
    roundness: float


def mouth_shape(state: MouthState) -> MouthShape:
    """The lips' outlines for what the muscles do."""
    spread, narrow = max(state.wide, 0.0), max(-state.wide, 0.0)
    happy = max(state.smile, 0.0)
    closed = max(state.press, 0.0)
    jaw = state.jaw * (1 - closed) * (1 - 0.85 * state.teeth)
    roundness = min(1.0, narrow * 0.8 + state.pucker * 0.7)
    half = 1 + 0.15 * spread + 0.13 * happy - 0.34 * narrow - 0.24 * state.pucker - 0.05 * jaw
    half = min(max(half, 0.36), 1.3)

    # A smile is a bow: its corners go up more than its middle goes down.
    lift = 0.46 * state.smile * (1 - 0.85 * roundness)
    smirk = 0.22 * state.smirk * (1 - 0.7 * roundness)
    line = (0.36 * lift, 0.1 * jaw - lift, -smirk, 1 - jaw)

    gape = jaw * (1 + 0.12 * roundness)
    up = 0.13 * gape + 0.05 * state.teeth + 0.02 * spread * min(1.0, 8 * gape)
    # On f and v the lower lip comes up under the upper teeth.
    down = 0.8 * gape + 0.04 * max(state.teeth, 0.0)
    opening = _ARCH ** (0.8 - 0.34 * max(roundness, jaw**0.5))

    thin = 1 - 0.5 * closed
    full_top = 0.145 * thin * (1 + 0.45 * state.pucker + 0.12 * narrow) * (1 - 0.12 * spread)
    full_bottom = 0.215 * thin * (1 + 0.4 * state.pucker + 0.12 * narrow)
    full_bottom *= (1 - 0.12 * spread) * (1 - 0.42 * state.teeth)
    full_top, full_bottom = full_top * (1 - 0.12 * happy), full_bottom * (1 - 0.12 * happy)
    bow = full_top * (1 - 0.6 * roundness)
    weights = f32(
        [
            [*line, 0, 0, 0],
            [*line, 0, 0, 0],
            [*line, -full_top, bow, 0],
            [*line, 0, 0, full_bottom],
        ]
    )
    top, bottom, outer_top, outer_bottom = weights @ _BASIS + opening * f32(
        [[-up], [down], [-up], [down]]
    )
    reach = 1.0 + 0.045 * (1 + state.pucker) / half
    return MouthShape(
        x=ACROSS * f32(half),
        top=top,
        bottom=bottom,
        outer_x=ACROSS * f32(half * reach),
        outer_top=outer_top,
        outer_bottom=outer_bottom,
        opening=up + down,
        roundness=roundness,
    )
