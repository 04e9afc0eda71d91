"""From a detector's points to a face geometry, and which detectors can run here."""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.portrait.base import FaceLandmarker
from personas.persona import FaceGeometry, Point

Points = NDArray[np.float32]

INSTALL: Final = "scripts/install landmarks (in a clone of the repository; Python 3.11 or 3.12)"
"""What adds MediaPipe. pip would take its metadata at their word, and bring numpy 1 and a second
OpenCV, which do not go with what is installed."""


@dataclass(frozen=True)
class Topology:
    """Which points of a detector are what. *Left* and *right* are the picture's.

    Attributes:
        left_eye: outer and inner corner.
        right_eye: inner and outer corner.
        nose: tip.
        mouth: left and right corner.
        lips: lower edge of the upper lip and upper edge of the lower lip, in the middle.
        top: highest point of the face oval.
        chin: lowest point of the face oval.
        left: leftmost point of the face oval.
        right: rightmost point of the face oval.
    """

    left_eye: tuple[int, int]
    right_eye: tuple[int, int]
    nose: int
    mouth: tuple[int, int]
    lips: tuple[int, int]
    top: int
    chin: int
    left: int
    right: int


FACE_MESH = Topology(
    left_eye=(33, 133),
    right_eye=(362, 263),
    nose=1,
    mouth=(61, 291),
    lips=(13, 14),
    top=10,
    chin=152,
    left=234,
    right=454,
)
"""MediaPipe FaceMesh, 468 or 478 points."""

POINTS_68 = Topology(
    left_eye=(36, 39),
    right_eye=(42, 45),
    nose=30,
    mouth=(48, 54),
    lips=(62, 66),
    top=27,
    chin=8,
    left=0,
    right=16,
)
"""The 68 points of iBUG 300-W, which dlib finds: jaw, brows, nose, eyes, lips."""


def geometry_of(points: Points, topology: Topology) -> FaceGeometry:
    """The face that `points` describe, in our words.

    Args:
        points: [n, 2], pixels.
        topology: which point is what.
    """

    def middle(pair: tuple[int, int]) -> Point:
        x, y = points[list(pair)].mean(axis=0)
        return float(x), float(y)

    def span(a: int, b: int) -> float:
        return max(float(np.linalg.norm(points[a] - points[b])), 1e-3)

    left_eye, right_eye = middle(topology.left_eye), middle(topology.right_eye)
    nose_x, nose_y = points[topology.nose]
    return FaceGeometry(
        source="found",
        left_eye=left_eye,
        right_eye=right_eye,
        eye_radius=(span(*topology.left_eye) + span(*topology.right_eye)) / 4,
        nose=(float(nose_x), float(nose_y)),
        mouth=middle(topology.lips),
        mouth_width=span(*topology.mouth),
        centre=middle((topology.top, topology.chin)),
        width=span(topology.left, topology.right),
        height=span(topology.top, topology.chin),
        roll=math.atan2(right_eye[1] - left_eye[1], right_eye[0] - left_eye[0]),
    )


def open_landmarkers() -> tuple[FaceLandmarker, ...]:
    """Every landmarker that is installed here and whose points say all of a face; may be none."""
    if find_spec("mediapipe") is None:
        return ()
    from engine.portrait.landmarks.mediapipe import MediaPipeFaceMesh

    return (MediaPipeFaceMesh(),)


def second_opinions() -> tuple[FaceLandmarker, ...]:
    """Detectors that are asked besides, for the record; may be none."""
    if find_spec("dlib") is None or find_spec("face_recognition_models") is None:
        return ()
    from engine.portrait.landmarks.dlib import DlibLandmarks

    return (DlibLandmarks(),)
