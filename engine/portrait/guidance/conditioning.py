"""Pictures of landmarks, as ControlNets for faces were trained on them.

Formats: CrucibleAI/ControlNetMediaPipeFace (lines of FaceMesh, 2 pixels wide at 512, a colour for
each part, square pupils) and georgefen/Face-Landmark-ControlNet (68 white dots on black).
"""

from __future__ import annotations

import cv2
import numpy as np

from engine.portrait.base import Image
from engine.portrait.guidance.contours import Contours, Line, points_68
from personas.recipes import ControlKind

_OVAL = (10, 200, 10)
_LIPS = (10, 180, 10)
_LEFT_EYE, _LEFT_BROW, _LEFT_PUPIL = (180, 200, 10), (180, 220, 10), (250, 200, 10)
_RIGHT_EYE, _RIGHT_BROW, _RIGHT_PUPIL = (10, 200, 180), (10, 220, 180), (10, 200, 250)
_SHIFT = 4


def draw_landmarks(lines: Contours, size: int, kind: ControlKind) -> Image:
    """The conditioning picture of a face.

    Args:
        lines: of the face, pixels of the picture.
        size: width and height, pixels.
        kind: what the ControlNet was trained on.

    Returns:
        [size, size, 3] RGB, black where no landmark is.
    """
    image = np.zeros((size, size, 3), np.uint8)
    if kind == "points68":
        radius = max(1, round(size / 170))
        for x, y in points_68(lines):
            cv2.circle(image, (round(float(x)), round(float(y))), radius, (255, 255, 255), -1)
        return image
    width = max(1, round(size / 256))

    def line(points: Line, colour: tuple[int, int, int], closed: bool = True) -> None:
        corners = np.round(points * (1 << _SHIFT)).astype(np.int32)
        cv2.polylines(image, [corners], closed, colour, width, cv2.LINE_8, _SHIFT)

    line(lines.oval, _OVAL)
    line(lines.outer_lips, _LIPS)
    line(lines.inner_lips, _LIPS)
    line(lines.left_eye, _LEFT_EYE)
    line(lines.right_eye, _RIGHT_EYE)
    line(lines.left_brow, _LEFT_BROW, closed=False)
    line(lines.right_brow, _RIGHT_BROW, closed=False)
    half = max(1, round(size / 256))
    for (x, y), colour in zip(lines.pupils, (_LEFT_PUPIL, _RIGHT_PUPIL), strict=True):
        row, column = round(float(y)), round(float(x))
        image[max(0, row - half) : row + half, max(0, column - half) : column + half] = colour
    return image
