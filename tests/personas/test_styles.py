"""The catalogue of styles: what is in it, and that no name a model invents can break it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from personas.errors import NotFoundError
from personas.persona import PortraitBrief
from personas.recipes import Recipe, Weights, fill, prompt_values
from personas.styles import StyleCatalogue, load_styles

THING = PortraitBrief(subject="lighthouse")
PERSON = PortraitBrief(subject="nurse", is_person=True)


def test_every_style_says_whose_work_it_is_and_what_it_is_made_of() -> None:
    for style in load_styles().all():
        assert style.label and style.description and style.author and style.licence
        assert (style.packs and style.people) or style.recipe is not None


def test_names_are_unique_and_in_the_order_of_the_catalogue() -> None:
    names = load_styles().names()
    assert len(set(names)) == len(names)
    assert names[0] == "rounded", "what can be had everywhere comes first"


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
        ("oil painting by Rembrandt", "oil"),
    ],
)
def test_spelling_and_case_are_forgiven(said: str, meant: str) -> None:
    assert load_styles().resolve(said, THING).name == meant


@pytest.mark.parametrize("invented", ["", "Klingon opera poster", "\x00", "🦊", "x" * 5_000])
def test_an_invented_style_is_decided_by_what_is_drawn(invented: str) -> None:
    styles = load_styles()
    assert styles.resolve(invented, PERSON).for_people
    assert not styles.resolve(invented, THING).for_people


def test_there_are_eight_diffused_looks_and_more_each_with_its_licences() -> None:
    styles = load_styles()
    diffused = [style for style in styles.all() if style.recipe is not None]
    assert len(diffused) >= 8
    for style in diffused:
        assert style.recipe is not None
        family = styles.family(style.recipe.family)
        assert all(weights.licence for weights in style.recipe.weights(family))
        assert "{subject}" in style.recipe.prompt and "{framing}" in style.recipe.prompt
        assert style.suits(THING) and style.suits(PERSON)


def test_only_what_can_be_painted_is_offered_and_some_of_it_proposed() -> None:
    here = load_styles().available(["photo", "flat", "toon"], ["photo"])
    assert here.names() == ["flat", "toon", "photo"]
    assert [style.name for style in here.proposed()] == ["photo"]
    assert here.resolve("", PERSON).name == here.resolve("", THING).name == "photo"
    assert here.get("flat").name == "flat", "people may name any"
    with pytest.raises(NotFoundError):
        here.get("anime")


def test_an_operator_adds_looks_and_replaces_ours() -> None:
    table = {
        "label": "Noir",
        "description": "Black and white film.",
        "generator": "diffusion",
        "author": "me",
        "licence": "mine",
        "recipe": {"prompt": "film noir of {subject}"},
    }
    styles = load_styles().extended({"noir": table, "oil": {**table, "label": "My oil"}})
    assert styles.get("noir").recipe == Recipe(prompt="film noir of {subject}")
    assert styles.get("oil").label == "My oil"
    assert len(styles.names()) == len(load_styles().names()) + 1


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"prompt": "a face"}, r"must contain \{subject\}"),
        ({"prompt": "{subject} {0}"}, "no placeholder"),
        ({"negative": "{user}"}, "no placeholder"),
        ({"checkpoint": {"repo": "../../etc"}}, "OWNER/NAME"),
        ({"checkpoint": {"repo": "a/b", "folder": "../.."}}, "inside the repository"),
        ({"scheduler": "lcm", "guidance": 7.0}, "at most 3"),
        ({"scheduler": "magic"}, "dpm"),
        ({"steps": 0}, "greater than"),
        ({"resolution": 500}, "multiple of 8"),
        ({"loras": [{"repo": "a/b", "scale": 0}]}, "does nothing"),
    ],
)
def test_a_wrong_recipe_is_explained(changes: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        Recipe.model_validate({"prompt": "{subject}", **changes})


def test_looks_and_recipes_belong_together() -> None:
    oil = load_styles().get("oil")
    with pytest.raises(ValidationError, match="a recipe belongs"):
        type(oil)(**{**oil.model_dump(exclude={"recipe"})})


def test_commits_are_known_from_branches() -> None:
    assert Weights(repo="a/b", revision="0" * 40).is_pinned
    assert not Weights(repo="a/b").is_pinned
    assert Weights(repo="/models/x").is_local and not Weights(repo="a/b").is_local


def test_empty_details_leave_no_commas_behind() -> None:
    values = prompt_values(PERSON)
    assert fill("{subject}, {details}, {expression}", values) == "nurse, a gentle calm face"


def test_the_family_of_a_look_is_known() -> None:
    with pytest.raises(NotFoundError, match="no family"):
        StyleCatalogue(load_styles().all()).family("sdxl")
