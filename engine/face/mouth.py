"""The mouth: outlines of the lips from a few muscles, and what is seen inside them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.face.canvas import Canvas, Sprite
from engine.face.colours import Rgb, darker, lighter, mix, parse
from engine.face.curves import Points, between, ellipse, f32, points, span, stroke
from personas.persona import FaceLook

_U = span(41)
"""Across the mouth, from its left corner to its right one."""
_ARCH = np.maximum(1 - _U * _U, 0)
_BOW = 0.22 * np.exp(-((_U / 0.15) ** 2))
_DENT = 0.025 * (np.exp(-((_U / 0.14) ** 2)) - 0.5 * np.exp(-((_U / 0.4) ** 2)))
"""Cupid's bow, and the small dent that the upper lip's tubercle makes in the closed line."""
_BASIS = f32(
    [
        np.ones_like(_U),
        _U * _U,
        _U * np.abs(_U),
        _DENT,
        # How lips get thinner towards the corners.
        _ARCH**0.72,
        _ARCH**0.72 * _BOW,
        _ARCH**0.66,
    ]
)
"""What every outline is a sum of, besides the shape of the opening."""
_SMOOTH = f32(1 - _U**4)
"""The edge of a row of teeth."""
_DISC = span(19)
_DISC_ARCH = np.sqrt(np.maximum(1 - _DISC * _DISC, 0))
_MARK = np.linspace(-1, 1, 7, dtype=np.float32)
"""Along the mark at a corner."""

_SCALE = 1.75
"""Sprite pixels to a pixel: a mouth is drawn anew nearly every frame and never still."""


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

    `inner` curves share `x`; `outer` curves share `outer_x`, which reaches past the corners.
    """

    x: NDArray[np.float32]
    top: NDArray[np.float32]
    bottom: NDArray[np.float32]
    outer_x: NDArray[np.float32]
    outer_top: NDArray[np.float32]
    outer_bottom: NDArray[np.float32]
    roundness: float

    @property
    def opening(self) -> float:
        """The largest distance between the lips."""
        return float(np.max(self.bottom - self.top))


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
        x=_U * f32(half),
        top=top,
        bottom=bottom,
        outer_x=_U * f32(half * reach),
        outer_top=outer_top,
        outer_bottom=outer_bottom,
        roundness=roundness,
    )


def draw_mouth(look: FaceLook, width: float, state: MouthState) -> Sprite:
    """The mouth with the centre of its closed line at the origin.

    Args:
        look: colours and rendering.
        width: of the mouth at rest, portrait pixels.
        state: its muscles.
    """
    unit = width / 2
    shape = mouth_shape(state)
    line = min(max(look.line_width, unit * 0.06), unit * 0.12)
    reach = line + unit * (0.16 if look.rendering == "shaded" else 0.08)
    outer_x, outer_top, outer_bottom = (
        c * f32(unit) for c in (shape.outer_x, shape.outer_top, shape.outer_bottom)
    )
    x, top, bottom = (c * f32(unit) for c in (shape.x, shape.top, shape.bottom))
    canvas = Canvas(
        float(outer_x[0]) - reach - unit * 0.12,
        float(outer_top.min()) - reach,
        float(outer_x[-1]) + reach + unit * 0.12,
        float(outer_bottom.max()) + reach + unit * 0.1,
        scale=_SCALE,
    )
    _draw_lips(canvas, look, unit, line, shape)
    opening = shape.opening * unit
    seam = points(x, np.asarray((top + bottom) / 2, np.float32))
    dark = _seam_colour(look)
    if opening > unit * 0.03:
        _draw_inside(canvas, look, unit, shape, state)
        edge = line * (0.9 if look.rendering == "outlined" else 0.35)
        for curve in (top, bottom):
            canvas.fill(stroke(points(x, curve), edge, (0.6, 0.6)), dark)
    if state.teeth > 0.25:
        _draw_teeth_on_lip(canvas, look, unit, shape, state)
    if opening <= unit * 0.06:
        canvas.fill(
            stroke(seam, line * (1.0 if look.rendering == "outlined" else 0.6), (0.7, 0.7)), dark
        )
    _draw_corners(canvas, look, unit, line, seam, state, dark)
    return canvas.sprite()


def _seam_colour(look: FaceLook) -> Rgb:
    if look.rendering == "outlined":
        return parse(look.ink)
    return mix(darker(parse(look.lip), 0.6), parse(look.ink), 0.3)


def _draw_lips(canvas: Canvas, look: FaceLook, unit: float, line: float, shape: MouthShape) -> None:
    lip, skin = parse(look.lip), parse(look.skin)
    x, top, bottom = shape.outer_x * unit, shape.outer_top * unit, shape.outer_bottom * unit
    outline = between(x, top, bottom)
    if look.rendering == "shaded":
        canvas.glow(outline + f32([0, unit * 0.09]), unit * 0.16, darker(skin, 0.6), 0.35)
    upper = between(x, top, np.asarray((top + bottom) / 2, np.float32))
    canvas.fill(outline, lip)
    low, high = float(bottom.max()), float(top.min())
    if look.rendering == "shaded":
        mask = canvas.mask(outline)
        stops = (
            (high, darker(lip, 0.05)),
            (high + unit * 0.16, darker(lip, 0.3)),
            (low - unit * 0.24, lighter(lip, 0.05)),
            (low - unit * 0.12, lighter(lip, 0.2)),
            (low, darker(lip, 0.25)),
        )
        canvas.gradient(mask, stops)
        shine = ellipse((-unit * 0.12, low - unit * 0.13), (unit * 0.26, unit * 0.04), 0.0)
        canvas.glow(shine, unit * 0.07, (255, 255, 255), 0.55, mask)
    else:
        canvas.fill(upper, darker(lip, 0.14))
        glint = ellipse((-unit * 0.1, low - unit * 0.12), (unit * 0.2, unit * 0.03))
        canvas.fill(glint, mix(lip, lighter(lip, 0.7), 0.45))
    if look.rendering == "outlined":
        ink = parse(look.ink)
        for curve in (top, bottom):
            canvas.fill(stroke(points(x, curve), line * 0.4, (0.8, 0.8)), ink)


