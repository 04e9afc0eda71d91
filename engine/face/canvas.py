"""Canvas: a small supersampled picture with premultiplied alpha, and the sprite it becomes."""

from __future__ import annotations

import math
from copy import copy
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.face.colours import Rgb
from engine.face.curves import Points, ellipse, f32

Mask = NDArray[np.uint8]

_SHIFT = 4
"""Fractional bits of polygon corners."""

_SOFT = 1.58
_SOFT_WINDOW = 7
"""Soft masks are blurred by this standard deviation, which is what a stack blur of so many pixels
has: small enough to be done at once, and large enough to be smooth when it is enlarged."""

_ALPHA = np.array([0, 0, 0, 255], np.uint8).view(np.uint32)
"""The bits of alpha in a packed pixel."""

Stops = tuple[tuple[float, Rgb], ...]
"""Colours of a gradient: (y, colour) with y rising."""


@dataclass(frozen=True)
class Sprite:
    """A drawn feature, ready to be placed.

    Attributes:
        pixels: [height, width, 4] uint8: premultiplied RGB, and how much stays of what is below.
        origin: where the feature's own centre lies in it, x and y.
        scale: sprite pixels to a pixel of the portrait.
    """

    pixels: NDArray[np.uint8]
    origin: tuple[float, float]
    scale: float


