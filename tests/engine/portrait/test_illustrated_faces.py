"""Art that has a face loses it: shapes are found in the drawing and left out of it."""

from __future__ import annotations

import numpy as np
import pytest

from engine.portrait.base import Image
from engine.portrait.illustrated.art.raster import render
from engine.portrait.illustrated.erase import fill_in, take_face_out
from engine.portrait.illustrated.features import find_face
from engine.portrait.illustrated.generator import IllustratedGenerator
from engine.portrait.illustrated.shapes import shapes_of, without
from personas.persona import PortraitBrief
from personas.styles import load_styles
from tests.fakes.artworks import FakeArt

BEAR = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">
<circle cx="50" cy="50" r="45" fill="#c98b52"/>
<circle cx="20" cy="14" r="12" fill="#c98b52"/><circle cx="80" cy="14" r="12" fill="#c98b52"/>
{eyes}
<ellipse cx="50" cy="58" rx="7" ry="5" fill="#3a2418"/>
<path d="M40 70 Q50 78 60 70" fill="none" stroke="#3a2418" stroke-width="2"/>
</svg>"""
CIRCLES = '<circle cx="35" cy="42" r="5" fill="#111"/><circle cx="65" cy="42" r="5" fill="#111"/>'
ONE_PATH = (
    '<path fill="#111" d="M30 42a5 5 0 1 1 10 0a5 5 0 1 1-10 0z'
    'm30 0a5 5 0 1 1 10 0a5 5 0 1 1-10 0z"/>'
)
IN_WHITES = (
    '<g transform="translate(0 2)">'
    '<circle cx="35" cy="40" r="9" fill="#fff"/><circle cx="65" cy="40" r="9" fill="#fff"/>'
    '<circle cx="35" cy="40" r="4" fill="#111"/><circle cx="65" cy="40" r="4" fill="#111"/></g>'
)
FUR = np.array([0xC9, 0x8B, 0x52])


def bear(eyes: str = CIRCLES) -> tuple[str, Image]:
    svg = BEAR.format(eyes=eyes)
    return svg, render(svg, 256)


@pytest.mark.parametrize("eyes", [CIRCLES, ONE_PATH, IN_WHITES], ids=["two", "path", "whites"])
def test_eyes_and_mouth_are_found_and_taken_out(eyes: str) -> None:
    svg, rgba = bear(eyes)
    old = find_face(shapes_of(svg), rgba)
    assert old is not None and not old.profile
    assert old.left_eye == pytest.approx((0.35, 0.42), abs=0.01)
    assert old.right_eye == pytest.approx((0.65, 0.42), abs=0.01)
    assert old.mouth == pytest.approx((0.5, 0.72), abs=0.03)
    bare = render(without(svg, old.shapes), 256)
    for x, y in (old.left_eye, old.right_eye):
        assert np.abs(bare[int(y * 256), int(x * 256), :3].astype(int) - FUR).max() < 4
    assert old.nose is not None, "an animal keeps its nose"
    assert np.abs(bare[int(0.58 * 256), 128, :3].astype(int) - FUR).max() > 40


def test_the_new_face_goes_exactly_where_the_old_one_was() -> None:
    svg, _ = bear()
    art = FakeArt(render(svg, 1024), svg=svg, has_face=True, kind="animal")
    draft = IllustratedGenerator(art, load_styles(), 256).generate(PortraitBrief(subject="bear"), 1)
    assert draft.body is not None and draft.look is not None
    left, top = np.flatnonzero(draft.body[..., 3].max(0) > 127)[[0, -1]]
    middle = (left + top) / 2
    eyes = (draft.geometry.left_eye[0] + draft.geometry.right_eye[0]) / 2
    assert eyes == pytest.approx(middle, abs=2)
    assert draft.look.nose_kind == "none"


def test_from_the_side_one_eye_is_enough() -> None:
    svg, _ = bear('<circle cx="30" cy="40" r="4" fill="#111"/>')
    svg = "\n".join(line for line in svg.splitlines() if "#3a2418" not in line)
    old = find_face(shapes_of(svg), render(svg, 256))
    assert old is not None and old.profile
    assert old.centre == pytest.approx((0.30, 0.40), abs=0.01)


def test_a_ball_has_no_face() -> None:
    ball = '<circle r="4" cx="4.5" cy="4.5"/>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">{ball}</svg>'
    assert find_face(shapes_of(svg), render(svg, 256)) is None


@pytest.mark.parametrize(
    "svg", ["", "<svg", "<svg/>", '<svg viewBox="0 0 0 0"/>', "<a viewBox='1'><path d='Mz'/></a>"]
)
def test_broken_drawings_have_no_shapes(svg: str) -> None:
    assert shapes_of(svg) == []


def test_leaving_out_nothing_changes_nothing() -> None:
    svg, rgba = bear(ONE_PATH)
    assert np.array_equal(render(without(svg, ()), 256), rgba)


def test_leaving_out_one_part_keeps_the_others() -> None:
    svg, rgba = bear(ONE_PATH)
    eye = next(shape for shape in shapes_of(svg) if shape.part == 1)
    bare = render(without(svg, [eye]), 256).astype(int)
    changed = np.argwhere(np.abs(bare - rgba).sum(axis=2) > 30)
    assert changed[:, 1].min() > 0.58 * 256, "the other eye stays as it was"
    assert len(changed) > 100


def test_without_a_source_the_picture_stays() -> None:
    _, rgba = bear()
    art = FakeArt(rgba, has_face=True).find(
        PortraitBrief(subject="bear"), load_styles().get("flat"), 1
    )
    same, _, old = take_face_out(art)
    assert old is None and same is rgba


def test_painting_over_takes_the_colours_around() -> None:
    _, rgba = bear()
    filled = fill_in(rgba, (0.35, 0.42), (0.16, 0.16))
    assert np.abs(filled[int(0.42 * 256), int(0.35 * 256), :3].astype(int) - FUR).max() < 12
    assert np.array_equal(filled[:20], rgba[:20])
