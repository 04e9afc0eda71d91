"""Blush: soft colour on the cheeks."""

from __future__ import annotations

from engine.face.canvas import Canvas, Sprite
from engine.face.colours import parse
from engine.face.curves import ellipse, f32
from personas.persona import FaceLook


def draw_blush(look: FaceLook, size: float) -> Sprite | None:
    """One cheek, its middle at the origin, or None where the look has no blush.

    Args:
        look: the colour and the rendering.
        size: half the width of the coloured spot, portrait pixels.
    """
    if look.blush is None:
        return None
    reach = size * 1.8
    canvas = Canvas(-reach, -reach * 0.8, reach, reach * 0.8)
    spot = ellipse((0, 0), (size, size * 0.62))
    if look.rendering == "shaded":
        canvas.glow(spot, size * 0.7, parse(look.blush), 0.5)
    elif look.rendering == "flat":
        canvas.tint(canvas.mask(spot * f32(0.9)), parse(look.blush), 0.55)
    else:
        canvas.tint(canvas.mask(spot * f32(0.85)), parse(look.blush), 0.75)
    return canvas.sprite()
