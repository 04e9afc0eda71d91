"""Contours and the pictures that ControlNets are shown."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.portrait.guidance.conditioning import draw_landmarks
from engine.portrait.guidance.contours import contours_of, drawn_contours, points_68
from engine.portrait.guidance.face import ReferenceFace, draw_reference
from engine.portrait.landmarks.base import POINTS_68, geometry_of, open_landmarkers
from personas.persona import Mood, PortraitBrief

FACE = draw_reference(PortraitBrief(subject="apple", mood=Mood.CHEERFUL), 1)


def test_the_68_points_are_those_of_the_standard() -> None:
    points = points_68(contours_of(FACE))
    assert points.shape == (68, 2)
    found = geometry_of(points, POINTS_68)
    drawn = FACE.geometry
    for name in ("left_eye", "right_eye", "nose", "mouth"):
        assert np.allclose(getattr(found, name), getattr(drawn, name), atol=0.05 * drawn.width)
    assert found.width == pytest.approx(drawn.width, rel=0.05)
    jaw = points[:17]
    assert (np.diff(jaw[:, 0]) > 0).all(), "from ear to ear"
    assert jaw[8, 1] == pytest.approx(jaw[:, 1].max(), abs=0.02 * drawn.width), "the chin is in it"


def test_drawn_contours_are_where_a_detector_sees_them() -> None:
    (mesh,) = open_landmarkers()
    seen = mesh.find(FACE.image)
    assert seen is not None
    real = contours_of(ReferenceFace(FACE.image, seen.geometry, points=seen.points))
    ours = contours_of(FACE)
    for name in ("left_eye", "right_eye", "outer_lips", "oval"):
        distance = np.linalg.norm(getattr(real, name).mean(0) - getattr(ours, name).mean(0))
        assert distance < 0.1 * FACE.geometry.width, name


def test_a_mood_bends_the_mouth_and_the_brows() -> None:
    happy = drawn_contours(FACE.geometry, Mood.CHEERFUL)
    grumpy = drawn_contours(FACE.geometry, Mood.GRUMPY)
    corner, middle = happy.outer_lips[0, 1], happy.inner_lips[:, 1].mean()
    assert corner < middle
    assert grumpy.outer_lips[0, 1] > grumpy.inner_lips[:, 1].mean()
    assert grumpy.left_brow[-1, 1] > grumpy.left_brow[0, 1], "angry brows fall towards the nose"


@pytest.mark.parametrize("size", [128, 512, 1024])
def test_the_mediapipe_picture_has_its_colours_on_black(size: int) -> None:
    face = draw_reference(PortraitBrief(subject="apple"), 1, size)
    image = draw_landmarks(contours_of(face), size, "mediapipe")
    assert image.shape == (size, size, 3) and image.dtype == np.uint8
    colours = {tuple(int(v) for v in colour) for colour in np.unique(image.reshape(-1, 3), axis=0)}
    assert colours == {
        (0, 0, 0),
        (10, 200, 10),
        (10, 180, 10),
        (180, 200, 10),
        (180, 220, 10),
        (250, 200, 10),
        (10, 200, 180),
        (10, 220, 180),
        (10, 200, 250),
    }
    assert (image == 0).all(axis=2).mean() > 0.9


def test_the_other_picture_has_68_white_dots() -> None:
    image = draw_landmarks(contours_of(FACE), 512, "points68")
    assert set(np.unique(image)) == {0, 255}
    count, _ = cv2.connectedComponents(image[..., 0])
    assert 50 < count - 1 <= 68, "some dots of closed lips touch"
