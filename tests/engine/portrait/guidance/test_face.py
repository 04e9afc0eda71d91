"""The reference face: detectors find it in every mood and colour, where it was drawn."""

from __future__ import annotations

import numpy as np
import pytest

from engine.portrait.benchmark.portraits import landmark_error
from engine.portrait.gate import fault_of
from engine.portrait.guidance.face import aim, draw_reference
from engine.portrait.guidance.materials import load_materials, material_colour
from engine.portrait.illustrated.palette import difference, lab_of
from engine.portrait.landmarks.base import open_landmarkers, second_opinions
from personas.persona import Mood, PortraitBrief

NURSE = PortraitBrief(subject="nurse", is_person=True, gender="female")
SUBJECTS = {
    "nurse": NURSE,
    "old man": PortraitBrief(subject="old man", is_person=True, gender="male", age="old"),
    "red apple": PortraitBrief(subject="red apple"),
    "yellow banana": PortraitBrief(subject="yellow banana"),
    "black piano": PortraitBrief(subject="black piano"),
    "white teapot": PortraitBrief(subject="white teapot"),
    "green frog": PortraitBrief(subject="green frog", age="child"),
    "blue whale": PortraitBrief(subject="blue whale", gender="male"),
    "silver robot": PortraitBrief(subject="silver robot"),
}


@pytest.mark.parametrize("subject", SUBJECTS)
def test_face_mesh_finds_the_face_in_every_mood(subject: str) -> None:
    (mesh,) = open_landmarkers()
    for seed, mood in enumerate(Mood):
        face = draw_reference(SUBJECTS[subject].model_copy(update={"mood": mood}), seed)
        found = mesh.find(face.image)
        assert found is not None, mood
        assert landmark_error(face.geometry, found.geometry) < 6
        assert fault_of(found.geometry, 512, 512) == ""


@pytest.mark.parametrize("skin", range(len(load_materials().skins)))
def test_face_mesh_finds_it_on_every_skin(skin: int, monkeypatch: pytest.MonkeyPatch) -> None:
    (mesh,) = open_landmarkers()
    colour = lab_of(load_materials().skins[skin])
    monkeypatch.setattr("engine.portrait.guidance.face.material_colour", lambda *_: colour)
    assert mesh.find(draw_reference(NURSE, 1).image) is not None


def test_dlib_is_of_the_same_opinion() -> None:
    (dlib,) = second_opinions()
    for brief in SUBJECTS.values():
        face = draw_reference(brief, 3)
        found = dlib.find(face.image)
        assert found is not None and found.points.shape == (68, 2)
        assert landmark_error(face.geometry, found.geometry) < 8


def test_dlib_finds_nothing_where_nothing_is() -> None:
    (dlib,) = second_opinions()
    assert dlib.find(np.full((256, 256, 3), 128, np.uint8)) is None


def test_the_same_brief_and_seed_give_the_same_face() -> None:
    first, again = draw_reference(NURSE, 4, 256), draw_reference(NURSE, 4, 256)
    assert np.array_equal(first.image, again.image)
    assert not np.array_equal(first.image, draw_reference(NURSE, 5, 256).image)


def test_it_lies_where_it_was_aimed_at_and_is_large_enough_for_a_talking_head() -> None:
    for brief in SUBJECTS.values():
        for size in (256, 512, 1024):
            face = draw_reference(brief, 1, size)
            assert face.geometry == aim(brief, size)
            assert face.image.shape == (size, size, 3)
            assert fault_of(face.geometry, size, size) == ""


@pytest.mark.parametrize(
    ("subject", "details", "like"),
    [
        ("a green apple", "", "green"),
        ("apples", "", "apple"),
        ("kettle", "made of old copper", "copper"),
        ("robot", "very old", "robot"),
    ],
)
def test_things_have_the_colour_that_is_said_of_them(subject: str, details: str, like: str) -> None:
    table = load_materials()
    wanted = lab_of((table.words | table.things)[like])
    colour = material_colour(PortraitBrief(subject=subject, details=details), 1)
    assert difference(colour, wanted) < 1


def test_clothes_do_not_colour_the_skin() -> None:
    brief = NURSE.model_copy(update={"details": "in a green coat with a blue hat"})
    skins = [lab_of(skin) for skin in load_materials().skins]
    colour = material_colour(brief, 1)
    assert min(difference(colour, skin) for skin in skins) < 8


def test_faces_on_the_dark_are_lightened() -> None:
    assert material_colour(PortraitBrief(subject="black bag"), 1)[0] >= 34
