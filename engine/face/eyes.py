"""Eyes: white, iris, pupil, highlights, lids and lashes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.face.canvas import Canvas, Sprite
from engine.face.colours import darker, lighter, luminance, mix, parse
from engine.face.curves import Points, between, ellipse, f32, points, span, stroke
from personas.persona import FaceLook

_HEIGHT = {"round": 1.0, "oval": 1.2, "almond": 0.62, "dot": 0.78}
"""Half the height of an open eye to half its width."""


@dataclass(frozen=True)
class EyeState:
    """What one eye does.

    Attributes:
        lid: 0 the upper lid is away to 1 it meets the lower one.
        squint: 0 to 1, the lower lid pushed up by a cheek.
        gaze: as in `FacePose`.
        slant: how far the lid's inner end hangs lower than its outer, -1 to 1.
        side: -1 the eye on the left of the picture, 1 the one on the right.
    """

    lid: float
    squint: float
    gaze: tuple[float, float]
    slant: float
    side: int


def height(look: FaceLook) -> float:
    """Half the height of the open eye, in units of half its width."""
    return _HEIGHT[look.eye_shape]


class _Lids:
    """The curves of one eye in portrait pixels."""

    def __init__(self, look: FaceLook, radius: float, state: EyeState) -> None:
        u = span(33)
        almond = look.eye_shape == "almond"
        self.x = u * radius
        self.tall = radius * height(look)
        arch = np.sqrt(np.maximum(1 - u * u, 0))
        if almond:
            # Corners drawn out; the outer one a touch higher.
            arch = arch**1.35
        rise = (-0.1 if almond else 0.0) * self.tall * u * state.side
        self.top = -arch * self.tall + rise
        self.bottom = arch * self.tall * (0.8 if almond else 1.0) + rise
        meet = self.bottom * 0.4 - 0.1 * self.tall * state.squint * arch
        self.lower = self.bottom + (meet - self.bottom) * min(
            1.0, 0.8 * state.squint + 0.75 * state.lid**2
        )
        slant = -state.slant * state.side * u * arch * self.tall * 0.42 * (1 - state.lid)
        lid = self.top + (self.lower - self.top) * min(1.0, state.lid) + np.maximum(slant, 0)
        self.upper = np.minimum(np.maximum(lid, self.top), self.lower)

    def whole(self) -> Points:
        return between(self.x, self.top, self.bottom)

    def open(self) -> Points:
        return between(self.x, self.upper, self.lower)


def draw_eye(look: FaceLook, radius: float, state: EyeState) -> Sprite:
    """One eye.

    Args:
        look: colours and shape.
        radius: half its width in portrait pixels.
        state: lids and gaze.
    """
    if look.eye_shape == "dot":
        return _draw_dot(look, radius, state)
    lids = _Lids(look, radius, state)
    line = _line_width(look, radius)
    reach = line + radius * (0.5 if look.lashes else 0.16)
    canvas = Canvas(-radius - reach, -lids.tall - reach, radius + reach, lids.tall + reach)
    skin, ink = parse(look.skin), parse(look.ink)
    shaded, outlined = look.rendering == "shaded", look.rendering == "outlined"

    if shaded:
        canvas.glow(lids.whole() * f32(1.1), radius * 0.2, darker(skin, 0.4), 0.35)
    if outlined:
        # The line goes around what is open; a closing eye is a narrower outline, not a lid.
        for curve in (lids.upper, lids.lower):
            canvas.fill(stroke(points(lids.x, f32(curve)), 1.5 * line, (0.9, 0.9)), ink)
    elif state.lid > 0.02 or state.squint > 0.02 or state.slant:
        _draw_lid(canvas, look, lids)
    if state.lid < 0.97:
        _draw_ball(canvas, look, lids, radius, state)
    _draw_lines(canvas, look, lids, radius, line, state)
    return canvas.sprite()


def _line_width(look: FaceLook, radius: float) -> float:
    return float(np.clip(look.line_width, radius * 0.1, radius * 0.3))


def _draw_lid(canvas: Canvas, look: FaceLook, lids: _Lids) -> None:
    skin = parse(look.skin)
    whole = lids.whole()
    if look.rendering == "shaded":
        stops = (
            (-lids.tall, darker(skin, 0.16)),
            (-lids.tall * 0.5, skin),
            (-lids.tall * 0.1, lighter(skin, 0.1)),
            (lids.tall * 0.4, skin),
            (lids.tall, darker(skin, 0.18)),
        )
        canvas.fill(whole, darker(skin, 0.12))
        canvas.gradient(canvas.mask(whole), stops)
    else:
        canvas.fill(whole, darker(skin, 0.06))


def _draw_ball(canvas: Canvas, look: FaceLook, lids: _Lids, radius: float, state: EyeState) -> None:
    ball, aperture = canvas.like(), canvas.mask(lids.open())
    white, ink, tall = parse(look.eye_white), parse(look.ink), lids.tall
    shaded = look.rendering == "shaded"
    if shaded:
        stops = (
            (-tall, darker(white, 0.2)),
            (-tall * 0.2, white),
            (tall * 0.6, white),
            (tall, darker(white, 0.12)),
        )
        ball.flood_gradient(stops)
    else:
        ball.flood(white)

    almond = look.eye_shape == "almond"
    size = tall * 0.86 if almond else radius * 0.62
    stretch = 1.0 if almond else 1 + 0.45 * (height(look) - 1)
    centre = (
        state.gaze[0] * radius * 0.42 - state.side * radius * (0.0 if almond else 0.05),
        state.gaze[1] * tall * 0.34 + tall * (0.0 if almond else 0.03),
    )

    def disc(share: float, dx: float = 0.0, dy: float = 0.0) -> Points:
        place = (centre[0] + dx * size, centre[1] + dy * size * stretch)
        return ellipse(place, (size * share, size * share * stretch))

    iris = parse(look.iris)
    ball.fill(disc(1.0), darker(iris, 0.55 if look.rendering != "flat" else 0.3))
    ball.fill(disc(0.88), iris)
    if look.rendering != "flat":
        # Light falls through the eye onto the far side of the iris.
        light, inner = disc(0.62, 0.0, 0.3), ball.mask(disc(0.88))
        ball.glow(light, size * 0.35, lighter(iris, 0.45), 0.7, inner)
    ball.fill(disc(0.55 if luminance(iris) > 0.15 else 0.6), mix(ink, (12, 8, 10), 0.6))
    # The lid's shadow on the ball, which makes the eye sit under it.
    shade = np.asarray(lids.upper + tall * 0.3, np.float32)
    if look.rendering == "outlined":
        shade = np.asarray(lids.upper + tall * 0.12, np.float32)
    shadow = ball.mask(between(lids.x, np.asarray(lids.upper - 2, np.float32), shade))
    ball.tint(shadow, darker(parse(look.skin), 0.7), 0.2)
    ball.fill(disc(0.29, -0.36, -0.4), (255, 255, 255))
    ball.tint(ball.mask(disc(0.12, 0.46, 0.44)), (255, 255, 255), 0.8)
    canvas.paste(ball, aperture)


def _draw_lines(
    canvas: Canvas, look: FaceLook, lids: _Lids, radius: float, line: float, state: EyeState
) -> None:
    ink = parse(look.ink)
    skin = parse(look.skin)
    edge = points(lids.x, np.asarray(lids.upper, np.float32))
    closed = state.lid > 0.9
    outlined = look.rendering == "outlined"
    hanging = state.lid > 0.04 or state.slant
    if look.rendering == "flat":
        weight = line * (0.75 if not closed else 0.9)
    else:
        weight = line * (1.0 if outlined else 0.62)
    colour = ink if outlined or closed or look.lashes else mix(ink, darker(skin, 0.6), 0.35)
    if hanging or look.eye_shape == "almond" or look.lashes or not outlined:
        canvas.fill(stroke(edge, weight * (1.35 if look.lashes else 1.0), (0.35, 0.35)), colour)
    if not outlined and not closed:
        lower = points(lids.x, np.asarray(lids.lower, np.float32))[5:-5]
        mask = canvas.mask(stroke(lower, line * 0.4, (0.2, 0.2)))
        canvas.tint(mask, darker(skin, 0.55), 0.6)
    if closed and outlined:
        canvas.clear()
        canvas.fill(stroke(edge, line, (0.55, 0.55)), ink)
    if look.lashes:
        outer = edge if state.side > 0 else edge[::-1]
        for share, lean in ((0.97, 0.95), (0.86, 0.7), (0.72, 0.42)):
            root = outer[round(share * (len(outer) - 1))]
            down = 0.55 if closed else -0.75
            tip = root + radius * f32([0.34 * lean * state.side, (0.42 - 0.2 * lean) * down])
            middle = (root + tip) / 2 + radius * f32([0.07 * state.side, -0.04 * down])
            lash = np.stack([root, middle, tip]).astype(np.float32)
            canvas.fill(stroke(lash, weight * 0.95, (1.2, 0.1)), colour)


def _draw_dot(look: FaceLook, radius: float, state: EyeState) -> Sprite:
    wide, tall = radius * 0.6, radius * height(look)
    line = _line_width(look, radius)
    canvas = Canvas(-radius - line, -radius - line, radius + line, radius + line)
    ink = parse(look.ink)
    shift = (state.gaze[0] * radius * 0.22, state.gaze[1] * radius * 0.16)
    openness = float(np.clip(1.08 - state.lid - 0.3 * state.squint, 0, 1))
    if openness < 0.16:
        u = span(17)
        bow = np.asarray(radius * (0.1 + 0.22 * (1 - u * u)), np.float32)
        canvas.fill(stroke(points(u * radius * 0.8, bow), line, (0.7, 0.7)), ink)
        return canvas.sprite()
    centre = (shift[0], shift[1] + tall * 0.25 * (1 - openness))
    body = ellipse(centre, (wide * (1 + 0.18 * (1 - openness)), tall * openness))
    if look.rendering == "shaded":
        canvas.glow(body * f32(1.12), radius * 0.2, darker(parse(look.skin), 0.4), 0.4)
    canvas.fill(body, ink)
    if look.rendering == "shaded":
        shine = ellipse(
            (centre[0], centre[1] + tall * 0.45 * openness),
            (wide * 0.6, tall * 0.35 * openness),
        )
        canvas.glow(shine, radius * 0.2, lighter(ink, 0.35), 0.8, canvas.mask(body))
    light = ellipse(
        (centre[0] - wide * 0.32, centre[1] - tall * 0.4 * openness),
        (wide * 0.3, wide * 0.3 * min(1, openness + 0.2)),
    )
    canvas.fill(light, (255, 255, 255))
    if state.slant:
        lids = span(9)
        drop = np.asarray(
            -tall * openness * 0.8 - state.slant * state.side * lids * tall * 0.3, np.float32
        )
        canvas.fill(stroke(points(lids * radius * 0.8, drop), line * 0.8, (0.6, 0.6)), ink)
    return canvas.sprite()
