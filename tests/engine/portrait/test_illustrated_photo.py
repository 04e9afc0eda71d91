"""An uploaded picture as the persona."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.data import astronaut

from engine.portrait.base import Image, Landmarks
from engine.portrait.illustrated.generator import IllustratedGenerator
from engine.portrait.illustrated.proportions import face_at_eyes
from personas.errors import InvalidInputError
from personas.persona import PortraitBrief
from personas.styles import load_styles
from tests.fakes.artworks import FakeArt, disc

BRIEF = PortraitBrief(subject="somebody")


class SeesAFace:
    """A landmarker that knows where the astronaut's face is."""

    name = "told"

    def find(self, image: Image) -> Landmarks | None:
        face = face_at_eyes((225.0, 103.0), 91.0).model_copy(update={"source": "found"})
        return Landmarks(np.zeros((0, 2), np.float32), face, self.name)


def generator(*landmarkers: SeesAFace) -> IllustratedGenerator:
    return IllustratedGenerator(FakeArt(disc()), load_styles(), 256, landmarkers)


def test_the_face_goes_where_a_face_was_found() -> None:
    draft = generator(SeesAFace()).generate(BRIEF, 1, photo=astronaut())
    assert draft.image.shape == (256, 256, 3) and draft.style == "photo"
    assert draft.geometry.source == "drawn"
    assert draft.geometry.width >= 256 / 3
    assert draft.background is not None and draft.body is not None
    x, y = draft.geometry.centre
    assert draft.body[int(y), int(x), 3] > 250, "the head is in the layer that moves"
    assert draft.body[4, 4, 3] < 5, "the surroundings are not"


@pytest.mark.parametrize("shape", [(64, 64), (40, 300), (300, 40), (1900, 700)])
def test_any_picture_gets_a_face(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(5)
    small = random.integers(0, 255, (4, 4, 3), dtype=np.uint8)
    photo = np.kron(small, np.ones((shape[0] // 4, shape[1] // 4, 1), np.uint8)).astype(np.uint8)
    draft = generator().generate(BRIEF, 1, photo=photo)
    for x, y in (draft.geometry.left_eye, draft.geometry.right_eye, draft.geometry.mouth):
        assert 0 <= x < 256 and 0 <= y < 256


@pytest.mark.parametrize("value", [0, 255])
def test_one_colour_is_a_picture_too(value: int) -> None:
    draft = generator().generate(BRIEF, 1, photo=np.full((120, 90, 3), value, np.uint8))
    assert draft.image.shape == (256, 256, 3)


def test_a_cutout_stands_before_a_scene() -> None:
    draft = generator().generate(BRIEF, 1, photo=disc(size=300)[40:])
    assert draft.background is not None and draft.body is not None
    assert draft.body[0, 0, 3] == 0
    assert draft.background.std() > 1


def test_grey_pictures_are_read() -> None:
    grey = np.asarray(astronaut().mean(axis=2), np.uint8)
    assert generator().generate(BRIEF, 1, photo=grey).image.shape == (256, 256, 3)


@pytest.mark.parametrize(
    "photo",
    [
        np.zeros((4, 4, 3), np.uint8),
        np.zeros((900, 40, 3), np.uint8),
        np.zeros((90, 90, 2), np.uint8),
        np.zeros((90, 90, 3), np.float32),
        np.zeros((90, 90, 4), np.uint8),
        np.zeros((0, 0, 3), np.uint8),
    ],
    ids=["tiny", "narrow", "channels", "floats", "transparent", "empty"],
)
def test_what_cannot_be_used_is_said(photo: Image) -> None:
    with pytest.raises(InvalidInputError) as error:
        generator().generate(BRIEF, 1, photo=photo)
    assert str(error.value).endswith(".")


def test_the_same_photo_and_seed_make_the_same_picture() -> None:
    one = generator().generate(BRIEF, 3, photo=astronaut())
    two = generator().generate(BRIEF, 3, photo=astronaut())
    assert np.array_equal(one.image, two.image)