class Canvas:
    """Draws in the feature's own coordinates: pixels of the portrait, origin at its centre."""

    def __init__(
        self, left: float, top: float, right: float, bottom: float, scale: float = 2.0
    ) -> None:
        """A clear canvas that reaches from (left, top) to (right, bottom)."""
        self.scale = scale
        self.origin = (float(np.ceil(-left * scale) + 2), float(np.ceil(-top * scale) + 2))
        width = int(self.origin[0] + np.ceil(right * scale) + 2)
        height = int(self.origin[1] + np.ceil(bottom * scale) + 2)
        self.pixels: NDArray[np.uint8] = np.zeros((height, width, 4), np.uint8)
        self._is_clear = True
        # Half a pixel less: polygon corners are continuous, pixel centres lie at whole numbers.
        self._unit = f32(scale * (1 << _SHIFT))
        self._shift = f32([(at - 0.5) * (1 << _SHIFT) for at in self.origin])

    def like(self) -> Canvas:
        """Another clear canvas of the same place and size."""
        other = copy(self)
        other.pixels = np.zeros_like(self.pixels)
        other._is_clear = True
        return other

    def clear(self) -> None:
        """Nothing has been drawn."""
        self.pixels[:] = 0
        self._is_clear = True

    def sprite(self) -> Sprite:
        """What was drawn, without the clear margin around it."""
        x, y, width, height = cv2.boundingRect(cv2.extractChannel(self.pixels, 3))
        packed = self.pixels.view(np.uint32)[y : y + height, x : x + width] ^ _ALPHA
        origin = (self.origin[0] - x, self.origin[1] - y)
        return Sprite(packed.view(np.uint8), origin, self.scale)

    def _corners(self, polygon: Points) -> NDArray[np.int32]:
        placed = polygon * self._unit
        placed += self._shift
        return np.asarray(np.rint(placed, out=placed), np.int32)

    def fill(self, polygon: Points, colour: Rgb) -> None:
        """Fills with an opaque colour: on premultiplied pixels anti-aliasing is a plain mix."""
        cv2.fillPoly(self.pixels, [self._corners(polygon)], (*colour, 255), cv2.LINE_AA, _SHIFT)
        self._is_clear = False

    def mask(self, *polygons: Points) -> Mask:
        """The area of the polygons, 0 to 255."""
        mask: Mask = np.zeros(self.pixels.shape[:2], np.uint8)
        for polygon in polygons:
            cv2.fillPoly(mask, [self._corners(polygon)], 255, cv2.LINE_AA, _SHIFT)
        return mask

    def glow(
        self,
        polygon: Points,
        radius: float,
        colour: Rgb,
        opacity: float = 1.0,
        within: Mask | None = None,
    ) -> None:
        """Lays a colour over a polygon whose edge fades over about `radius` portrait pixels.

        Args:
            polygon: what is covered.
            radius: how soft its edge is.
            colour: of the layer.
            opacity: 0 to 1, in the middle.
            within: nothing is laid outside of this area.
        """
        sigma = max(0.3, radius * self.scale * 0.5)
        rows, columns = self.pixels.shape[:2]
        placed = polygon * f32(self.scale)
        (low_x, low_y), (high_x, high_y) = placed.min(axis=0).tolist(), placed.max(axis=0).tolist()
        left = max(math.floor(low_x + self.origin[0] - 3 * sigma), 0)
        top = max(math.floor(low_y + self.origin[1] - 3 * sigma), 0)
        width = min(math.ceil(high_x + self.origin[0] + 3 * sigma), columns) - left
        height = min(math.ceil(high_y + self.origin[1] + 3 * sigma), rows) - top
        if width <= 0 or height <= 0 or opacity <= 0:
            return
        # What is soft needs few pixels: drawn and blurred small, it is as smooth and sooner done.
        shrink = max(1.0, sigma / _SOFT)
        size = (max(1, round(width / shrink)), max(1, round(height / shrink)))
        small: Mask = np.zeros((size[1], size[0]), np.uint8)
        across, down = size[0] / width * (1 << _SHIFT), size[1] / height * (1 << _SHIFT)
        placed *= f32((across, down))
        # As in `_corners`, half a pixel less.
        half = 1 << (_SHIFT - 1)
        at_x, at_y = (self.origin[0] - left) * across - half, (self.origin[1] - top) * down - half
        placed += f32((at_x, at_y))
        corners = np.asarray(np.rint(placed, out=placed), np.int32)
        cv2.fillPoly(small, [corners], 255, cv2.LINE_AA, _SHIFT)
        area = (slice(top, top + height), slice(left, left + width))
        if shrink > 1:
            small = np.asarray(cv2.stackBlur(small, (_SOFT_WINDOW,) * 2), np.uint8)
            if self._is_clear and within is None:
                self._is_clear = False
                cv2.resize(_coloured(small, colour, opacity), (width, height), self.pixels[area])
                return
            mask = cv2.resize(small, (width, height))
        else:
            mask = cv2.GaussianBlur(small, (0, 0), sigma)
        if within is not None:
            mask = cv2.min(mask, within[area])
        self._lay(area, np.asarray(mask, np.uint8), colour, opacity)

    def spot(
        self,
        centre: tuple[float, float],
        radii: tuple[float, float],
        softness: float,
        colour: Rgb,
        opacity: float,
        within: Mask,
    ) -> None:
        """Lays a soft ellipse that is always of the same size; its place is a whole pixel.

        Args:
            centre: of the ellipse.
            radii: half its width and height.
            softness: over how many portrait pixels its edge fades.
            colour: of the layer.
            opacity: 0 to 1, in the middle.
            within: nothing is laid outside of this area.
        """
        stamp = _stamp(radii[0] * self.scale, radii[1] * self.scale, softness * self.scale * 0.5)
        rows, columns = stamp.shape
        left = round(self.origin[0] + centre[0] * self.scale - columns / 2)
        top = round(self.origin[1] + centre[1] * self.scale - rows / 2)
        area = (slice(max(top, 0), max(top + rows, 0)), slice(max(left, 0), max(left + columns, 0)))
        inside = within[area]
        if inside.size:
            stamp = stamp[area[0].start - top :, area[1].start - left :]
            mask = cv2.min(stamp[: inside.shape[0], : inside.shape[1]], inside)
            self._lay(area, np.asarray(mask, np.uint8), colour, opacity)

    def flood(self, colour: Rgb) -> None:
        """Fills everything with an opaque colour."""
        self.pixels.view(np.uint32)[:] = np.array([*colour, 255], np.uint8).view(np.uint32)
        self._is_clear = False

    def flood_gradient(self, stops: Stops) -> None:
        """Fills everything with opaque colours that change from top to bottom."""
        self.pixels.view(np.uint32)[:] = self._ramp(stops, slice(0, self.pixels.shape[0]))
        self._is_clear = False

    def tint(self, mask: Mask, colour: Rgb, opacity: float = 1.0) -> None:
        """Lays a colour over the area of `mask`."""
        area = _area(mask)
        if area is not None and opacity > 0:
            self._lay(area, mask[area], colour, opacity)

    def gradient(self, mask: Mask, stops: Stops) -> None:
        """Lays colours that change from top to bottom over the area of `mask`.

        Only what it covers wholly changes: first `fill` it, which smooths its edge.
        """
        area = _area(mask)
        if area is not None:
            part = self.pixels[area]
            ramp = np.empty(part.shape[:2], np.uint32)
            ramp[:] = self._ramp(stops, area[0])[..., 0]
            _, whole = cv2.threshold(mask[area], 254, 255, cv2.THRESH_BINARY)
            cv2.copyTo(ramp.view(np.uint8).reshape(part.shape), whole, part)

    def _ramp(self, stops: Stops, rows: slice) -> NDArray[np.uint32]:
        """One column of a gradient as packed pixels, [rows, 1, 1]."""
        at = [y for y, _ in stops]
        y = (np.arange(rows.start, rows.stop, dtype=np.float32) - self.origin[1]) / self.scale
        ramp = np.full((len(y), 1, 4), 255, np.uint8)
        for i in range(3):
            ramp[:, 0, i] = np.interp(y, at, [colour[i] for _, colour in stops])
        return ramp.view(np.uint32)

    def paste(self, other: Canvas, clip: Mask) -> None:
        """Lays another canvas of the same place, opaque all over, on this one inside `clip`."""
        area = _area(clip)
        if area is not None:
            share = cv2.merge([clip[area]] * 4)
            above = cv2.multiply(other.pixels[area], share, scale=1 / 255)
            self._over(area, above, cv2.bitwise_not(share))

    def _lay(self, area: tuple[slice, slice], mask: Mask, colour: Rgb, opacity: float) -> None:
        above = _coloured(mask, colour, opacity)
        keep = cv2.convertScaleAbs(mask, alpha=-min(opacity, 1.0), beta=255)
        self._over(area, above, cv2.merge([keep] * 4))

    def _over(
        self, area: tuple[slice, slice], above: cv2.typing.MatLike, keep: cv2.typing.MatLike
    ) -> None:
        """Premultiplied pixels over what is there, of which `keep` (0 to 255) stays."""
        part = self.pixels[area]
        cv2.add(cv2.multiply(part, keep, scale=1 / 255), above, dst=part)
        self._is_clear = False


