"""How a subject stands in its portrait: large, and so close that the face can be seen well."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pictures

from engine.portrait.base import Image
from engine.portrait.illustrated.proportions import moved
from personas.persona import FaceGeometry, Point

Box = tuple[float, float, float, float]

FACE_SHARE = 0.37
"""Width of the face oval to aim at, of the picture's width."""
LEAST_FACE = 0.334
"""Its least width: a third of the picture's."""
NEAREST = 1.35
"""How much nearer to come for more than that: what it is the face of should be seen as well."""
LARGEST_FACE = 0.62
"""A face is not brought nearer than this."""
AIR = 0.06
"""Free border of a subject that is seen whole, of the picture's width."""


@dataclass(frozen=True)
class Frame:
    """From the art's pixels to the portrait's: first scaled, then shifted.

    Attributes:
        scale: portrait pixels for one pixel of the art.
        shift: portrait pixels.
        grounded: the subject's foot is in the picture, so it casts a shadow on the ground.
    """

    scale: float
    shift: Point
    grounded: bool

    def face(self, geometry: FaceGeometry) -> FaceGeometry:
        """A face of the art, in the portrait."""
        return moved(geometry, self.scale, self.shift)

    def window(self, size: int) -> Box:
        """What of the art the portrait shows: left, top, right, bottom in the art's pixels."""
        left, top = -self.shift[0] / self.scale, -self.shift[1] / self.scale
        return left, top, left + size / self.scale, top + size / self.scale

    def picture(self, rgba: Image, size: int) -> Image:
        """The art as the portrait shows it: [size, size, 4], straight alpha."""
        left, top, right, _ = self.window(size)
        span = right - left
        height, width = rgba.shape[:2]
        margins = (
            max(0, int(np.ceil(-left)) + 1),
            max(0, int(np.ceil(-top)) + 1),
            max(0, int(np.ceil(left + span - width)) + 1),
            max(0, int(np.ceil(top + span - height)) + 1),
        )
        padded = np.pad(rgba, ((margins[1], margins[3]), (margins[0], margins[2]), (0, 0)))
        box = (left + margins[0], top + margins[1])
        # Premultiplied, so that what is transparent does not colour the edges.
        art = Pictures.fromarray(padded, "RGBA").convert("RGBa")
        kind = Pictures.Resampling.LANCZOS if self.scale < 1 else Pictures.Resampling.BICUBIC
        shown = art.resize((size, size), kind, (*box, box[0] + span, box[1] + span))
        return np.array(shown.convert("RGBA"))


def frame_subject(box: Box, geometry: FaceGeometry, size: int) -> Frame:
    """Brings a subject so near that its face takes at least a third of the width.

    Args:
        box: left, top, right, bottom of the subject in the art, pixels.
        geometry: its face, in the art.
        size: width and height of the portrait, pixels.
    """
    left, top, right, bottom = box
    whole = size * (1 - 2 * AIR) / max(right - left, bottom - top, 1)
    seen = max(LEAST_FACE * size / geometry.width, NEAREST * whole)
    scale = max(whole, min(FACE_SHARE * size / geometry.width, seen))
    scale = min(scale, max(LARGEST_FACE * size / geometry.width, 1e-6))
    x, y = geometry.centre
    across = _pan(left * scale, right * scale, x * scale, 0.5 * size, size)
    down = _pan(top * scale, bottom * scale, y * scale, 0.47 * size, size)
    if down + bottom * scale <= size * (1 - AIR / 2) and (bottom - top) * scale < size * 0.8:
        # What is low stands on the ground rather than in the air.
        down += 0.35 * (size * (1 - 1.4 * AIR) - (down + bottom * scale))
    return Frame(scale, (across, down), down + bottom * scale <= size * (1 - AIR / 3))


def _pan(low: float, high: float, face: float, wish: float, size: float) -> float:
    """The shift along one axis: whole subjects in the middle, larger ones by their face."""
    air = AIR * size
    if high - low <= size - 2 * air:
        middle = (size - low - high) / 2
        room = (size - 2 * air - (high - low)) / 2
        return middle + float(np.clip(wish - face - middle, -room * 0.6, room * 0.6))
    shift = wish - face
    # No more empty border than a whole subject would have.
    return float(np.clip(shift, size - air - high, air - low))


def upright(rgba: Image) -> tuple[Image, float]:
    """Long things that lie at a slant, stood up on end; all others as they are.

    Args:
        rgba: the subject, straight alpha.

    Returns:
        The picture, of the same size, and the angle it was turned by, radians clockwise.
    """
    step = max(1, rgba.shape[0] // 128)
    y, x = np.nonzero(rgba[::step, ::step, 3] > 127)
    if len(x) < 12:
        return rgba, 0.0
    spread = np.cov(np.stack([x, y]).astype(np.float64))
    values, axes = np.linalg.eigh(spread)
    long, across = axes[:, 1], max(float(values[0]), 1e-6)
    slant = float(np.arctan2(long[0], long[1]))  # from straight down
    slant = (slant + np.pi / 2) % np.pi - np.pi / 2
    if values[1] / across < 7.0 or not 0.2 < abs(slant) < 1.05:
        return rgba, 0.0
    height, width = rgba.shape[:2]
    centre = (float(x.mean()) * step, float(y.mean()) * step)
    matrix = cv2.getRotationMatrix2D(centre, -np.degrees(slant), 1.0)
    matrix[:, 2] += (width / 2 - centre[0], height / 2 - centre[1])
    corners = np.stack([x * step, y * step, np.ones(len(x))]).T @ matrix.T
    reach = float(np.abs(corners - (width / 2, height / 2)).max())
    shrink = min(1.0, 0.49 * min(height, width) / reach)
    matrix[:, :2] *= shrink
    matrix[:, 2] = (matrix[:, 2] - (width / 2, height / 2)) * shrink + (width / 2, height / 2)
    return _warped(rgba, np.asarray(matrix, np.float64)), slant


def _warped(rgba: Image, matrix: NDArray[np.float64]) -> Image:
    """An affine view of a straight-alpha picture."""
    alpha = rgba[..., 3:].astype(np.float32) / 255
    premultiplied = np.dstack([rgba[..., :3] * alpha, alpha * 255])
    size = (rgba.shape[1], rgba.shape[0])
    turned = cv2.warpAffine(premultiplied, matrix, size, flags=cv2.INTER_CUBIC)
    shown = np.clip(turned[..., 3:], 0, 255)
    colour = np.clip(turned[..., :3] * 255 / np.maximum(shown, 1), 0, 255)
    return np.dstack([colour, shown]).round().astype(np.uint8)
