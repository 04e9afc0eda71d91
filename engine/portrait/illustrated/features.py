"""Finds the face that art already has: its eyes first, then what belongs to them.

Eyes are two like shapes side by side, dark or white with something dark in them, that stand out
from the body around them. Where the drawing is known as SVG its shapes are looked at; nothing
here looks at pixels alone, because spots, seeds and buttons look just the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.portrait.base import Image
from engine.portrait.illustrated.palette import difference, lab_image
from engine.portrait.illustrated.shapes import Shape
from personas.persona import Point

GRID = 256
"""Pixels of the picture in which colours are looked up."""


@dataclass(frozen=True)
class OldFace:
    """The face that is to be taken out. Lengths are shares of the picture's width.

    Attributes:
        left_eye: centre; with only one eye seen, both are the same.
        right_eye: centre.
        eye: box of one eye: width, height.
        shapes: everything that belongs to the old face.
        nose: box of a nose or beak that can stay: left, top, right, bottom.
        mouth: centre of its old mouth, where there is one.
    """

    left_eye: Point
    right_eye: Point
    eye: tuple[float, float]
    shapes: tuple[Shape, ...]
    nose: tuple[float, float, float, float] | None
    mouth: Point | None

    @property
    def profile(self) -> bool:
        """Only one eye is seen."""
        return self.left_eye == self.right_eye

    @property
    def centre(self) -> Point:
        """Between the eyes."""
        return (
            (self.left_eye[0] + self.right_eye[0]) / 2,
            (self.left_eye[1] + self.right_eye[1]) / 2,
        )

    @property
    def distance(self) -> float:
        """Between the eyes."""
        return math.dist(self.left_eye, self.right_eye)


def find_face(shapes: list[Shape], rgba: Image) -> OldFace | None:
    """The face among the shapes of a drawing, or None where there is none to be sure of.

    Args:
        shapes: of the drawing, from back to front.
        rgba: the drawing, straight alpha.
    """
    view = _View(rgba)
    spots = [spot for shape in shapes if (spot := view.spot(shape)) is not None]
    pair = _best_pair(spots, view)
    if pair is not None:
        left, right = pair
        return _face(left, right, shapes, view)
    single = max(spots, key=lambda spot: spot.likely, default=None)
    if single is None or single.likely < 0.35:
        return None
    return _face(single, single, shapes, view)


@dataclass(frozen=True)
class _Spot:
    """A small shape that stands out.

    Attributes:
        shape: the shape.
        lightness: L of its middle as it is seen.
        likely: how much it looks like an eye, 0 to 1 and a little more.
    """

    shape: Shape
    lightness: float
    likely: float


class _View:
    """The drawing as it is seen, small."""

    def __init__(self, rgba: Image) -> None:
        small = np.asarray(cv2.resize(rgba, (GRID, GRID), interpolation=cv2.INTER_AREA), np.uint8)
        self.alpha = small[..., 3].astype(np.float32) / 255
        self.lab = lab_image(small)
        rows, columns = (
            np.flatnonzero(self.alpha.max(1) > 0.5),
            np.flatnonzero(self.alpha.max(0) > 0.5),
        )
        if len(rows):
            self.box = (
                columns[0] / GRID, rows[0] / GRID, (columns[-1] + 1) / GRID, (rows[-1] + 1) / GRID,
            )  # fmt: skip
        else:
            self.box = (0.0, 0.0, 1.0, 1.0)

    def inside(self, left: float, top: float, right: float, bottom: float) -> tuple[slice, slice]:
        """The window of a box."""

        def span(low: float, high: float) -> slice:
            start = int(np.clip(math.floor(low * GRID), 0, GRID - 1))
            return slice(start, int(np.clip(math.ceil(high * GRID), start + 1, GRID)))

        return span(top, bottom), span(left, right)

    def colour_at(self, x: float, y: float) -> NDArray[np.float32]:
        """The colour seen around a point."""
        pixels = self.lab[self.inside(x - 0.015, y - 0.015, x + 0.015, y + 0.015)]
        return np.asarray(np.median(pixels.reshape(-1, 3), axis=0), np.float32)

    def middle_colour(self, shape: Shape) -> NDArray[np.float32]:
        """The colour seen in the middle of a shape."""
        x, y = shape.centre
        w, h = shape.width * 0.22, shape.height * 0.22
        pixels = self.lab[self.inside(x - w, y - h, x + w, y + h)]
        return np.asarray(np.median(pixels.reshape(-1, 3), axis=0), np.float32)

    def lightest(self, shape: Shape) -> float:
        """L of the lighter part of a shape: of an eye, its white."""
        window = self.inside(shape.left, shape.top, shape.right, shape.bottom)
        return float(np.quantile(self.lab[window][..., 0], 0.75))

    def spot(self, shape: Shape) -> _Spot | None:
        """What a shape is as an eye; None if it cannot be one."""
        w, h = shape.width, shape.height
        if not (0.012 < w < 0.34 and 0.006 < h < 0.34 and 0.22 < h / max(w, 1e-6) < 4.0):
            return None
        x, y = shape.centre
        if not (0 < x < 1 and 0 < y < 1):
            return None
        grow = 0.35 * max(w, h) + 0.008
        around = self.inside(
            shape.left - grow, shape.top - grow, shape.right + grow, shape.bottom + grow
        )
        covered = float(self.alpha[around].mean())
        if covered < 0.5:
            return None
        colour = self.middle_colour(shape)
        ring = self.lab[around].reshape(-1, 3)
        contrast = float(np.median(np.linalg.norm(ring - colour, axis=1)))
        lightness = float(colour[0])
        tint = float(np.hypot(colour[1], colour[2]))
        dark = np.clip((52 - lightness) / 30, 0, 1)
        white = np.clip((lightness - 84) / 10, 0, 1) * np.clip((24 - tint) / 12, 0, 1)
        flat = 0.55 if w > 1.8 * h else 1.0  # brows and closed mouths
        round_ = 1 - min(abs(math.log(h / w)) / 2.4, 1)
        likely = flat * max(dark, 0.75 * white) * (0.45 + 0.55 * round_)
        likely *= float(np.clip(contrast / 25, 0.3, 1))
        likely *= 0.3 + 0.7 * float(np.clip((covered - 0.5) / 0.45, 0, 1))
        top, bottom = self.box[1], self.box[3]
        height = (y - top) / max(bottom - top, 1e-6)
        likely *= 1 - 0.25 * height - 0.35 * float(np.clip((height - 0.55) / 0.35, 0, 1))
        return _Spot(shape, lightness, float(likely)) if likely > 0.12 else None


def _best_pair(spots: list[_Spot], view: _View) -> tuple[_Spot, _Spot] | None:
    left, top, right, bottom = view.box
    span = max(right - left, bottom - top)
    best: tuple[float, _Spot, _Spot] | None = None
    for number, one in enumerate(spots):
        for other in spots[number + 1 :]:
            a, b = one.shape, other.shape
            (ax, ay), (bx, by) = a.centre, b.centre
            dx, dy = abs(bx - ax), abs(by - ay)
            wide, tall = max(a.width, b.width), max(a.height, b.height)
            if dx < 0.75 * wide or dx < 0.03 * span or dx > 0.72 * span or dy > 0.32 * dx:
                continue
            alike = min(a.width, b.width) / wide * min(a.height, b.height) / tall
            if alike < 0.4:
                continue
            alike *= math.exp(-abs(one.lightness - other.lightness) / 25)
            middle = (ax + bx) / 2
            aside = abs(middle - (left + right) / 2) / span
            level = 1 - min(dy / dx / 0.32, 1) * 0.5
            size = math.sqrt(wide * tall) / span
            fitting = math.exp(-((math.log(size / 0.085) / 1.4) ** 2))
            score = (
                (one.likely * other.likely) ** 0.5
                * (0.3 + 0.7 * alike)
                * level
                * (0.45 + 0.55 * fitting)
                * (1 - min(1.2 * aside, 0.6))
            )
            if best is None or score > best[0]:
                pair = (one, other) if ax <= bx else (other, one)
                best = (score, *pair)
    if best is None or best[0] < 0.15:
        return None
    return best[1], best[2]


def _face(left: _Spot, right: _Spot, shapes: list[Shape], view: _View) -> OldFace:
    """All that belongs to a pair of eyes."""
    eyes = (left.shape, right.shape)
    (lx, ly), (rx, ry) = eyes[0].centre, eyes[1].centre
    width = max(eye.width for eye in eyes)
    height = max(eye.height for eye in eyes)
    middle, level = (lx + rx) / 2, (ly + ry) / 2
    apart = rx - lx if left is not right else 2.2 * width
    body = (view.box[2] - view.box[0]) * (view.box[3] - view.box[1])
    skin = view.colour_at(middle, level - 0.1 * apart)
    gone: list[Shape] = []
    nose: Shape | None = None
    mouths: list[Shape] = []
    nostrils: list[Shape] = []
    for shape in shapes:
        white = view.lightest(shape) > 80
        if any(_of_eye(shape, *pair, apart, white) for pair in (eyes, eyes[::-1])):
            gone.append(shape)
            continue
        x, y = shape.centre
        if left is right:
            continue
        across, down = (x - middle) / apart, (y - level) / apart
        if shape.width * shape.height > 0.09 * body:
            big_nose = abs(across) < 0.2 and 0.2 < down < 1.2 and shape.width < 1.1 * apart
            wide = abs(across) < 0.2 and 0.3 < down < 1.7 and 1.1 < shape.width / apart < 1.9
            lightness = view.middle_colour(shape)[0]
            if big_nose and lightness < 48 and nose is None:
                nose = shape
            elif wide and lightness < 42:
                gone.append(shape)  # a mouth wide open
                mouths.append(shape)
            continue
        if nose is not None and _within(shape, nose):
            continue  # nostrils, and the light on it
        central = abs(across) < 0.3 or (shape.left < middle < shape.right and abs(across) < 0.6)
        if abs(across) < 0.95 and -0.95 < down < -0.1 and shape.height < 0.35 * apart:
            if (
                shape.width < 1.1 * apart
                and abs(abs(across) - 0.5) < 0.4
                and _stands_out(shape, view)
            ):
                gone.append(shape)  # a brow
        elif central and 0.12 < down < 2.1 and shape.width < 1.75 * apart:
            colour = view.middle_colour(shape)
            tongue = colour[1] > 30 and difference(colour, skin) > 40
            muzzle = shape.height > 0.55 * apart and shape.width > 0.8 * apart and colour[0] > 55
            muzzle = muzzle and not tongue
            if muzzle and not shape.line:
                continue
            lips = colour[1] > 32 and shape.width > 1.7 * shape.height and down > 0.5
            compact = not lips and shape.width < 0.8 * apart and shape.height < 0.55 * apart
            if down < 0.85 and compact and not shape.line:
                if abs(across) > 0.07:
                    nostrils.append(shape)
                elif nose is None or _within(nose, shape):
                    nose = shape
                elif y < nose.centre[1]:  # what was taken for a nose was the mouth below it
                    gone.append(nose)
                    nose = shape
                else:
                    gone.append(shape)
                continue
            gone.append(shape)
            mouths.append(shape)
    mouth = max(mouths, key=lambda shape: shape.width).centre if mouths else None
    kept = nostrils if nose is None else [nose]
    box = _around(kept) if kept else None
    return OldFace((lx, ly), (rx, ry), (width, height), tuple(gone), box, mouth)


def _around(shapes: list[Shape]) -> tuple[float, float, float, float]:
    return (
        min(shape.left for shape in shapes),
        min(shape.top for shape in shapes),
        max(shape.right for shape in shapes),
        max(shape.bottom for shape in shapes),
    )


def _within(shape: Shape, other: Shape) -> bool:
    return (
        shape.left >= other.left - 0.01
        and shape.right <= other.right + 0.01
        and shape.top >= other.top - 0.01
        and shape.bottom <= other.bottom + 0.01
    )


def _of_eye(shape: Shape, eye: Shape, other: Shape, apart: float, white: bool) -> bool:
    """Whether a shape is the eye, something in it, or the white and the rim around it."""
    (x, y), (ex, ey) = shape.centre, eye.centre
    if shape.width > 1.25 * apart or shape.height > 1.4 * apart:
        return False
    if other is not eye and shape.left < other.centre[0] < shape.right:
        return False
    near = abs(x - ex) < 0.55 * max(eye.width, shape.width * 0.5)
    near = near and abs(y - ey) < 0.6 * max(eye.height, shape.height * 0.5)
    if not near:
        return False
    # Whites and lashes may be wide; the patch around a panda's eye is wide and tall, and stays.
    widest = 4.5 if white or shape.height < 2.4 * eye.height else 2.6
    inside = shape.width <= 1.15 * eye.width and shape.height <= 1.15 * eye.height
    around = (
        shape.left <= eye.left + 0.1 * eye.width
        and shape.right >= eye.right - 0.1 * eye.width
        and shape.top <= eye.top + 0.2 * eye.height
        and shape.bottom >= eye.bottom - 0.2 * eye.height
        and shape.width < widest * max(eye.width, other.width)
    )
    return inside or around


def _stands_out(shape: Shape, view: _View) -> bool:
    return float(view.middle_colour(shape)[0]) < 50 or shape.line
