"""What a painted face promises, in every rendering."""

from __future__ import annotations

import itertools
from dataclasses import fields, replace

import numpy as np
import pytest

from engine.face.painter import FacePainter
from engine.face.pose import REST, FacePose
from engine.portrait.base import Image
from personas.persona import FaceGeometry, FaceLook, Mood
from tests.engine.face.faces import changed, geometry, look, paper

RENDERINGS = ("outlined", "flat", "shaded")


def painted(
    pose: FacePose = REST, of: FaceLook | None = None, where: FaceGeometry | None = None
) -> Image:
    image = paper()
    FacePainter(where or geometry(), of or look()).paint(image, pose)
    return image


@pytest.mark.parametrize("rendering", RENDERINGS)
def test_paints_eyes_brows_nose_and_mouth_where_the_geometry_says(rendering: str) -> None:
    where = geometry()
    spots = changed(painted(of=look(rendering=rendering)), paper())
    for x, y in (where.left_eye, where.right_eye, where.nose, where.mouth):
        reach = 8
        assert spots[int(y) - reach : int(y) + reach, int(x) - reach : int(x) + reach].any()
    rows, columns = np.nonzero(spots)
    assert abs(columns.mean() - where.centre[0]) < 3
    assert rows.min() > where.centre[1] - where.height * 0.6
    assert rows.max() < where.centre[1] + where.height * 0.6


@pytest.mark.parametrize(
    ("rendering", "shape", "nose"),
    list(itertools.product(RENDERINGS, ("round", "oval", "dot", "almond"), ("none", "button"))),
)
def test_every_kind_of_face_can_do_everything(rendering: str, shape: str, nose: str) -> None:
    of = look(
        rendering=rendering, eye_shape=shape, nose_kind=nose, lashes=nose == "none", blush="#f0a0a0"
    )
    painter = FacePainter(geometry(), of)
    before = paper()
    painter.paint(before, FacePose(jaw=0.4))
    for field in fields(FacePose):
        after = paper()
        painter.paint(after, FacePose(**{"jaw": 0.4, field.name: 1.0}))
        assert changed(after, before).any(), field.name


@pytest.mark.parametrize("mood", list(Mood))
def test_each_mood_is_another_face(mood: Mood) -> None:
    others = [painted(of=look(mood=other)) for other in Mood if other is not mood]
    own = painted(of=look(mood=mood))
    assert all(changed(own, other).sum() > 30 for other in others)


def test_the_same_pose_is_the_same_picture_whatever_was_painted_before() -> None:
    painter = FacePainter(geometry(), look(rendering="shaded"))
    for jaw in np.linspace(0, 1, 30):
        painter.paint(paper(), FacePose(jaw=float(jaw), turn_x=float(jaw)))
    pose = FacePose(jaw=0.4, wide=0.3, blink_left=0.5)
    image = paper()
    painter.paint(image, pose)
    assert np.array_equal(image, painted(pose, look(rendering="shaded")))


def test_what_is_drawn_is_forgotten_in_time() -> None:
    painter = FacePainter(geometry(width=60), look())
    for jaw, wide in itertools.product(np.linspace(0, 1, 30), np.linspace(-1, 1, 15)):
        painter.sprites(FacePose(jaw=float(jaw), wide=float(wide)))
    assert len(painter._cache) <= 400


@pytest.mark.parametrize("field", [field.name for field in fields(FacePose)])
@pytest.mark.parametrize("wrong", [7.0, -7.0, float("inf"), float("nan")])
def test_poses_out_of_range_are_clamped(field: str, wrong: float) -> None:
    image = painted(replace(REST, **{field: wrong}))
    assert changed(image, paper()).any()


def test_not_a_number_counts_as_rest() -> None:
    nothing = FacePose(**{field.name: float("nan") for field in fields(FacePose)})
    assert np.array_equal(painted(nothing), painted())


@pytest.mark.parametrize("rendering", RENDERINGS)
def test_a_closed_eye_shows_no_white(rendering: str) -> None:
    of = look(rendering=rendering, eye_white="#0000ff", iris="#0000ff", mood=Mood.CALM)

    def blue(pose: FacePose) -> int:
        image = painted(pose, of).astype(int)
        return int(((image[..., 2] > image[..., 0] + 60) & (image[..., 2] > 90)).sum())

    assert blue(REST) > 300
    assert blue(FacePose(blink_left=1)) < 0.6 * blue(REST)
    assert blue(FacePose(blink_left=1, blink_right=1)) < 10


