"""The mouth: lips, and what is seen between them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.face.canvas import Canvas, Sprite
from engine.face.colours import Rgb, darker, lighter, mix, parse
from engine.face.curves import Points, between, ellipse, f32, points, stroke
from engine.face.lips import ACROSS, SMOOTH, MouthShape, MouthState, mouth_shape
from personas.persona import FaceLook

_MIDDLE = len(ACROSS) // 2
_MARK = np.linspace(-1, 1, 7, dtype=np.float32)
"""Along the mark at a corner."""

_SCALE = 1.75
"""Sprite pixels to a pixel: a mouth is drawn anew nearly every frame and never still."""


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
    seam = points(x, f32((top + bottom) / 2))
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
        spot, radii = (-unit * 0.12, low - unit * 0.13), (unit * 0.26, unit * 0.04)
        canvas.spot(spot, radii, unit * 0.07, (255, 255, 255), 0.55, mask)
    else:
        canvas.fill(between(x, top, f32((top + bottom) / 2)), darker(lip, 0.14))
        glint = ellipse((-unit * 0.1, low - unit * 0.12), (unit * 0.2, unit * 0.03))
        canvas.fill(glint, mix(lip, lighter(lip, 0.7), 0.45))
    if look.rendering == "outlined":
        ink = parse(look.ink)
        for curve in (top, bottom):
            canvas.fill(stroke(points(x, curve), line * 0.4, (0.8, 0.8)), ink)


@lru_cache(maxsize=64)
def _disc(share: float) -> tuple[slice, Points]:
    """The part of `ACROSS` that a disc about this wide covers, and its edges over it, [2, n]."""
    first = int(np.abs(ACROSS + np.float32(share)).argmin())
    inside = slice(first, len(ACROSS) - first)
    across = ACROSS[inside] / ACROSS[first]
    arch = np.sqrt(np.maximum(1 - across * across, 0))
    return inside, np.stack([-arch, arch])


def _draw_inside(
    canvas: Canvas, look: FaceLook, unit: float, shape: MouthShape, state: MouthState
) -> None:
    """Throat, tongue and teeth, each cut off at the lips before it is filled."""
    x, top, bottom = shape.x * unit, shape.top * unit, shape.bottom * unit
    half, opening = float(x[-1]), shape.opening * unit
    ceiling, floor = float(top.min()), float(bottom.max())

    def disc(y: float, share: float, tall: float) -> Points:
        inside, arch = _disc(share)
        edges = f32(tall) * arch + f32(y)
        np.maximum(edges, top[inside], out=edges)
        np.minimum(edges, bottom[inside], out=edges)
        return between(x[inside], edges[0], edges[1])

    dark = mix((74, 18, 26), parse(look.ink), 0.25)
    flesh = (222, 104, 104)
    canvas.fill(between(x, top, bottom), dark)
    # The throat is darker than the cheeks.
    canvas.fill(disc(ceiling + opening * 0.5, 0.6, opening * 0.32), darker(dark, 0.5))

    lift = state.tongue * opening * 0.42
    wide = 0.66 - 0.12 * state.tongue
    canvas.fill(disc(floor + opening * 0.1 - lift, wide, opening * 0.42), flesh)
    if look.rendering != "outlined":
        groove = ellipse(
            (0, floor + opening * 0.06 - lift), (half * 0.07, opening * 0.26), count=16
        )
        np.minimum(groove[:, 1], bottom[_MIDDLE], out=groove[:, 1])
        canvas.fill(groove, mix(flesh, darker(flesh, 0.4), 0.5))

    cover = 1 - 0.75 * shape.roundness
    lower = min(unit * 0.13, opening * 0.22) * cover * (0.35 + 0.65 * max(state.wide, 0.0))
    if lower > 0.6:
        gum = np.maximum(bottom - f32(lower) * SMOOTH, top)
        canvas.fill(between(x, gum, bottom), (232, 226, 214))
    upper = min(unit * 0.24, opening * 0.46) * cover
    if upper > 0.6:
        enamel = (252, 250, 244)
        canvas.fill(between(x, top, np.minimum(top + f32(upper) * SMOOTH, bottom)), enamel)
        shade = np.minimum(top + f32(upper * 0.3) * SMOOTH, bottom)
        canvas.fill(between(x, top, shade), mix(enamel, (150, 110, 105), 0.3))
    if state.tongue > 0.3:
        under = ceiling + max(upper, opening * 0.2)
        tall = opening * (0.12 + 0.2 * state.tongue)
        canvas.fill(disc(under + opening * 0.2, 0.42, tall), flesh)
        glint = disc(under + opening * 0.12, 0.2, opening * 0.06)
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