def _draw_inside(
    canvas: Canvas, look: FaceLook, unit: float, shape: MouthShape, state: MouthState
) -> None:
    """Throat, tongue and teeth, each cut off at the lips before it is filled."""
    x, top, bottom = shape.x * unit, shape.top * unit, shape.bottom * unit
    half, opening = float(x[-1]), shape.opening * unit
    ceiling, floor = float(top.min()), float(bottom.max())

    def disc(y: float, wide: float, tall: float) -> Points:
        across = wide * _DISC
        above, below = np.interp(across, x, top), np.interp(across, x, bottom)
        reach = tall * _DISC_ARCH
        edges = np.clip((y - reach, y + reach), above, below)
        return between(across, edges[0], edges[1])

    dark = mix((74, 18, 26), parse(look.ink), 0.25)
    flesh = (222, 104, 104)
    canvas.fill(between(x, top, bottom), dark)
    # The throat is darker than the cheeks.
    canvas.fill(disc(ceiling + opening * 0.5, half * 0.6, opening * 0.32), darker(dark, 0.5))

    lift = state.tongue * opening * 0.42
    wide = half * (0.66 - 0.12 * state.tongue)
    canvas.fill(disc(floor + opening * 0.1 - lift, wide, opening * 0.42), flesh)
    if look.rendering != "outlined":
        groove = disc(floor + opening * 0.06 - lift, half * 0.07, opening * 0.26)
        canvas.fill(groove, mix(flesh, darker(flesh, 0.4), 0.5))

    cover = 1 - 0.75 * shape.roundness
    lower = min(unit * 0.13, opening * 0.22) * cover * (0.35 + 0.65 * max(state.wide, 0.0))
    if lower > 0.6:
        gum = np.maximum(bottom - f32(lower) * _SMOOTH, top)
        canvas.fill(between(x, gum, bottom), (232, 226, 214))
    upper = min(unit * 0.24, opening * 0.46) * cover
    if upper > 0.6:
        enamel = (252, 250, 244)
        canvas.fill(between(x, top, np.minimum(top + f32(upper) * _SMOOTH, bottom)), enamel)
        shade = np.minimum(top + f32(upper * 0.3) * _SMOOTH, bottom)
        canvas.fill(between(x, top, shade), mix(enamel, (150, 110, 105), 0.3))
    if state.tongue > 0.3:
        under = ceiling + max(upper, opening * 0.2)
        tall = opening * (0.12 + 0.2 * state.tongue)
        canvas.fill(disc(under + opening * 0.2, half * 0.42, tall), flesh)
        glint = disc(under + opening * 0.12, half * 0.2, opening * 0.06)
        canvas.fill(glint, mix(flesh, lighter(flesh, 0.5), 0.6))


def _draw_teeth_on_lip(
    canvas: Canvas, look: FaceLook, unit: float, shape: MouthShape, state: MouthState
) -> None:
    inner = slice(6, -6)
    x = shape.x[inner] * unit * 0.94
    edge = 1 - (x / max(float(np.abs(x).max()), 1e-3)) ** 4
    top = shape.top[inner] * unit
    bite = unit * 0.17 * state.teeth
    bottom = np.asarray(top + bite * (0.55 + 0.45 * edge), np.float32)
    row = between(x, top, bottom)
    canvas.fill(row, (252, 250, 244))
    dark = _seam_colour(look)
    weight = unit * (0.055 if look.rendering == "outlined" else 0.035)
    canvas.fill(stroke(points(x, bottom), weight, (0.8, 0.8)), dark)
    canvas.fill(stroke(points(x, np.asarray(top, np.float32)), weight, (0.8, 0.8)), dark)


def _draw_corners(
    canvas: Canvas,
    look: FaceLook,
    unit: float,
    line: float,
    seam: NDArray[np.float32],
    state: MouthState,
    dark: Rgb,
) -> None:
    """Small marks at the corners: they carry the expression when the lips are thin."""
    strength = abs(state.smile) * (1 - min(1.0, state.pucker + max(-state.wide, 0.0)))
    if strength < 0.15:
        return
    bend = 1.0 if state.smile > 0 else -0.6
    x = unit * (0.025 + 0.03 * (1 - _MARK * _MARK))
    y = _MARK * f32(unit * 0.065 * strength) - f32(unit * 0.01 * bend)
    mark = stroke(points(x, y), line * 0.6, (0.4, 0.4))
    colour = mix(dark, parse(look.skin), 0.35)
    for side, corner in ((-1, seam[0]), (1, seam[-1])):
        canvas.fill(mark * f32((side, 1)) + corner, colour)
