"""Brows: one tapered stroke each."""

from __future__ import annotations

import numpy as np

from engine.face.canvas import Canvas, Sprite
from engine.face.colours import darker, lighter, parse
from engine.face.curves import f32, points, smooth, stroke
from personas.persona import FaceLook


def draw_brow(look: FaceLook, radius: float, raised: float, tilt: float, side: int) -> Sprite:
    """One brow, its middle at the origin.

    Args:
        look: colour and weight.
        radius: half the width of the eye under it, portrait pixels.
        raised: -1 to 1; a raised brow arches, a lowered one flattens.
        tilt: -1 angry to 1 worried.
        side: -1 the left of the picture, 1 the right.
    """
    long, outlined = radius * 1.16, look.rendering == "outlined"
    arch = radius * (0.24 + 0.16 * raised)
    # Along the brow from its inner to its outer end.
    inner = radius * (-0.5 * tilt if tilt > 0 else -0.62 * tilt)
    outer = radius * (0.14 + 0.34 * tilt if tilt > 0 else 0.14 + 0.3 * tilt)
    control = f32(
        [
            [-long * 0.86, inner],
            [-long * 0.1, -arch * 0.8],
            [long * 0.52, -arch * 0.72 + outer * 0.4],
            [long, outer],
        ]
    )
    line = smooth(control)
    line[:, 0] *= side
    if outlined:
        width = float(np.clip(look.line_width * 1.05, radius * 0.12, radius * 0.36))
        width *= 0.6 + 0.4 * look.brow_weight
        outline = stroke(line, width, (0.95, 0.7))
    else:
        width = radius * 0.3 * look.brow_weight
        outline = stroke(line, width, (0.85, 0.25))
    reach = width + radius * 0.1
    canvas = Canvas(
        float(line[:, 0].min()) - reach,
        float(line[:, 1].min()) - reach,
        float(line[:, 0].max()) + reach,
        float(line[:, 1].max()) + reach,
    )
    if look.brow_weight <= 0:
        return canvas.sprite()
    colour = parse(look.brow)
    if look.rendering == "shaded":
        drop = outline + f32([0, radius * 0.08])
        canvas.glow(drop, radius * 0.14, darker(parse(look.skin), 0.6), 0.3)
    canvas.fill(outline, colour)
    if look.rendering == "shaded":
        shine = stroke(points(line[:, 0], line[:, 1] - width * 0.16), width * 0.4, (0.6, 0.2))
        canvas.glow(shine, width * 0.4, lighter(colour, 0.4), 0.5, canvas.mask(outline))
    return canvas.sprite()
