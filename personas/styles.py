"""The catalogue of styles: every look that a portrait can have."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from personas.errors import NotFoundError
from personas.persona import Frozen, PortraitBrief
from personas.recipes import Family, FamilyName, Recipe

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
    """One look: what it is made of and how a face has to be drawn to belong to it.

    A drawn look has art (`packs`, `people`), a diffused one a recipe.
    """

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
    recipe: Recipe | None = Field(default=None, description="how a diffused look is painted")

    @model_validator(mode="after")
    def _is_made_of_something(self) -> Self:
        if (self.generator == "diffusion") != (self.recipe is not None):
            raise ValueError("a recipe belongs to the generator diffusion, and to each look of it")
        return self

    @property
    def for_people(self) -> bool:
        """Made for humans first of all."""
        return self.good_for[:1] == ("person",)

    def suits(self, brief: PortraitBrief) -> bool:
        """Whether it is made for what is to be drawn: for anything, for people, or for the rest."""
        return not self.good_for or self.for_people == brief.is_person


class StyleCatalogue:
    """All styles, by name.

    Args:
        styles: at least one that suits people and one that suits everything else.
        families: what diffused looks share.
        proposed: names of those to choose from where nobody names one; empty: all.
    """

    def __init__(
        self,
        styles: Sequence[Style],
        families: Sequence[Family] = (),
        proposed: Collection[str] = (),
    ) -> None:
        self._styles = {style.name: style for style in styles}
        self._families = {family.name: family for family in families}
        self._proposed = frozenset(proposed)

    def available(self, names: Sequence[str], proposed: Collection[str] = ()) -> StyleCatalogue:
        """The looks that can be painted here.

        Args:
            names: of these looks.
            proposed: those to choose from where nobody names one; empty: all.
        """
        here = [style for style in self._styles.values() if style.name in set(names)]
        return StyleCatalogue(here, tuple(self._families.values()), proposed)

    def extended(self, tables: Mapping[str, Mapping[str, Any]]) -> StyleCatalogue:
        """With looks of an operator's own added; one of the same name replaces ours.

        Args:
            tables: name -> the fields of a `Style` but its name.

        Raises:
            ValidationError: a look is wrong.
        """
        own = [Style(**{**fields, "name": name}) for name, fields in tables.items()]
        styles = {**self._styles, **{style.name: style for style in own}}
        return StyleCatalogue(
            tuple(styles.values()), tuple(self._families.values()), self._proposed
        )

    def family(self, name: FamilyName) -> Family:
        """What the looks of a family share.

        Raises:
            NotFoundError: there is no such family.
        """
        family = self._families.get(name)
        if family is None:
            raise NotFoundError(f"There is no family of diffusion models called {name}.")
        return family

    def proposed(self) -> list[Style]:
        """Those to choose from where nobody names one, in the order of the catalogue."""
        return [s for s in self.all() if not self._proposed or s.name in self._proposed]

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
        styles = self.proposed() or self.all()
        fitting = [style for style in styles if style.suits(brief)]
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
    """The looks that come with the program; what of them can be painted is another question."""
    text = resources.files("personas").joinpath("styles.toml").read_text("utf-8")
    table = tomllib.loads(text)
    return StyleCatalogue(
        [Style(**entry) for entry in table["style"]],
        [Family(**entry) for entry in table["family"]],
    )


def _plain(text: str) -> str:
    """Words in lower case, apart by single spaces."""
    return re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()
