"""The square around a face that SadTalker animates, as in the FFHQ data it was trained with."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.portrait.base import Image

Points = NDArray[np.float64]

_OUTPUT: Final = 512
"""Pixels that a face has at most; pictures with larger ones are shrunk first."""


@dataclass(frozen=True)
class FaceCrop:
    """Which part of a picture is animated.

    Attributes:
        resized: width and height of the picture after shrinking.
        outer: left, top, right, bottom of the face with a border, in the shrunken picture.
        inner: of the face alone, relative to `outer`.
    """

    resized: tuple[int, int]
    outer: tuple[int, int, int, int]
    inner: tuple[float, float, float, float]

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, right, bottom of the face in the shrunken picture, whole pixels.

        It may reach beyond the picture's right and lower edge.
        """
        left, top = self.outer[:2]
        x0, y0, x1, y1 = (int(edge) for edge in self.inner)
        return left + x0, top + y0, left + x1, top + y1

    def box_in(self, width: int, height: int) -> tuple[float, float, float, float]:
        """What of the box is picture, in the picture as it was, or at any other size.

        The published program forgets the size after shrinking, and pastes large faces elsewhere. It
        forgets as well where the picture ends, and stretches faces that are cut off there.
        """
        across, down = width / self.resized[0], height / self.resized[1]
        left, top, right, bottom = self.box
        right, bottom = min(right, self.resized[0]), min(bottom, self.resized[1])
        return left * across, top * down, right * across, bottom * down


def crop_face(points: Points, width: int, height: int) -> FaceCrop:
    """Where the face is cut out.

    Args:
        points: [4, 2] eyes and mouth corners, pixels.
        width: of the picture.
        height: of the picture.
    """
    left_eye, right_eye, left_mouth, right_mouth = points
    eyes, mouth = (left_eye + right_eye) / 2, (left_mouth + right_mouth) / 2
    across, down = right_eye - left_eye, mouth - eyes
    axis = across - down[::-1] * (-1, 1)
    axis /= np.hypot(*axis)
    axis *= max(np.hypot(*across) * 2.0, np.hypot(*down) * 1.8)
    other = axis[::-1] * (-1, 1)
    middle = eyes + down * 0.1
    quad = np.stack(
        [middle - axis - other, middle - axis + other, middle + axis + other, middle + axis - other]
    )
    size = np.hypot(*axis) * 2
    shrink = max(1, math.floor(size / _OUTPUT * 0.5))
    resized = (width, height)
    if shrink > 1:
        resized = (int(np.rint(width / shrink)), int(np.rint(height / shrink)))
        quad /= shrink
        size /= shrink
    border = max(int(np.rint(size * 0.1)), 3)
    low, high = np.floor(quad.min(axis=0)), np.ceil(quad.max(axis=0))
    outer = (
        max(int(low[0]) - border, 0),
        max(int(low[1]) - border, 0),
        min(int(high[0]) + border, resized[0]),
        min(int(high[1]) + border, resized[1]),
    )
    if outer[2] - outer[0] < resized[0] or outer[3] - outer[1] < resized[1]:
        quad -= outer[:2]
    corners = quad + 0.5
    inner = (
        max(min(corners[0, 0], corners[1, 0]), 0.0),
        max(min(corners[0, 1], corners[3, 1]), 0.0),
        min(max(corners[2, 0], corners[3, 0]), float(resized[0])),
        # By the width, as it was when the networks were trained; it matters for wide pictures only.
        min(max(corners[1, 1], corners[2, 1]), float(resized[0])),
    )
    return FaceCrop(resized, outer, (float(inner[0]), float(inner[1]), float(inner[2]), inner[3]))


def cut_face(image: Image, crop: FaceCrop, size: int) -> Image:
    """The face as the networks see it, [size, size, 3] RGB."""
    import cv2

    part = np.ascontiguousarray(image[..., :3])
    if crop.resized != (image.shape[1], image.shape[0]):
        part = np.asarray(cv2.resize(part, crop.resized), np.uint8)
    left, top, right, bottom = crop.box
    face = np.ascontiguousarray(part[top:bottom, left:right])
    return np.asarray(cv2.resize(face, (size, size)), np.uint8)
