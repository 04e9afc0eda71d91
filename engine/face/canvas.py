"""Canvas: a small supersampled picture with premultiplied alpha, and the sprite it becomes."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.face.colours import Rgb
from engine.face.curves import Points, f32

Mask = NDArray[np.uint8]

_SHIFT = 4
"""Fractional bits of polygon corners."""

Stops = tuple[tuple[float, Rgb], ...]
"""Colours of a gradient: (y, colour) with y rising."""


@dataclass(frozen=True)
class Sprite:
    """A drawn feature, ready to be placed.

    Attributes:
        pixels: [height, width, 4] uint8 RGBA, premultiplied.
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
        # Half a pixel less: polygon corners are continuous, pixel centres lie at whole numbers.
        self._unit = f32(scale * (1 << _SHIFT))
        self._shift = f32([(at - 0.5) * (1 << _SHIFT) for at in self.origin])

    def like(self) -> Canvas:
        """Another clear canvas of the same place and size."""
        other = copy(self)
        other.pixels = np.zeros_like(self.pixels)
        return other

    def sprite(self) -> Sprite:
        """What was drawn."""
        return Sprite(self.pixels, self.origin, self.scale)

    def _corners(self, polygon: Points) -> NDArray[np.int32]:
        placed = polygon * self._unit + self._shift
        corners: NDArray[np.int32] = np.rint(placed, out=placed).astype(np.int32)
        return corners

    def fill(self, polygon: Points, colour: Rgb) -> None:
        """Fills with an opaque colour: on premultiplied pixels anti-aliasing is a plain mix."""
        cv2.fillPoly(self.pixels, [self._corners(polygon)], (*colour, 255), cv2.LINE_AA, _SHIFT)

    def mask(self, *polygons: Points) -> Mask:
        """The area of the polygons, 0 to 255."""
        mask: Mask = np.zeros(self.pixels.shape[:2], np.uint8)
        for polygon in polygons:
            cv2.fillPoly(mask, [self._corners(polygon)], 255, cv2.LINE_AA, _SHIFT)
        return mask

    def soft_mask(self, polygon: Points, radius: float) -> Mask:
        """The area of a polygon with an edge that fades over about `radius` portrait pixels."""
        sigma = max(0.3, radius * self.scale * 0.5)
        rows, columns = self.pixels.shape[:2]
        result: Mask = np.zeros((rows, columns), np.uint8)
        placed = polygon * self.scale + f32(self.origin)
        left, top = np.maximum(np.floor(placed.min(axis=0) - 3 * sigma), 0).astype(int).tolist()
        right, bottom = np.ceil(placed.max(axis=0) + 3 * sigma).astype(int).tolist()
        width, height = min(right, columns) - left, min(bottom, rows) - top
        if width <= 0 or height <= 0:
            return result
        # What is soft needs few pixels: drawn and blurred small, it is as smooth and sooner done.
        shrink = int(np.clip(sigma / 1.5, 1, 8))
        mask: Mask = np.zeros((-(-height // shrink), -(-width // shrink)), np.uint8)
        placed = (placed - f32((left, top))) / f32(shrink) - f32(0.5)
        corners = np.asarray(np.rint(placed * (1 << _SHIFT)), np.int32)
        cv2.fillPoly(mask, [corners], 255, cv2.LINE_AA, _SHIFT)
        soft = cv2.GaussianBlur(mask, (0, 0), sigma / shrink)
        if shrink > 1:
            soft = cv2.resize(soft, (mask.shape[1] * shrink, mask.shape[0] * shrink))
        result[top : top + height, left : left + width] = soft[:height, :width]
        return result

    def flood(self, colour: Rgb) -> None:
        """Fills everything with an opaque colour."""
        packed = np.array([*colour, 255], np.uint8).view(np.uint32)
        self.pixels.view(np.uint32)[:] = packed

    def flood_gradient(self, stops: Stops) -> None:
        """Fills everything with opaque colours that change from top to bottom."""
        ramp = self._ramp(stops, slice(0, self.pixels.shape[0]))
        self.pixels[:] = cv2.repeat(ramp, 1, self.pixels.shape[1])

    def tint(self, mask: Mask, colour: Rgb, opacity: float = 1.0) -> None:
        """Lays a colour over the area of `mask`."""
        area = _area(mask, opacity)
        if area is not None:
            above, keep = _levels(colour, opacity)
            cover = cv2.merge([mask[area]] * 4)
            self._over(area, cv2.LUT(cover, above), cv2.LUT(cover, keep))

    def gradient(self, mask: Mask, stops: Stops) -> None:
        """Lays colours that change from top to bottom over the area of `mask`."""
        area = _area(mask, 1.0)
        if area is not None:
            share = cv2.merge([mask[area]] * 4)
            ramp = cv2.repeat(self._ramp(stops, area[0]), 1, share.shape[1])
            self._over(area, cv2.multiply(share, ramp, scale=1 / 255), cv2.bitwise_not(share))

    def _ramp(self, stops: Stops, rows: slice) -> NDArray[np.uint8]:
        """One column of a gradient, [rows, 1, 4]."""
        at = [y for y, _ in stops]
        y = (np.arange(rows.start, rows.stop, dtype=np.float32) - self.origin[1]) / self.scale
        ramp = np.full((len(y), 1, 4), 255, np.uint8)
        for i in range(3):
            ramp[:, 0, i] = np.interp(y, at, [colour[i] for _, colour in stops])
        return ramp

    def paste(self, other: Canvas, clip: Mask) -> None:
        """Lays another canvas of the same place over this one, only inside `clip`."""
        area = _area(clip, 1.0)
        if area is None:
            return
        above = cv2.multiply(other.pixels[area], cv2.merge([clip[area]] * 4), scale=1 / 255)
        keep = cv2.bitwise_not(cv2.extractChannel(above, 3))
        self._over(area, above, cv2.merge([keep] * 4))

    def _over(
        self, area: tuple[slice, slice], above: cv2.typing.MatLike, keep: cv2.typing.MatLike
    ) -> None:
        """Premultiplied pixels over what is there, of which `keep` (0 to 255) stays."""
        self.pixels[area] = cv2.add(cv2.multiply(self.pixels[area], keep, scale=1 / 255), above)


@lru_cache(maxsize=256)
def _levels(colour: Rgb, opacity: float) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """For each level of a mask, what is laid and how much stays of what is below, [256, 1, 4]."""
    share = np.arange(256, dtype=np.float32)[:, None, None] * np.float32(min(opacity, 1.0) / 255)
    above = np.rint(share * np.array([*colour, 255], np.float32)).astype(np.uint8)
    return above, np.repeat(255 - above[..., 3:], 4, axis=2)


def _area(mask: Mask, opacity: float) -> tuple[slice, slice] | None:
    """The rows and columns in which there is anything to lay, or None."""
    x, y, width, height = cv2.boundingRect(mask)
    if not width or opacity <= 0:
        return None
    return slice(y, y + height), slice(x, x + width)
