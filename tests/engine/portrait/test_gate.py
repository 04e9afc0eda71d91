"""FaceGate and ImageSafety: what counts as a face, whose word counts, what everybody may see."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

from engine.portrait.gate import FaceGate, fault_of
from engine.portrait.guidance.face import aim, draw_reference
from engine.portrait.landmarks.base import open_landmarkers, second_opinions
from engine.portrait.safety import open_safety
from personas.persona import PortraitBrief
from tests.fakes.landmarker import ScriptedLandmarker

APPLE = PortraitBrief(subject="apple")
PICTURE = np.zeros((512, 512, 3), np.uint8)
FACE = aim(APPLE, 512)


def test_a_frontal_face_passes() -> None:
    gate = FaceGate(open_landmarkers(), second_opinions())
    verdict = gate.look(draw_reference(APPLE, 1).image)
    assert verdict.passed and verdict.reason == ""
    assert verdict.opinions == {"mediapipe-facemesh": True, "dlib-68": True}
    assert gate.look(np.ascontiguousarray(data.astronaut())).passed


def test_no_face_does_not() -> None:
    verdict = FaceGate(open_landmarkers(), second_opinions()).look(PICTURE)
    assert not verdict.passed and verdict.reason == "no face was found"
    assert verdict.opinions == {"mediapipe-facemesh": False, "dlib-68": False}


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"width": 40.0}, "too small"),
        ({"mouth": (256.0, 511.0)}, "cut off"),
        ({"left_eye": (2.0, 200.0)}, "cut off"),
        ({"roll": 0.9}, "tilted"),
        ({"nose": (330.0, 280.0)}, "turned away"),
        ({}, ""),
    ],
)
def test_why_a_face_will_not_do(changes: dict[str, object], fault: str) -> None:
    said = fault_of(FACE.model_copy(update=changes), 512, 512)
    assert fault in said and bool(said) == bool(fault)


def test_a_second_opinion_is_enough_where_the_head_takes_any_face() -> None:
    first, second = ScriptedLandmarker([False]), ScriptedLandmarker([True], name="second")
    verdict = FaceGate((first,), (second,)).look(PICTURE)
    assert verdict.found is not None and verdict.found.detector == "second"


def test_it_is_not_where_the_head_needs_landmarks() -> None:
    first, second = ScriptedLandmarker([False]), ScriptedLandmarker([True], name="second")
    verdict = FaceGate((first,), (second,), strict=True).look(PICTURE)
    assert not verdict.passed and verdict.opinions == {"scripted": False, "second": True}


def test_without_detectors_nobody_sees_anything() -> None:
    gate = FaceGate(())
    assert not gate.can_see
    assert gate.look(PICTURE).reason == "no detector is installed"
    assert not FaceGate((), (ScriptedLandmarker([True]),), strict=True).can_see


def test_harmless_pictures_are_fit_for_everybody() -> None:
    safety = open_safety()
    assert safety is not None
    for picture in (draw_reference(APPLE, 1).image, data.astronaut(), PICTURE):
        assert 0 <= safety.score(picture) < 0.4
