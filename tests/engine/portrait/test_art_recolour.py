"""Pictures are painted in the colour that was asked for, and only then."""

from __future__ import annotations

import pytest

from engine.portrait.illustrated.art import raster
from engine.portrait.illustrated.art.concepts import load_concepts
from engine.portrait.illustrated.art.recolour import repaint, wanted_paint
from engine.portrait.illustrated.art.words import COLOURS, parse

POT = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10">'
    '<rect width="10" height="8" fill="#d02020"/><rect y="4" width="10" height="4" fill="#801010"/>'
    '<rect y="8" width="10" height="2" fill="{other}"/></svg>'
)
CONCEPTS = {concept.id: concept for concept in load_concepts()}


def painted(paint: str, other: str = "#20a040") -> str:
    svg = POT.format(other=other)
    return repaint(svg, raster.render(svg, 64), COLOURS[paint])


def test_the_main_paint_is_exchanged_and_shades_stay_shades() -> None:
    image = raster.render(painted("blue"), 10).astype(int)
    light, dark = image[1, 5], image[6, 5]
    assert light[:3].argmax() == 2 and dark[:3].argmax() == 2
    assert light[:3].sum() > dark[:3].sum()


def test_other_colours_and_ink_stay_as_they_are() -> None:
    assert "#20a040" in painted("blue")
    assert "#000000" in painted("white", other="#000000")


@pytest.mark.parametrize("paint", ["black", "white", "grey", "golden", "pink", "navy"])
def test_any_colour_word_can_be_painted(paint: str) -> None:
    image = raster.render(painted(paint), 10).astype(int)
    wanted = int(COLOURS[paint][1:3], 16), int(COLOURS[paint][3:5], 16), int(COLOURS[paint][5:], 16)
    assert abs(image[1, 5, :3] - wanted).max() < 90


def test_a_picture_of_nothing_is_left_alone() -> None:
    empty = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"></svg>'
    assert repaint(empty, raster.render(empty, 16), "#ff0000") == empty


@pytest.mark.parametrize(
    ("subject", "picture", "paint"),
    [
        ("a blue teapot", "teapot", "blue"),
        ("old red tin robot", "robot", "red"),
        ("a teapot", "teapot", None),
        ("green apple", "green-apple", None),
        ("blue whale", "whale", None),
        ("olive tree", "deciduous-tree", None),
        ("red", "rose", None),
    ],
)
def test_only_colours_that_are_asked_for_are_painted(
    subject: str, picture: str, paint: str | None
) -> None:
    wanted = wanted_paint(parse(subject), CONCEPTS[picture])
    assert wanted == (COLOURS[paint] if paint else None)
