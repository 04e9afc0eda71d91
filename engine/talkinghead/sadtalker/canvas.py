"""Canvas: the part of a portrait that a clip shows, and the place of the moving face on it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from engine.portrait.base import Image
from engine.talkinghead.sadtalker.facecrop import FaceCrop

Framing = Literal["full", "crop"]

_FEATHER: Final = 0.12
"""Share of the face's side over which it goes over into the picture."""
_EDGE: Final = 1.0
"""Pixels: a face that ends so near to the frame's edge ends with the frame."""


@dataclass(frozen=True)
class Canvas:
    """A portrait at the size of a frame.

    Attributes:
        picture: [size, size, 3] RGB.
        box: left, top, right, bottom of the face in the frame; exact, may reach beyond it.
        mask: [size, size] uint8, how much of the moving face is seen: 0 none, 255 all.
    """

    picture: Image
    box: tuple[float, float, float, float]
    mask: NDArray[np.uint8]

    @property
    def region(self) -> tuple[int, int, int, int]:
        """Left, top, right, bottom of the frame's pixels that the face may change."""
        size = len(self.picture)
        left, top, right, bottom = self.box
        return (
            max(0, math.floor(left)),
            max(0, math.floor(top)),
            min(size, math.ceil(right)),
            min(size, math.ceil(bottom)),
        )


def make_canvas(image: Image, crop: FaceCrop, size: int, framing: Framing) -> Canvas:
    """What a clip of a portrait shows.

    Args:
        image: [height, width, 3] RGB.
        crop: where its face is.
        size: width and height of a frame.
        framing: full: the largest square of the picture around the face; crop: the largest square
            within the face's box.
    """
    import cv2

    height, width = image.shape[:2]
    box = crop.box_in(width, height)
    left, top, side = view(box, width, height, framing)
    part = np.ascontiguousarray(image[top : top + side, left : left + side, :3])
    how = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
    picture = part if side == size else cv2.resize(part, (size, size), interpolation=how)
    scale = size / side
    placed = (
        (box[0] - left) * scale,
        (box[1] - top) * scale,
        (box[2] - left) * scale,
        (box[3] - top) * scale,
    )
    return Canvas(np.asarray(picture, np.uint8), placed, feathered(placed, size))


def view(
    box: tuple[float, float, float, float], width: int, height: int, framing: Framing
) -> tuple[int, int, int]:
    """Left, top and side of the square of a picture that a clip shows."""
    side = min(width, height)
    if framing == "crop":
        side = min(side, max(1, math.floor(min(box[2] - box[0], box[3] - box[1]))))
    middle_x, middle_y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    left = int(np.clip(math.ceil(middle_x - side / 2 - 0.5), 0, width - side))
    top = int(np.clip(math.ceil(middle_y - side / 2 - 0.5), 0, height - side))
    return left, top, side


def feathered(box: tuple[float, float, float, float], size: int) -> NDArray[np.uint8]:
    """A mask that fades towards the sides of `box`, but not where the frame ends there as well.

    Args:
        box: left, top, right, bottom, pixels.
        size: width and height of the mask.
    """
    across = _fade(box[0], box[2], size)
    down = _fade(box[1], box[3], size)
    return np.rint(255 * down[:, None] * across).astype(np.uint8)


def _fade(low: float, high: float, size: int) -> NDArray[np.float64]:
    reach = max(1.0, _FEATHER * (high - low))
    at = np.arange(size) + 0.5
    share = np.ones(size)
    if low > _EDGE:
        share = np.minimum(share, (at - low) / reach)
    if high < size - _EDGE:
        share = np.minimum(share, (high - at) / reach)
    share = np.clip(share, 0, 1)
    return share * share * (3 - 2 * share)
