"""Where SadTalker's five points of a face come from."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest

from engine.portrait.base import Image, Landmarks
from engine.portrait.landmarks.base import FACE_MESH, geometry_of
from engine.portrait.landmarks.mediapipe import MediaPipeFaceMesh
from engine.talkinghead.sadtalker.facepoints import find_five, five_of_geometry
from personas.errors import InvalidInputError, UnavailableError
from personas.persona import FaceGeometry
from tests.engine.talkinghead.speeches import portrait

IMAGE = np.zeros((256, 256, 3), np.uint8)


def face(source: str = "found", **changes: object) -> FaceGeometry:
    return portrait(256).geometry.model_copy(update={"source": source, **changes})


@dataclass
class Finder:
    """A landmarker that finds what it is told to."""

    points: np.ndarray | None
    name: str = "finder"
    error: Exception | None = None

    def find(self, image: Image) -> Landmarks | None:
        if self.error is not None:
            raise self.error
        if self.points is None:
            return None
        return Landmarks(self.points, face(), self.name)


def mesh(shift: float = 0.0) -> np.ndarray:
    """478 points of which those that count lie where the face is, `shift` pixels beside."""
    points = np.full((478, 2), 128, np.float32)
    known = five_of_geometry(face()) + shift
    for corners, middle in ((FACE_MESH.left_eye, known[0]), (FACE_MESH.right_eye, known[1])):
        points[list(corners)] = middle + np.array([(-5, 0), (5, 0)])
    points[FACE_MESH.nose] = known[2]
    points[list(FACE_MESH.mouth)] = known[3:]
    return points


def test_a_drawn_face_is_where_it_was_drawn_and_nobody_looks() -> None:
    finder = Finder(None, error=AssertionError("nobody needs to look"))
    five = find_five(IMAGE, face("drawn"), [finder])
    assert np.array_equal(five, five_of_geometry(face()))


def test_the_mouth_turns_with_the_face() -> None:
    upright, tilted = face(roll=0.0), face(roll=math.radians(90))
    assert five_of_geometry(upright)[3][0] < five_of_geometry(upright)[4][0]
    (x0, y0), (x1, y1) = five_of_geometry(tilted)[3:]
    assert x0 == pytest.approx(x1) and y1 - y0 == pytest.approx(tilted.mouth_width)


def test_a_detector_that_agrees_knows_better() -> None:
    five = find_five(IMAGE, face(), [Finder(mesh(3.0))])
    assert np.abs(five - five_of_geometry(face()) - 3).max() < 1e-3


@pytest.mark.parametrize(
    "finder", [Finder(None), Finder(mesh(200.0)), Finder(None, error=UnavailableError("Gone."))]
)
def test_one_that_finds_nothing_or_somebody_else_is_not_asked_again(finder: Finder) -> None:
    five = find_five(IMAGE, face(), [finder])
    assert np.array_equal(five, five_of_geometry(face()))
    assert np.abs(find_five(IMAGE, face(), [finder, Finder(mesh(2.0))]) - five).max() > 1


def test_the_68_points_of_other_detectors_do_as_well() -> None:
    points = np.zeros((68, 2), np.float32)
    known = five_of_geometry(face()) + 1
    points[36:42], points[42:48] = known[0], known[1]
    points[30], points[48], points[54] = known[2], known[3], known[4]
    assert np.abs(find_five(IMAGE, face(), [Finder(points)]) - known).max() < 1e-3


def test_points_of_no_known_order_leave_it_to_their_geometry() -> None:
    five = find_five(IMAGE, face(), [Finder(np.zeros((5, 2), np.float32))])
    assert np.array_equal(five, five_of_geometry(face()))


def test_faces_too_small_to_see_are_refused() -> None:
    tiny = face(left_eye=(100.0, 100.0), right_eye=(103.0, 100.0))
    with pytest.raises(InvalidInputError, match="face"):
        find_five(IMAGE, tiny)


def test_a_real_face_is_found_by_mediapipe() -> None:
    from skimage.data import astronaut

    image = np.ascontiguousarray(astronaut())
    landmarker = MediaPipeFaceMesh()
    try:
        found = landmarker.find(image)
        assert found is not None
        five = find_five(image, geometry_of(found.points, FACE_MESH), [landmarker])
    finally:
        landmarker.close()
    left_eye, right_eye, nose, left_mouth, right_mouth = five
    assert left_eye[0] < nose[0] < right_eye[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])
    assert np.hypot(*(right_mouth - left_mouth)) > 20
