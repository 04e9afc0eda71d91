"""The catalogue of styles: every look that a portrait can have."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Literal

from pydantic import Field

from personas.errors import NotFoundError
from personas.persona import Frozen, PortraitBrief

ArtKind = Literal[
    "person",
    "animal",
    "being",
    "face",
    "plant",
    "food",
    "object",
    "clothing",
    "vehicle",
    "place",
    "nature",
    "body",
    "symbol",
]
"""What sort of thing a picture shows; `being` is a creature of tales, robots included."""


class Style(Frozen):
    """One look: which art it is made of and how a face has to be drawn to belong to it."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    label: str
    description: str = Field(description="one sentence, for people and for the language model")
    generator: str = Field(description="the portrait backend that draws it")
    packs: tuple[str, ...] = Field(default=(), description="art of things, the preferred first")
    people: str = Field(default="", description="the illustrator of people")
    rendering: Literal["outlined", "flat", "shaded"] = "flat"
    good_for: tuple[ArtKind, ...] = Field(default=(), description="best first; empty: anything")
    author: str
    licence: str
    url: str = ""

    @property
    def for_people(self) -> bool:
        """Made for humans first of all."""
        return self.good_for[:1] == ("person",)


class StyleCatalogue:
    """All styles, by name.

    Args:
        styles: at least one that suits people and one that suits everything else.
    """

    def __init__(self, styles: Sequence[Style]) -> None:
        self._styles = {style.name: style for style in styles}

    def names(self) -> list[str]:
        """In the order of the catalogue."""
        return list(self._styles)

    def all(self) -> list[Style]:
        """In the order of the catalogue."""
        return list(self._styles.values())

    def get(self, name: str) -> Style:
        """The style of exactly this name.

        Raises:
            NotFoundError: there is none; names the nearest.
        """
        style = self._styles.get(name)
        if style is not None:
            return style
        near = self._nearest(name)
        hint = f"Did you mean {near.name}?" if near else f"There are: {', '.join(self._styles)}."
        raise NotFoundError(f"There is no style called {name[:40]!r}. {hint}")

    def resolve(self, name: str, brief: PortraitBrief) -> Style:
        """The style that was meant: tolerant of case and spelling, never fails.

        An empty or invented name is decided by what is to be drawn: people get a style of
        people, everything else the best general one.
        """
        near = self._nearest(name)
        if near is not None:
            return near
        styles = self.all()
        fitting = [style for style in styles if style.for_people == brief.is_person]
        return (fitting or styles)[0]

    def _nearest(self, name: str) -> Style | None:
        wanted = _plain(name[:80])
        if not wanted:
            return None
        spellings: dict[str, Style] = {}
        for style in reversed(self.all()):
            spellings[_plain(style.label)] = style
            spellings[_plain(style.name)] = style
        if wanted in spellings:
            return spellings[wanted]
        close = difflib.get_close_matches(wanted, spellings, n=1, cutoff=0.75)
        if close:
            return spellings[close[0]]
        words = set(wanted.split())
        named = [style for spelling, style in spellings.items() if spelling in words]
        return named[0] if named else None


@cache
def load_styles() -> StyleCatalogue:
    """The catalogue that comes with the program."""
    text = resources.files("personas").joinpath("styles.toml").read_text("utf-8")
    return StyleCatalogue([Style(**entry) for entry in tomllib.loads(text)["style"]])


def _plain(text: str) -> str:
    """Words in lower case, apart by single spaces."""
    return re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()
