"""What a subject is about, by its words alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.portrait.illustrated.art.words import colours_in, emoji_in, parse, singular


@pytest.mark.parametrize(
    ("subject", "head"),
    [
        ("a grumpy old lighthouse that loves poetry", "lighthouse"),
        ("the lighthouse keeper", "keeper"),
        ("bunch of grapes", "grape"),
        ("a slice of pizza with olives", "pizza"),
        ("bag of flour", "bag"),
        ("statue of liberty", "liberty"),
        ("my dog Rex", "dog"),
        ("Eiffel Tower", "tower"),
        ("a teapot made of jade", "teapot"),
        ("cat who hates mondays", "cat"),
        ("polar bear wearing a scarf", "bear"),
        ("doctor's bag", "bag"),
        ("mint leaves", "leaf"),
    ],
)
def test_the_head_noun_is_found(subject: str, head: str) -> None:
    assert parse(subject).head == head


@pytest.mark.parametrize(
    ("plural", "one"),
    [
        ("cherries", "cherry"),
        ("boxes", "box"),
        ("wolves", "wolf"),
        ("mice", "mouse"),
        ("jeans", "jeans"),
        ("cactus", "cactus"),
        ("glass", "glass"),
        ("shoes", "shoe"),
        ("bees", "bee"),
    ],
)
def test_plurals_become_singular(plural: str, one: str) -> None:
    assert singular(plural) == one


def test_longer_names_are_tried_before_shorter_ones() -> None:
    assert parse("a tired polar bear").tails == ("tired polar bear", "polar bear", "bear")


def test_a_measure_is_kept_with_what_it_measures() -> None:
    assert parse("stack of old books").tails[:2] == ("stack of old book", "stack of book")


def test_emoji_are_read_whole_and_without_skin() -> None:
    assert emoji_in("🦊 and 👩‍🚀 and 👍🏽 and ☀️") == ["1f98a", "1f469-200d-1f680", "1f44d", "2600"]


def test_colours_are_found_in_order() -> None:
    assert colours_in("a Blue teapot, golden rim, Redwood") == ["blue", "golden"]


@given(st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_text_can_be_taken_apart(text: str) -> None:
    phrase = parse(text)
    assert all(phrase.words) and all(phrase.tails)
