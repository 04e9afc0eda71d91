"""The catalogue of styles: what is in it, and that no name a model invents can break it."""

from __future__ import annotations

import pytest

from personas.errors import NotFoundError
from personas.persona import PortraitBrief
from personas.styles import load_styles

THING = PortraitBrief(subject="lighthouse")
PERSON = PortraitBrief(subject="nurse", is_person=True)


def test_every_style_says_whose_work_it_is_and_what_it_is_made_of() -> None:
    for style in load_styles().all():
        assert style.label and style.description and style.author and style.licence
        assert style.packs and style.people


def test_names_are_unique_and_in_the_order_of_the_catalogue() -> None:
    names = load_styles().names()
    assert len(set(names)) == len(names)
    assert names[0] == "rounded"


def test_an_exact_name_gets_its_style() -> None:
    assert load_styles().get("outlined").label == "Outlined"


def test_a_wrong_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(NotFoundError, match="Did you mean outlined"):
        load_styles().get("outlinde")


def test_a_hopeless_name_is_answered_with_all_there_are() -> None:
    with pytest.raises(NotFoundError, match="rounded, flat"):
        load_styles().get("qqqq")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("flat", "flat"),
        ("FLAT", "flat"),
        (" Outlined ", "outlined"),
        ("outline", "outlined"),
        ("Rounded 3D", "rounded"),
        ("rounded_3d", "rounded"),
        ("storybok", "storybook"),
        ("Flat people", "avatar"),
        ("flat style", "flat"),
    ],
)
def test_spelling_and_case_are_forgiven(said: str, meant: str) -> None:
    assert load_styles().resolve(said, THING).name == meant


@pytest.mark.parametrize("invented", ["", "oil painting by Rembrandt", "\x00", "🦊", "x" * 5_000])
def test_an_invented_style_is_decided_by_what_is_drawn(invented: str) -> None:
    styles = load_styles()
    assert styles.resolve(invented, PERSON).for_people
    assert not styles.resolve(invented, THING).for_people
