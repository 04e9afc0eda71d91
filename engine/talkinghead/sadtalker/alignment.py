"""Brings a face to the place and size that the reconstruction network was trained with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.portrait.base import Image

Points = NDArray[np.float64]

SIZE: Final = 224
_SCALE: Final = 102.0

TEMPLATE: Final = np.array(
    [
        (-0.3114865720272064, 0.29036077857017517, 0.13377952575683594),
        (0.30979886651039124, 0.289720356464386, 0.1317952573299408),
        (0.003253498813137412, -0.04617932438850403, 0.5524424314498901),
        (-0.25216928124427795, -0.3813391625881195, 0.22405731678009033),
        (0.24846619367599487, -0.38128235936164856, 0.22235769033432007),
    ]
)
"""[5, 3]: eyes, tip of the nose, mouth corners of a mean face, y up (Deep3DFaceRecon's
`similarity_Lm3D_all`)."""


@dataclass(frozen=True)
class Alignment:
    """How a picture is scaled and cut for the reconstruction network.

    Attributes:
        scale: of the picture.
        x: the face's place in it, pixels.
        y: likewise, counted from the bottom.
        resized: width and height of the scaled picture.
        box: left, top, right, bottom of the cut in it; may reach beyond it.
    """

    scale: float
    x: float
    y: float
    resized: tuple[int, int]
    box: tuple[int, int, int, int]

    @property
    def placed(self) -> tuple[float, float, float]:
        """What a source's coefficients tell of it: scale, x, y."""
        return self.scale, self.x, self.y

    def moved(self, points: Points, width: int, height: int) -> Points:
        """Where points of the picture, y up, lie in the cut, y up."""
        middle = np.array([width, height]) / 2
        offset = (np.array(self.resized) - SIZE) / 2
        return (points - (self.x, self.y) + middle) * self.scale - offset


def align(five: Points, width: int, height: int) -> Alignment:
    """Where the mean face lies in a picture, by least squares.

    Args:
        five: [5, 2] eyes, nose, mouth corners, pixels, y counted from the bottom.
        width: of the picture.
        height: of the picture.
    """
    scale, x, y = position(five)
    factor = _SCALE / scale
    wide, tall = int(width * factor), int(height * factor)
    left = int(wide / 2 - SIZE / 2 + (x - width / 2) * factor)
    top = int(tall / 2 - SIZE / 2 + (height / 2 - y) * factor)
    box = (left, top, left + SIZE, top + SIZE)
    return Alignment(factor, x, y, (wide, tall), box)


def position(five: Points) -> tuple[float, float, float]:
    """Size, x and y of the mean face that fits five points best under an affine camera."""
    known = np.column_stack([TEMPLATE, np.ones(len(TEMPLATE))])
    solution, *_ = np.linalg.lstsq(known, np.asarray(five, np.float64), rcond=None)
    scale = float(np.linalg.norm(solution[:3], axis=0).mean())
    return scale, float(solution[3, 0]), float(solution[3, 1])


def upward(points: Points, height: int) -> Points:
    """Points of a picture with y counted from the bottom."""
    return np.column_stack([points[:, 0], height - 1 - points[:, 1]])


def cut(image: Image, alignment: Alignment) -> Image:
    """The aligned face, [224, 224, 3] RGB; black where the picture ends."""
    from PIL import Image as Pillow

    # Only what is cut is scaled: a small face in a huge picture must not make it larger still.
    wide, tall = alignment.resized
    left, top, right, bottom = alignment.box
    inside = (max(left, 0), max(top, 0), min(right, wide), min(bottom, tall))
    aligned = np.zeros((SIZE, SIZE, 3), np.uint8)
    if inside[0] >= inside[2] or inside[1] >= inside[3]:
        return aligned
    across, down = image.shape[1] / wide, image.shape[0] / tall
    right, bottom = min(inside[2] * across, image.shape[1]), min(inside[3] * down, image.shape[0])
    source = (inside[0] * across, inside[1] * down, right, bottom)
    part = Pillow.fromarray(np.ascontiguousarray(image[..., :3])).resize(
        (inside[2] - inside[0], inside[3] - inside[1]), Pillow.Resampling.BICUBIC, box=source
    )
    aligned[inside[1] - top : inside[3] - top, inside[0] - left : inside[2] - left] = np.asarray(
        part
    )
    return aligned
