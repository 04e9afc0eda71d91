"""Noses: a hint, never a portrait of one."""

from __future__ import annotations

import numpy as np

from engine.face.canvas import Canvas, Sprite
from engine.face.colours import darker, lighter, mix, parse
from engine.face.curves import ellipse, f32, smooth, stroke
from personas.persona import FaceLook


def draw_nose(look: FaceLook, size: float) -> Sprite | None:
    """The nose with its tip at the origin, or None where the look has none.

    Args:
        look: the kind and the colours.
        size: half its width in portrait pixels.
    """
    if look.nose_kind == "none":
        return None
    canvas = Canvas(-size * 1.7, -size * 2.6, size * 1.7, size * 1.7)
    skin, ink = parse(look.skin), parse(look.ink)
    outlined, shaded = look.rendering == "outlined", look.rendering == "shaded"
    line = float(np.clip(look.line_width * (1.0 if outlined else 0.7), size * 0.14, size * 0.5))
    dark = ink if outlined else darker(skin, 0.42)
    if look.nose_kind == "dot":
        if shaded:
            canvas.glow(ellipse((0, 0), (size, size * 0.8)), size, dark, 0.25)
        for side in (-1, 1):
            nostril = ellipse(
                (side * size * 0.42, size * 0.12), (size * 0.2, size * 0.14), side * 0.35
            )
            canvas.fill(nostril, dark)
    elif look.nose_kind == "line":
        side_line = f32([[-0.12, -1.5], [-0.3, -0.5], [-0.62, 0.12], [-0.2, 0.42], [0.45, 0.3]])
        control = side_line * size
        canvas.fill(stroke(smooth(control), line, (0.45, 0.5)), dark)
    else:
        ball = ellipse((0, 0), (size, size * 0.84))
        warm = mix(darker(skin, 0.1), parse(look.lip), 0.3)
        if shaded:
            canvas.glow(ball + f32([0, size * 0.3]), size * 0.5, darker(skin, 0.6), 0.4)
            canvas.fill(ball, warm)
            canvas.gradient(
                canvas.mask(ball),
                (
                    (-size * 0.8, lighter(warm, 0.25)),
                    (0.1 * size, warm),
                    (size * 0.84, darker(warm, 0.28)),
                ),
            )
            glint = ellipse((-size * 0.3, -size * 0.36), (size * 0.3, size * 0.2), -0.4)
            canvas.glow(glint, size * 0.25, (255, 255, 255), 0.8)
        elif outlined:
            canvas.fill(ellipse((0, 0), (size + line / 2, size * 0.84 + line / 2)), ink)
            canvas.fill(ellipse((0, 0), (size - line / 2, size * 0.84 - line / 2)), warm)
        else:
            canvas.fill(ball, warm)
            glint = ellipse((-size * 0.3, -size * 0.32), (size * 0.26, size * 0.16), -0.4)
            canvas.tint(canvas.mask(glint), lighter(warm, 0.6), 0.8)
    return canvas.sprite()