@pytest.mark.parametrize("rendering", RENDERINGS)
def test_the_mouth_opens_with_the_jaw_and_pressing_closes_it(rendering: str) -> None:
    of = look(rendering=rendering, lip="#00d000", ink="#00a000")

    def inside(pose: FacePose) -> int:
        """Teeth, tongue and throat: in the mouth, neither lip nor skin."""
        x, y = (round(v) for v in geometry().mouth)
        part = painted(pose, of)[y - 22 : y + 40, x - 30 : x + 30].astype(int)
        lips = part[..., 1] > part[..., 0] + 25
        skin = np.abs(part - paper()[0, 0].astype(int)).max(axis=2) < 45
        return int((~lips & ~skin).sum())

    openings = [inside(FacePose(jaw=jaw)) for jaw in (0.1, 0.3, 0.6, 1.0)]
    assert openings == sorted(openings)
    assert openings[-1] > 300
    assert inside(FacePose(jaw=1.0, press=1.0)) < 0.1 * openings[-1]
    assert inside(FacePose(jaw=0.8, teeth=1.0)) > inside(REST)


def test_rounded_lips_are_narrower_than_spread_ones() -> None:
    of = look(lip="#00d000")

    def width(pose: FacePose) -> int:
        image = painted(pose, of).astype(int)
        return int(np.ptp(np.nonzero(image[..., 1] > image[..., 0] + 60)[1]))

    assert width(FacePose(wide=-1, pucker=1)) < 0.6 * width(REST) < 0.6 * width(FacePose(wide=1))


def test_a_turned_head_moves_its_features_and_its_nose_most() -> None:
    painter = FacePainter(geometry(), look())

    def shift(at: tuple[float, float], depth: float) -> float:
        return float(painter.place(at, depth, 0, (1.0, 0.0))[0, 2] - at[0])

    where = geometry()
    assert shift(where.nose, 1.25) > shift(where.mouth, 1.05) > 10
    far, near = (painter.place(eye, 1, 0, (1.0, 0.0)) for eye in (where.right_eye, where.left_eye))
    assert np.linalg.norm(far[:, 0]) < np.linalg.norm(near[:, 0])


def test_a_transform_moves_the_face_as_another_geometry_would() -> None:
    moved = paper()
    FacePainter(geometry(), look()).paint(moved, REST, np.float32([[1, 0, 9], [0, 1, -7]]))
    assert np.array_equal(moved, painted(where=geometry(137, 113)))


def test_a_rolled_face_is_the_upright_one_turned() -> None:
    around = np.float32([[0, -1, 0], [1, 0, 0]])
    where = geometry()
    upright = paper()
    centre = np.asarray(where.centre, np.float32)
    around[:, 2] = centre - around[:, :2] @ centre
    FacePainter(where, look()).paint(upright, REST, around)
    eyes = np.asarray([(where.left_eye[0] + where.right_eye[0]) / 2, where.left_eye[1], 1])
    x, y = around @ eyes
    rolled = painted(where=geometry(float(x), float(y), roll=np.pi / 2))
    assert np.abs(upright.astype(int) - rolled.astype(int)).mean() < 0.6


def test_on_an_opaque_picture_alpha_makes_no_difference() -> None:
    image = paper(channels=4)
    FacePainter(geometry(), look(rendering="shaded")).paint(image)
    assert np.array_equal(image[..., 3], np.full_like(image[..., 3], 255))
    flat = painted(of=look(rendering="shaded"))
    assert np.abs(image[..., :3].astype(int) - flat.astype(int)).max() <= 2


def test_on_a_clear_picture_the_face_stands_alone_without_dark_fringes() -> None:
    image = np.zeros((256, 256, 4), np.uint8)
    of = look(eye_white="#ffffff", ink="#ffffff", iris="#ffffff", brow="#ffffff", lip="#ffffff")
    FacePainter(geometry(), of).paint(image)
    edge = (image[..., 3] > 20) & (image[..., 3] < 200)
    brows = edge & (np.arange(256)[:, None] < 98)
    assert brows.any()
    assert image[..., :3][brows].min() > 235


@pytest.mark.parametrize(
    "where",
    [
        geometry(0, 0),
        geometry(260, 260),
        geometry(-500, 90),
        geometry(128, 120, 3),
        geometry(128, 120, 900),
    ],
)
def test_faces_at_the_edge_beyond_it_tiny_and_huge(where: FaceGeometry) -> None:
    image = paper()
    painter = FacePainter(where, look(rendering="shaded", lashes=True, blush="#ff8080"))
    painter.paint(image, FacePose(jaw=1, turn_x=1, turn_y=-1))
    assert image.shape == (256, 256, 3)


def test_a_transform_without_sense_paints_nothing() -> None:
    image = paper()
    nonsense = np.full((2, 3), np.nan, np.float32)
    FacePainter(geometry(), look()).paint(image, REST, nonsense)
    assert np.array_equal(image, paper())


def test_no_brow_weight_no_brows() -> None:
    bare = painted(of=look(brow_weight=0.0))
    assert not changed(bare, paper())[:96].any()
