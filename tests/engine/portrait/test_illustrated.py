"""Whatever the art looks like, a portrait comes out, and its face is where it says it is."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.portrait.base import Image, PortraitDraft
from engine.portrait.illustrated.art.raster import render
from engine.portrait.illustrated.framing import FACE_SHARE
from engine.portrait.illustrated.generator import BOLDEST, NAME, IllustratedGenerator
from engine.portrait.illustrated.look import surface_colour
from engine.portrait.illustrated.palette import difference, lab_of
from engine.portrait.illustrated.proportions import GROWN, face_at_eyes
from personas.persona import FaceGeometry, Mood, PortraitBrief
from personas.styles import load_styles
from tests.fakes.artworks import CREDIT, FakeArt, disc, stick

SIZE = 256
APPLE = PortraitBrief(subject="apple", mood=Mood.CHEERFUL)


DRAWN = [style.name for style in load_styles().all() if style.recipe is None]


def draw(
    rgba: Image, brief: PortraitBrief = APPLE, seed: int = 1, size: int = SIZE, **art: object
) -> PortraitDraft:
    generator = IllustratedGenerator(FakeArt(rgba, **art), load_styles(), size)  # type: ignore[arg-type]
    return generator.generate(brief, seed)


def noise(size: int = 1024) -> Image:
    random = np.random.default_rng(3)
    rgba = random.integers(0, 255, (size, size, 4), dtype=np.uint8)
    rgba[..., 3] = np.where(random.random((size, size)) < 0.5, 255, 0)
    return rgba


def blank(alpha: int) -> Image:
    return np.full((1024, 1024, 4), (255, 255, 255, alpha), np.uint8)


def speck() -> Image:
    rgba = np.zeros((1024, 1024, 4), np.uint8)
    rgba[700:703, 200:203] = 255
    return rgba


def ring() -> Image:
    rgba = disc(radius=0.45)
    rgba[disc(radius=0.40)[..., 3] > 0] = 0
    return rgba


SHAPES = {
    "disc": disc(),
    "tiny disc": disc(radius=0.02),
    "all of the picture": blank(255),
    "nothing": blank(0),
    "a speck": speck(),
    "half transparent": blank(90),
    "white": disc(colour=(255, 255, 255)),
    "black": disc(colour=(0, 0, 0)),
    "slanting stick": stick(),
    "needle": stick(width=2, slant=False),
    "ring": ring(),
    "noise": noise(),
    "another size": disc(size=300),
}


def assert_sound(draft: PortraitDraft, size: int = SIZE) -> None:
    assert draft.image.shape == (size, size, 3)
    assert draft.image.dtype == np.uint8
    assert draft.background is not None and draft.background.shape == (size, size, 3)
    assert draft.body is not None and draft.body.shape == (size, size, 4)
    assert draft.look is not None
    geometry = draft.geometry
    assert geometry.source == "drawn"
    for x, y in (geometry.left_eye, geometry.right_eye, geometry.nose, geometry.mouth):
        assert 0 <= x < size and 0 <= y < size
    assert geometry.left_eye[0] < geometry.right_eye[0]
    assert geometry.mouth[1] > geometry.left_eye[1]
    assert np.isfinite(list(geometry.centre)).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_gets_a_face(shape: str) -> None:
    draft = draw(SHAPES[shape])
    assert_sound(draft)
    assert draft.geometry.width >= SIZE / 3


@pytest.mark.parametrize("style", DRAWN)
def test_every_style_draws(style: str) -> None:
    chosen = load_styles().get(style)
    draft = draw(disc(), APPLE.model_copy(update={"style": style}), pack=chosen.packs[0])
    assert_sound(draft)
    assert draft.style == style
    assert draft.look is not None and draft.look.rendering == chosen.rendering


def test_a_face_belongs_to_the_art_that_was_found_not_to_the_one_asked_for() -> None:
    asked = APPLE.model_copy(update={"style": "rounded"})
    comic, own = draw(disc(), asked, pack="openmoji"), draw(disc(), asked, pack="ours")
    assert comic.look is not None and comic.look.rendering == "outlined"
    assert own.look is not None and own.look.rendering == "shaded"


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    boxes=st.lists(st.tuples(*[st.integers(0, 63)] * 4), max_size=6),
    colour=st.tuples(*[st.integers(0, 255)] * 3),
    subject=st.text(min_size=1, max_size=30),
    mood=st.sampled_from(Mood),
    gender=st.sampled_from(["female", "male", "neutral"]),
    age=st.sampled_from(["child", "young", "adult", "old"]),
    seed=st.integers(0, 2**63),
)
def test_any_noun_and_any_art(
    boxes: list[tuple[int, int, int, int]],
    colour: tuple[int, int, int],
    subject: str,
    mood: Mood,
    gender: str,
    age: str,
    seed: int,
) -> None:
    rgba = np.zeros((64, 64, 4), np.uint8)
    for number, (a, b, c, d) in enumerate(boxes):
        shade = np.roll(np.array(colour, np.uint8), number)
        rgba[min(a, c) : max(a, c) + 1, min(b, d) : max(b, d) + 1] = (*shade, 255)
    brief = PortraitBrief(subject=subject, mood=mood, gender=gender, age=age)  # type: ignore[arg-type]
    assert_sound(draw(rgba, brief, seed))


def post(width: int) -> tuple[Image, str]:
    """Something tall and narrow with a black outline, and its source."""
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 72 72">'
        f'<rect x="{36 - width / 2}" y="2" width="{width}" height="68" fill="#b1cc33"/>'
        f'<rect x="{36 - width / 2}" y="2" width="{width}" height="68" fill="none" '
        'stroke="#000" stroke-width="2"/></svg>'
    )
    return render(svg), svg


def test_what_is_narrow_is_seen_from_near_and_still_known_for_what_it_is() -> None:
    narrow, broad = draw(post(12)[0]).geometry.width, draw(post(60)[0]).geometry.width
    assert SIZE / 3 <= narrow < FACE_SHARE * SIZE <= broad


def test_outlines_do_not_become_beams_where_a_subject_is_seen_from_near() -> None:
    rgba, svg = post(12)
    asked = APPLE.model_copy(update={"style": "outlined"})
    draft = draw(rgba, asked, size=512, pack="openmoji", svg=svg)
    assert draft.body is not None and draft.look is not None
    row = draft.body[round(draft.geometry.mouth[1]) + 60]
    black = (row[:, 3] > 127) & (row[:, :3].max(axis=1) < 60)
    assert 0.6 * BOLDEST * 512 < black.sum() / 2 < 1.1 * BOLDEST * 512
    assert draft.look.line_width <= BOLDEST * 512 + 0.01


def test_the_seed_decides_everything() -> None:
    one, same, other = draw(disc(), seed=4), draw(disc(), seed=4), draw(disc(), seed=5)
    assert np.array_equal(one.image, same.image)
    assert one.geometry == same.geometry and one.look == same.look
    assert not np.array_equal(one.image, other.image)


def test_a_portrait_names_what_it_was_made_from() -> None:
    draft = draw(disc(), seed=9)
    assert draft.generator == NAME == "illustrated-2"
    assert draft.credits == (CREDIT,)
    assert draft.seed == 9


@pytest.mark.parametrize("size", [256, 512, 1024])
def test_portraits_come_in_the_size_that_is_set(size: int) -> None:
    assert_sound(draw(disc(), size=size), size)


def test_layers_and_face_make_the_picture() -> None:
    """Body over background, and the face on it, is the image; the background shows no body."""
    from engine.face.painter import FacePainter
    from engine.portrait.illustrated.ground import over

    draft = draw(disc())
    assert draft.background is not None and draft.body is not None and draft.look is not None
    opaque = np.dstack([draft.background, np.full((SIZE, SIZE), 255, np.uint8)])
    image = np.ascontiguousarray(over(opaque, draft.body)[..., :3])
    FacePainter(draft.geometry, draft.look).paint(image)
    assert np.array_equal(image, draft.image)
    body_colour = np.array([230, 120, 60])
    assert np.abs(draft.background.astype(int) - body_colour).sum(axis=2).min() > 40


def test_the_face_lies_on_the_body() -> None:
    draft = draw(disc())
    assert draft.body is not None
    for x, y in (draft.geometry.left_eye, draft.geometry.right_eye, draft.geometry.mouth):
        assert draft.body[int(y), int(x), 3] == 255


def test_what_is_too_thin_gets_ground_for_its_face() -> None:
    draft = draw(stick(width=6, slant=False))
    assert draft.body is not None
    for x, y in (draft.geometry.left_eye, draft.geometry.right_eye, draft.geometry.mouth):
        assert draft.body[int(y), int(x), 3] > 200


def test_an_exact_place_is_kept() -> None:
    hint = face_at_eyes((512, 400), 420.0, GROWN)
    draft = draw(disc(), face_hint=hint)
    body_middle = draft.geometry.centre[0]
    assert body_middle == pytest.approx(SIZE / 2, abs=1)
    ratio = draft.geometry.width / hint.width
    assert draft.geometry.eye_radius == pytest.approx(hint.eye_radius * ratio)


def test_dark_things_are_lightened_under_their_face() -> None:
    draft = draw(disc(colour=(8, 8, 12)))
    assert draft.body is not None
    x, y = draft.geometry.nose
    assert draft.body[int(y), int(x), :3].mean() > 60


def test_the_ground_of_a_face_is_one_of_the_colours_of_the_thing_and_no_mud() -> None:
    stripes = np.zeros((SIZE, SIZE, 4), np.uint8)
    columns = np.arange(SIZE) % 20
    stripes[:, columns < 8] = (220, 40, 40, 255)
    stripes[:, (columns >= 8) & (columns < 14)] = (255, 255, 255, 255)
    stripes[:, columns >= 14] = (0, 0, 0, 255)
    face = face_at_eyes((SIZE / 2, SIZE / 2), SIZE / 2, GROWN)
    assert difference(surface_colour(stripes, face), lab_of("#dc2828")) < 8


def test_progress_is_told_in_order() -> None:
    told: list[float] = []
    generator = IllustratedGenerator(FakeArt(disc()), load_styles(), SIZE)
    generator.generate(APPLE, 1, progress=lambda done, doing: told.append(done))
    assert told == sorted(told) and told[0] == 0 and told[-1] == 1


def test_it_says_what_it_can_do() -> None:
    capabilities = IllustratedGenerator(FakeArt(disc()), load_styles(), 512).capabilities
    assert capabilities.size == 512 and not capabilities.needs_gpu and not capabilities.guided
    assert set(capabilities.styles) == set(DRAWN)


def test_art_is_not_changed() -> None:
    rgba = disc()
    before = rgba.copy()
    draw(rgba)
    assert np.array_equal(rgba, before)


def test_drafts_are_values() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        draw(disc()).seed = 3  # type: ignore[misc]


def test_geometry_scales_as_one() -> None:
    from engine.portrait.illustrated.proportions import moved

    face: FaceGeometry = face_at_eyes((100, 80), 60.0, roll=0.2)
    there = moved(face, 2.0, (5.0, -7.0))
    assert there.left_eye == pytest.approx((face.left_eye[0] * 2 + 5, face.left_eye[1] * 2 - 7))
    assert there.width == pytest.approx(120) and there.roll == 0.2
