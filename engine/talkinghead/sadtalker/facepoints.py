"""The five points of a face that SadTalker needs: eyes, tip of the nose, corners of the mouth."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.portrait.base import FaceLandmarker, Image, Landmarks
from engine.portrait.landmarks.base import FACE_MESH
from personas.errors import ChatAnythingError, InvalidInputError
from personas.persona import FaceGeometry

log = logging.getLogger(__name__)

Points = NDArray[np.float64]

_DLIB: Final = 68
_FACE_MESH: Final = 468
_AGREE: Final = 0.5
"""Distances of the eyes by which a point found may differ from the one known."""
_NEAREST_EYES: Final = 6.0
"""Pixels between eyes below which nothing of a face can be seen."""

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
    points = found.points.astype(np.float64)
    if len(points) == _DLIB:
        return five_of_68(points)
    if len(points) < _FACE_MESH:
        return five_of_geometry(found.geometry)
    mesh = FACE_MESH
    eyes = [points[list(corners)].mean(axis=0) for corners in (mesh.left_eye, mesh.right_eye)]
    return np.stack([*eyes, points[mesh.nose], *(points[corner] for corner in mesh.mouth)])


def find_five(
    image: Image, geometry: FaceGeometry, landmarkers: Sequence[FaceLandmarker] = ()
) -> Points:
    """The five points, [5, 2], of a portrait's face.

    A face that we drew is where we drew it. One that was found is looked for once more, because
    a detector knows the corners of the mouth better than the geometry that is kept of it.

    Args:
        image: RGB.
        geometry: where the face is known to be.
        landmarkers: who may look for it.

    Raises:
        InvalidInputError: the geometry is none that a face can have in this picture.
    """
    known = five_of_geometry(geometry)
    _check(known, image.shape[1], image.shape[0])
    if geometry.source == "drawn":
        return known
    apart = float(np.linalg.norm(known[1] - known[0]))
    for landmarker in landmarkers:
        try:
            found = landmarker.find(image)
        except ChatAnythingError as error:
            log.info("%s cannot look at a portrait: %s", landmarker.name, error)
            continue
        if found is not None:
            five = five_of_landmarks(found)
            # Another face in the picture, or none at all, would be somewhere else.
            if np.abs(five - known).max() < _AGREE * apart:
                return five
    return known


def _check(five: Points, width: int, height: int) -> None:
    eyes = float(np.linalg.norm(five[1] - five[0]))
    inside = (five >= -0.1 * eyes) & (five <= np.array([width, height]) + 0.1 * eyes)
    if not (np.isfinite(five).all() and eyes >= _NEAREST_EYES and inside.all()):
        raise InvalidInputError("This portrait has no face that could be moved.")


def crop_points(five: Points) -> Points:
    """Eyes and mouth corners, [4, 2], of five points."""
    return five[[0, 1, 3, 4]]
