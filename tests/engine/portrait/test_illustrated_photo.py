"""An uploaded picture as the persona."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.data import astronaut, chelsea, coffee, grass, gravel, rocket

from engine.portrait.base import Image, Landmarks
from engine.portrait.illustrated.animals import animal_face
from engine.portrait.illustrated.calm import WIDEST, calm_place
from engine.portrait.illustrated.cutout import head_and_shoulders
from engine.portrait.illustrated.generator import IllustratedGenerator
from engine.portrait.illustrated.palette import chroma, difference, lab_image, lab_of
from engine.portrait.illustrated.proportions import face_at_eyes
from engine.portrait.illustrated.retouch import smoothed_over
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


def test_a_person_keeps_nose_brows_and_cheeks() -> None:
    draft = generator(SeesAFace()).generate(BRIEF, 1, photo=astronaut())
    look = draft.look
    assert look is not None and draft.body is not None
    assert (look.nose_kind, look.brow_weight, look.blush) == ("none", 0.0, None)
    assert look.eye_shape == "almond" and not look.lashes
    x, y = (int(at) for at in draft.geometry.nose)
    tip = slice(y - 4, y + 4), slice(x - 4, x + 4)
    assert np.array_equal(draft.image[tip], draft.body[tip][..., :3])


def test_a_head_that_moves_faces_as_they_are_gets_the_photo_as_it_is() -> None:
    keeping = IllustratedGenerator(
        FakeArt(disc()), load_styles(), 256, (SeesAFace(),), keep_faces=True
    )
    draft = keeping.generate(BRIEF, 1, photo=astronaut())
    drawn = generator(SeesAFace()).generate(BRIEF, 1, photo=astronaut())
    assert draft.geometry == drawn.geometry.model_copy(update={"source": "found"})
    assert draft.body is not None and drawn.body is not None
    assert np.array_equal(draft.body, drawn.body), "the drawn head steps in with the same layers"
    x, y = (int(at) for at in draft.geometry.left_eye)
    eye = slice(y - 4, y + 4), slice(x - 4, x + 4)
    assert not np.array_equal(draft.image[eye], drawn.image[eye])


def test_drawn_features_have_the_colours_of_the_photo() -> None:
    draft = generator(SeesAFace()).generate(BRIEF, 1, photo=astronaut())
    assert draft.look is not None
    iris, lip, skin = (lab_of(c) for c in (draft.look.iris, draft.look.lip, draft.look.skin))
    assert iris[0] < 55 and iris[2] > 4, "brown"
    assert lip[1] > skin[1] + 4, "redder than the skin"
    assert 8 < difference(lip, skin) < 45, "but no lipstick"


def test_a_photo_without_colours_gets_a_face_without_colours() -> None:
    grey = np.asarray(astronaut().mean(axis=2), np.uint8)
    look = generator(SeesAFace()).generate(BRIEF, 1, photo=grey).look
    assert look is not None
    for colour in (look.iris, look.lip, look.eye_white, look.skin):
        assert chroma(lab_of(colour)) < 3


def test_eyes_and_mouth_are_gone_without_a_seam() -> None:
    rows, columns = np.mgrid[:160, :160]
    skin = np.dstack([150 + columns // 3, 110 + rows // 4, 90 + columns // 4]).astype(np.uint8)
    far = np.hypot((columns - 80) / 30, (rows - 80) / 16)
    photo = skin.copy()
    photo[far < 0.9] = (30, 10, 10)
    bare = smoothed_over(photo, (far < 1).astype(np.float32), 4)
    assert np.abs(bare.astype(int) - skin).max() < 14, "the shading goes on through the patch"
    assert np.array_equal(bare[:20], photo[:20])


def test_hair_moves_with_the_head_and_is_not_left_behind() -> None:
    draft = generator(SeesAFace()).generate(BRIEF, 1, photo=astronaut())
    assert draft.body is not None and draft.background is not None
    eyes = np.array(draft.geometry.left_eye) + draft.geometry.right_eye
    x, y = (eyes / 2).astype(int)
    unit = draft.geometry.width
    hair = (int(y - 0.5 * unit), int(x + 0.45 * unit))
    assert draft.body[hair][3] > 250
    behind = lab_image(draft.background)
    assert difference(behind[hair], behind[4, 4]) < 20, "there is the wall behind it"


def test_where_a_head_cannot_be_told_from_its_background_all_moves() -> None:
    face = face_at_eyes((48.0, 40.0), 30.0)
    dusk = np.tile(np.linspace(60, 120, 96, dtype=np.uint8)[:, None, None], (1, 96, 3))
    for photo in (dusk, np.full((96, 96, 3), 120, np.uint8)):
        assert (head_and_shoulders(photo, face) > 0.99).all()


def test_a_cat_looks_out_of_its_own_eyes() -> None:
    found = animal_face(chelsea())
    assert found is not None
    assert found.geometry.left_eye == pytest.approx((172, 116), abs=9)
    assert found.geometry.right_eye == pytest.approx((318, 134), abs=9)
    assert found.geometry.nose == pytest.approx((262, 240), abs=30)
    draft = generator().generate(BRIEF, 1, photo=chelsea())
    assert draft.look is not None and draft.body is not None
    assert (draft.look.nose_kind, draft.look.brow_weight) == ("none", 0.0)
    for x, y in (draft.geometry.left_eye, draft.geometry.right_eye):
        eye = draft.body[int(y) - 8 : int(y) + 8, int(x) - 8 : int(x) + 8, :3]
        assert lab_image(eye)[..., 0].min() > 30, "no pupil is left under ours"


@pytest.mark.parametrize("photo", [coffee(), rocket(), grass(), gravel()])
def test_cups_and_meadows_have_no_eyes(photo: Image) -> None:
    assert animal_face(photo if photo.ndim == 3 else np.dstack([photo] * 3)) is None


@pytest.mark.parametrize("photo", [coffee(), rocket()])
def test_a_face_that_nobody_saw_is_small(photo: Image) -> None:
    draft = generator().generate(BRIEF, 1, photo=photo)
    assert draft.geometry.width <= 1.13 * WIDEST * 256
    assert draft.look is not None
    assert draft.look.blush is None and draft.look.nose_kind == "none"


def test_a_face_that_nobody_saw_lies_beside_what_is_striking() -> None:
    photo = np.full((120, 240, 3), (150, 170, 190), np.uint8)
    photo[:, :120] = np.kron(np.indices((15, 15)).sum(axis=0) % 2, np.ones((8, 8)))[..., None] * 255
    face = calm_place(photo, np.ones((120, 240), np.float32))
    assert face.centre[0] - 0.4 * face.width > 118


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
