"""Galleries: ids, names and who may do what."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personas.errors import InvalidInputError
from personas.gallery import (
    Action,
    Member,
    Policy,
    Visibility,
    Who,
    check_gallery_id,
    gallery_id,
    may,
    may_create,
    platform_of,
    unique_slug,
)
from tests.storage.examples import build

PERSONA = build("a", "ab/x.png")  # made by 42
CREATOR = Member(id="42")
OTHER = Member(id="7")
MODERATOR = Member(id="1", is_moderator=True)
STRANGER = Member(id="42", is_member=False)


def test_ids_name_the_community() -> None:
    assert gallery_id("terminal") == "terminal"
    assert gallery_id("discord", 123) == "discord:123"
    assert gallery_id("telegram", -100123) == "telegram:-100123"
    assert platform_of("telegram:-100123") == "telegram"


@pytest.mark.parametrize(
    "id", ["", "terminal:1", "discord", "discord:", "discord:a", "irc:1", "discord:1\n", "x" * 999]
)
def test_other_ids_are_refused(id: str) -> None:
    with pytest.raises(InvalidInputError, match="gallery"):
        check_gallery_id(id)


@pytest.mark.parametrize("action", Action)
def test_usual_rules(action: Action) -> None:
    for_all = {
        Action.VIEW,
        Action.TALK,
        Action.CREATE,
        Action.EXPORT,
        Action.FORGET,
        Action.SETTLE,
    }
    for_creator = for_all | {Action.EDIT, Action.DELETE}
    assert bool(may(OTHER, action, persona=PERSONA)) == (action in for_all)
    assert bool(may(CREATOR, action, persona=PERSONA)) == (action in for_creator)
    assert may(MODERATOR, action, persona=PERSONA)
    assert not may(STRANGER, action, persona=PERSONA)


def test_a_refusal_has_a_reason() -> None:
    assert may(OTHER, Action.DELETE, persona=PERSONA).reason.startswith("Only who made Grumbel")
    policy = Policy(create=Who.MODERATORS, export=Who.NOBODY)
    assert "Only moderators can create" in may(OTHER, Action.CREATE, policy).reason
    assert "Nobody can export" in may(MODERATOR, Action.EXPORT, policy, PERSONA).reason
    assert may(CREATOR, Action.VIEW, persona=PERSONA).reason == ""


def test_hidden_personas_are_as_if_they_were_not_there() -> None:
    policy = Policy(visibility=Visibility.CREATOR)
    refused = may(OTHER, Action.TALK, policy, PERSONA)
    assert not refused
    assert "no such persona" in refused.reason
    assert may(CREATOR, Action.TALK, policy, PERSONA)
    assert may(MODERATOR, Action.TALK, policy, PERSONA)


def test_nobody_in_particular_made_nothing() -> None:
    orphan = PERSONA.model_copy(update={"creator": ""})
    assert not may(Member(id=""), Action.DELETE, persona=orphan)


def test_galleries_are_bounded() -> None:
    policy = Policy(max_personas=3, max_personas_each=1)
    assert may_create(OTHER, policy, in_gallery=2, own=0)
    assert "have made 1" in may_create(OTHER, policy, in_gallery=2, own=1).reason
    assert may_create(MODERATOR, policy, in_gallery=2, own=1)
    assert "full" in may_create(MODERATOR, policy, in_gallery=3).reason
    assert not may_create(OTHER, Policy(create=Who.NOBODY))


def test_slugs_are_counted_up() -> None:
    assert unique_slug("lighthouse", set()) == "lighthouse"
    assert unique_slug("lighthouse", {"lighthouse", "lighthouse-2"}) == "lighthouse-3"


@given(st.text(), st.integers(min_value=0, max_value=15))
def test_any_slug_becomes_one_that_is_free_and_short(text: str, others: int) -> None:
    taken: set[str] = set()
    for _ in range(others + 1):
        slug = unique_slug(text, taken)
        assert slug not in taken
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug)
        assert len(slug) <= 40
        taken.add(slug)
