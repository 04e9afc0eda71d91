"""FacePainter: draws a face that belongs to the picture, in any pose."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.face.blend import Way, blend
from engine.face.blush import draw_blush
from engine.face.brows import draw_brow
from engine.face.canvas import Sprite
from engine.face.curves import f32
from engine.face.eyes import EyeState, draw_eye, height
from engine.face.lips import MouthState
from engine.face.moods import EXPRESSIONS
from engine.face.mouth import draw_mouth
from engine.face.nose import draw_nose
from engine.face.pose import REST, FacePose
from engine.face.sprites import SpriteCache
from personas.persona import FaceGeometry, FaceLook

Affine = NDArray[np.float32]
"""[2, 3], from one picture's pixels to another's."""

_STEPS: Final = 40
"""Poses are rounded to this many steps a unit, so that drawn features can be used again."""

_ABOVE_CORNERS: Final = 0.1
"""An eye's place is the middle between its corners, and eyes open more above that than below:
by this share of the radius the middle of what is open lies higher."""


def _clamp(value: float, low: float = -1.0, high: float = 1.0) -> float:
    # A pose is data: not-a-number counts as rest.
    return min(max(value, low), high) if value == value else min(max(0.0, low), high)


def _step(value: float, steps: int = _STEPS) -> float:
    return round(value * steps) / steps


class FacePainter:
    """Paints one face. Not safe for several threads at once; make one for each.

    Features are drawn at twice the portrait's resolution in their own small pictures, kept by
    what they do, and placed with sub-pixel precision: on a turned head as on a ball.
    """

    def __init__(
        self, geometry: FaceGeometry, look: FaceLook, sprites: SpriteCache | None = None
    ) -> None:
        """A painter for the face at `geometry` that looks like `look`.

        Args:
            geometry: where the face is, pixels of the portrait.
            look: how it is drawn.
            sprites: what painters of the same face have drawn; None to start afresh.
        """
        self.geometry = geometry
        self.look = look
        self._mood = EXPRESSIONS[look.mood]
        self._cache = SpriteCache() if sprites is None else sprites
        self._cos, self._sin = math.cos(geometry.roll), math.sin(geometry.roll)
        radius = geometry.eye_radius
        self._nose_size = min(max(geometry.width * 0.075, radius * 0.3), radius * 0.8)

    def paint(
        self, image: NDArray[np.uint8], pose: FacePose = REST, transform: Affine | None = None
    ) -> None:
        """Paints the face in place.

        Args:
            image: [height, width, 3] RGB or [height, width, 4] RGBA with straight alpha, uint8.
            pose: what the face does; values out of range are clamped.
            transform: from the portrait's pixels to the image's; None where they are the same.
        """
        way = None if transform is None else transform.tolist()
        for sprite, place in self.sprites(pose):
            blend(image, sprite, place if way is None else _then(place, way))

    def sprites(self, pose: FacePose = REST) -> list[tuple[Sprite, Way]]:
        """The drawn features of a pose, from back to front.

        Each comes with the way from its own coordinates (portrait pixels around its centre) to
        the portrait.
        """
        geometry, look, mood = self.geometry, self.look, self._mood
        smile = _step(_clamp(mood.smile + _clamp(pose.smile) * (1 - 0.5 * abs(mood.smile))), 16)
        turn = (_clamp(pose.turn_x), _clamp(pose.turn_y))
        placed: list[tuple[Sprite, Way]] = []

        def put(
            key: Hashable,
            draw: Callable[[], Sprite | None],
            at: tuple[float, float],
            depth: float = 1.0,
            lift: float = 0.0,
        ) -> None:
            sprite = self._cache.get(key, draw)
            if sprite is not None:
                placed.append((sprite, self._way(at, depth, lift, turn)))

        radius, width = geometry.eye_radius, geometry.mouth_width
        if look.blush is not None:
            for side, corner in ((-1, geometry.left_eye), (1, geometry.right_eye)):
                cheek = self._cheek(corner, side)
                put(("blush",), partial(draw_blush, look, radius * 0.95), cheek, 0.95)
        put(("nose",), partial(draw_nose, look, self._nose_size), geometry.nose, 1.25)

        mouth = MouthState(
            jaw=_step(_clamp(pose.jaw, 0), 32),
            wide=_step(_clamp(pose.wide), 10),
            pucker=_step(_clamp(pose.pucker, 0), 8),
            teeth=_step(_clamp(pose.teeth, 0), 6),
            tongue=_step(_clamp(pose.tongue, 0), 5),
            press=_step(_clamp(pose.press, 0), 6),
            smile=smile,
            smirk=_step(mood.smirk, 10),
        )
        put(mouth, partial(draw_mouth, look, width, mouth), geometry.mouth, 1.05)

        squint = mood.squint + 0.25 * max(_clamp(pose.smile), 0.0) * (1 - mood.squint)
        gaze = (
            _step(_clamp(mood.gaze[0] + pose.gaze_x), 20),
            _step(_clamp(mood.gaze[1] + pose.gaze_y), 20),
        )
        tilt = _step(_clamp(mood.brow_tilt + _clamp(pose.brow_tilt)), 24)
        for side, at, blink, raised in (
            (-1, geometry.left_eye, pose.blink_left, mood.brow_left + _clamp(pose.brow_left)),
            (1, geometry.right_eye, pose.blink_right, mood.brow_right + _clamp(pose.brow_right)),
        ):
            raised = _clamp(raised, -1.2, 1.2)
            lid = mood.lid - 0.12 * _step(max(raised, 0.0), 4) * (1 - mood.lid)
            lid = max(lid, 0.0) + (1 - max(lid, 0.0)) * _clamp(blink, 0)
            eye = EyeState(
                lid=_step(lid, 24),
                squint=_step(_clamp(squint, 0), 16),
                gaze=gaze,
                slant=_step(-tilt * 0.75 if abs(tilt) > 0.25 else 0.0, 12),
                side=side,
            )
            put(eye, partial(draw_eye, look, radius, eye), at, 1.0, -_ABOVE_CORNERS * radius)
            brow = (_step(raised, 12), tilt, side)
            gap = radius * (height(look) + 0.5)
            put(
                ("brow", brow),
                partial(draw_brow, look, radius, *brow),
                at,
                1.0,
                -gap - radius * 0.42 * raised,
            )
        return placed

    def _cheek(self, eye: tuple[float, float], side: int) -> tuple[float, float]:
        geometry = self.geometry
        drop = geometry.eye_radius * (height(self.look) + 0.75)
        out = side * geometry.eye_radius * 0.75
        x = eye[0] + out * self._cos - drop * self._sin
        y = eye[1] + out * self._sin + drop * self._cos
        return x, y

    def place(
        self, at: tuple[float, float], depth: float, lift: float, turn: tuple[float, float]
    ) -> Affine:
        """Where a feature comes to lie when the ball it sits on turns.

        Args:
            at: its centre at rest, pixels of the portrait.
            depth: how far before the ball it is; 1 is on it.
            lift: pixels below `at` along the face.
            turn: to the side and down, as in `FacePose`.

        Returns:
            From the feature's own coordinates to the portrait.
        """
        return f32(self._way(at, depth, lift, turn))

    def _way(
        self, at: tuple[float, float], depth: float, lift: float, turn: tuple[float, float]
    ) -> Way:
        geometry = self.geometry
        cos, sin = self._cos, self._sin
        dx, dy = at[0] - geometry.centre[0], at[1] - geometry.centre[1]
        across, wide = _turned(dx * cos + dy * sin, geometry.width, turn[0] * 0.3, depth)
        down, tall = _turned(dy * cos - dx * sin + lift, geometry.height, turn[1] * 0.24, depth)
        x = geometry.centre[0] + across * cos - down * sin
        y = geometry.centre[1] + across * sin + down * cos
        return (cos * wide, -sin * tall, x), (sin * wide, cos * tall, y)


def _then(first: Way, second: Sequence[Sequence[float]]) -> Way:
    """One way after another."""
    (a, b, x), (c, d, y) = first
    (p, q, u), (r, s, v) = second
    return (
        (p * a + q * c, p * b + q * d, p * x + q * y + u),
        (r * a + s * c, r * b + s * d, r * x + s * y + v),
    )


def _turned(at: float, span: float, angle: float, depth: float) -> tuple[float, float]:
    """Where a point of a ball comes to lie when it turns, and how much narrower it looks."""
    if not angle:
        return at, 1.0
    reach = span * 0.72
    rest = math.asin(_clamp(at / reach, -0.95, 0.95))
    turned = _clamp(rest + angle, -1.4, 1.4)
    moved = at + reach * (math.sin(turned) - math.sin(rest)) * depth
    return moved, _clamp(math.cos(turned) / math.cos(rest), 0.6, 1.25)
