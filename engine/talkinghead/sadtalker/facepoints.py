"""The five points of a face that SadTalker needs: eyes, tip of the nose, corners of the mouth."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from engine.portrait.base import Landmarks
from personas.persona import FaceGeometry

Points = NDArray[np.float64]

_MOUTH_68 = (48, 54)
_EYES_68 = ((36, 39), (42, 45))
_NOSE_68 = 30
_OVAL_EYES_68 = (slice(36, 42), slice(42, 48))


def five_of_68(points: Points) -> Points:
    """Eyes, nose, mouth corners, [5, 2], of the usual 68 points; eyes are midway their corners."""
    eyes = [points[list(corners)].mean(axis=0) for corners in _EYES_68]
    return np.stack([*eyes, points[_NOSE_68], *(points[corner] for corner in _MOUTH_68)])


def crop_points_of_68(points: Points) -> Points:
    """Eyes, by their whole outlines, and mouth corners, [4, 2]: what face crops are measured by."""
    eyes = [points[outline].mean(axis=0) for outline in _OVAL_EYES_68]
    return np.stack([*eyes, *(points[corner] for corner in _MOUTH_68)])


def five_of_geometry(geometry: FaceGeometry) -> Points:
    """The five points, [5, 2], of a face whose geometry is known, drawn or found."""
    along = np.array([math.cos(geometry.roll), math.sin(geometry.roll)])
    half = along * geometry.mouth_width / 2
    mouth = np.asarray(geometry.mouth)
    return np.stack(
        [
            np.asarray(geometry.left_eye, np.float64),
            np.asarray(geometry.right_eye, np.float64),
            np.asarray(geometry.nose, np.float64),
            mouth - half,
            mouth + half,
        ]
    )


def five_of_landmarks(found: Landmarks) -> Points:
    """The five points, [5, 2], of a face that a detector found; exact corners where it has them."""
    if len(found.points) == 68:
        return five_of_68(found.points.astype(np.float64))
    return five_of_geometry(found.geometry)


def crop_points(five: Points) -> Points:
    """Eyes and mouth corners, [4, 2], of five points."""
    return five[[0, 1, 3, 4]]
