"""Canvas: a small supersampled picture with premultiplied alpha, and the sprite it becomes."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.face.colours import Rgb
from engine.face.curves import Points, f32

Mask = NDArray[np.uint8]

_SHIFT = 4
"""Fractional bits of polygon corners."""


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

    def like(self) -> Canvas:
        """Another clear canvas of the same place and size."""
        other = Canvas.__new__(Canvas)
        other.scale, other.origin = self.scale, self.origin
        other.pixels = np.zeros_like(self.pixels)
        return other

    def sprite(self) -> Sprite:
        """What was drawn."""
        return Sprite(self.pixels, self.origin, self.scale)

    def _corners(self, polygon: Points) -> NDArray[np.int32]:
        # Half a pixel less: polygon corners are continuous, pixel centres lie at whole numbers.
        placed = polygon * self.scale + (f32(self.origin) - 0.5)
        return np.asarray(np.rint(placed * (1 << _SHIFT)), np.int32)

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
        return np.asarray(cv2.GaussianBlur(self.mask(polygon), (0, 0), sigma), np.uint8)

    def tint(self, mask: Mask, colour: Rgb, opacity: float = 1.0) -> None:
        """Lays a colour over the area of `mask`."""
        self._lay(mask, f32(colour), opacity)

    def gradient(
        self, mask: Mask, stops: tuple[tuple[float, Rgb], ...], opacity: float = 1.0
    ) -> None:
        """Lays colours that change from top to bottom; stops are (y, colour), y rising."""
        rows = (np.arange(mask.shape[0], dtype=np.float32) - self.origin[1]) / self.scale
        at = [y for y, _ in stops]
        ramp = np.stack(
            [np.interp(rows, at, [colour[i] for _, colour in stops]) for i in range(3)], axis=1
        )
        self._lay(mask, ramp.astype(np.float32)[:, None, :], opacity)

    def _lay(self, mask: Mask, colour: NDArray[np.float32], opacity: float) -> None:
        x, y, width, height = cv2.boundingRect(mask)
        if not width or opacity <= 0:
            return
        area = (slice(y, y + height), slice(x, x + width))
        share = mask[area].astype(np.float32)[..., None] * (opacity / 255)
        below = self.pixels[area].astype(np.float32)
        if colour.ndim == 3:
            colour = colour[y : y + height]
        below *= 1 - share
        below[..., :3] += share * colour
        below[..., 3:] += share * 255
        np.rint(below, out=below)
        self.pixels[area] = below

    def paste(self, other: Canvas, clip: Mask) -> None:
        """Lays another canvas of the same place over this one, only inside `clip`."""
        x, y, width, height = cv2.boundingRect(clip)
        if not width:
            return
        area = (slice(y, y + height), slice(x, x + width))
        share = clip[area].astype(np.float32)[..., None] * (1 / 255)
        above = other.pixels[area].astype(np.float32) * share
        below = self.pixels[area].astype(np.float32)
        below *= 1 - above[..., 3:] * (1 / 255)
        below += above
        np.rint(below, out=below)
        self.pixels[area] = below
