"""What there are pictures of: emoji, what OpenMoji drew beyond them, and our own drawings."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import cast, get_args

from engine.portrait.illustrated.art.words import singular, tokens
from personas.styles import ArtKind

OURS = "ours"
"""The pack that comes with the program."""


@dataclass(frozen=True)
class Concept:
    """One thing that can be drawn, in one pack or in several.

    Attributes:
        id: its name in files: hot-air-balloon.
        code: the emoji's code points as in file names; empty where it is none.
        kind: what sort of thing it is.
        has_face: its pictures already show eyes or a mouth.
        name: as people say it, in the singular.
        aliases: other names of the same thing.
        likes: names of other things that it can stand for when they have no picture.
        keywords: words that have to do with it.
        pictures: pack -> the picture's name there.
        face: where a face belongs in our drawing: middle of the features, width; its own units.
        preferred: our drawing is better for a portrait than an emoji of the same name.
    """

    id: str
    code: str
    kind: ArtKind
    has_face: bool
    name: str
    keywords: tuple[str, ...]
    pictures: dict[str, str] = field(hash=False)
    aliases: tuple[str, ...] = ()
    likes: tuple[str, ...] = ()
    face: tuple[float, float, float] | None = None
    preferred: bool = False


@cache
def load_concepts() -> tuple[Concept, ...]:
    """Everything there is a picture of."""
    here = resources.files(__package__)
    names = _names(here.joinpath("names.txt").read_text("utf-8"))
    concepts = [*_emoji(here), *_ours(here)]
    unknown = names.keys() - {concept.id for concept in concepts}
    if unknown:
        raise ValueError(f"names.txt speaks of pictures that are not there: {sorted(unknown)}")
    return tuple(_with_names(concept, *names.get(concept.id, ((), ()))) for concept in concepts)


def normal(name: str) -> str:
    """A name as it is compared: singular words in lower case."""
    return " ".join(singular(word) for word in tokens(name))


def _emoji(here: Traversable) -> list[Concept]:
    concepts = []
    for line in here.joinpath("emoji.tsv").read_text("utf-8").splitlines():
        slug, code, kind, face, name, keywords, packs = line.split("\t")
        pictures = {}
        for pack in packs.split(","):
            where, _, there = pack.partition("=")
            pictures[where] = there or slug
        concepts.append(
            Concept(
                slug,
                code,
                _kind(kind),
                face == "1",
                normal(name),
                tuple(normal(word) for word in keywords.split(";") if word),
                pictures,
            )
        )
    return concepts


def _ours(here: Traversable) -> list[Concept]:
    entries = tomllib.loads(here.joinpath("ours.toml").read_text("utf-8"))
    return [
        Concept(
            f"our-{key}",
            "",
            _kind(entry["kind"]),
            False,
            normal(entry.get("name", key.replace("-", " "))),
            tuple(normal(word) for word in entry.get("keywords", ())),
            {OURS: key},
            tuple(normal(name) for name in entry.get("aliases", ())),
            tuple(normal(name) for name in entry.get("likes", ())),
            tuple(entry["face"]) if "face" in entry else None,
            bool(entry.get("preferred", False)),
        )
        for key, entry in entries.items()
    ]


def _names(text: str) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Reads `id: alias, alias, ~like` lines; `#` starts a comment."""
    names: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}
    for line in text.splitlines():
        entry = line.partition("#")[0].strip()
        if not entry:
            continue
        key, _, listed = entry.partition(":")
        words = [word.strip() for word in listed.split(",") if word.strip()]
        aliases = tuple(normal(word) for word in words if not word.startswith("~"))
        likes = tuple(normal(word[1:]) for word in words if word.startswith("~"))
        before = names.get(key.strip(), ((), ()))
        names[key.strip()] = (before[0] + aliases, before[1] + likes)
    return names


def _with_names(concept: Concept, aliases: tuple[str, ...], likes: tuple[str, ...]) -> Concept:
    return replace(concept, aliases=concept.aliases + aliases, likes=concept.likes + likes)


def _kind(text: str) -> ArtKind:
    if text not in get_args(ArtKind):
        raise ValueError(f"There is no kind {text!r}.")
    return cast(ArtKind, text)