def _coloured(mask: Mask, colour: Rgb, opacity: float) -> NDArray[np.uint8]:
    """A layer of one colour, as opaque as `mask` says, [height, width, 4]."""
    packed = np.take(_levels(colour, opacity), mask)
    return packed.view(np.uint8).reshape(*mask.shape, 4)


@lru_cache(maxsize=64)
def _stamp(wide: float, tall: float, sigma: float) -> Mask:
    """A soft ellipse in the middle of a mask that just holds it."""
    across, down = math.ceil(wide + 3 * sigma), math.ceil(tall + 3 * sigma)
    mask: Mask = np.zeros((2 * down, 2 * across), np.uint8)
    corners = (ellipse((across - 0.5, down - 0.5), (wide, tall)) * (1 << _SHIFT)).round()
    cv2.fillPoly(mask, [corners.astype(np.int32)], 255, cv2.LINE_AA, _SHIFT)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), max(sigma, 0.3)), np.uint8)


@lru_cache(maxsize=256)
def _levels(colour: Rgb, opacity: float) -> NDArray[np.uint32]:
    """For each level of a mask the packed pixel that is laid, [256]."""
    share = np.arange(256, dtype=np.float32)[:, None] * np.float32(min(opacity, 1.0) / 255)
    levels: NDArray[np.uint8] = np.rint(share * np.array([*colour, 255])).astype(np.uint8)
    return np.asarray(levels.view(np.uint32)[:, 0], np.uint32)


def _area(mask: Mask) -> tuple[slice, slice] | None:
    """The rows and columns in which there is anything to lay, or None."""
    x, y, width, height = cv2.boundingRect(mask)
    if not width:
        return None
    return slice(y, y + height), slice(x, x + width)
