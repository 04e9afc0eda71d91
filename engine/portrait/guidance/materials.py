"""The colour of what a face is drawn on: skin, fur, fruit or steel, from the words of the brief."""

from __future__ import annotations

import random
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from engine.portrait.illustrated.palette import Lab, lab_of
from personas.persona import PortraitBrief

LEAST_LIGHT = 34.0
"""CIELAB lightness of a surface at least, so that a detector tells eyes and mouth from it."""


@dataclass(frozen=True)
class Materials:
    """Colours by word, and those that are left to chance."""

    words: dict[str, str]
    things: dict[str, str]
    skins: tuple[str, ...]
    others: tuple[str, ...]


@cache
def load_materials() -> Materials:
    """The table that comes with the program."""
    text = resources.files(__package__).joinpath("materials.toml").read_text("utf-8")
    table = tomllib.loads(text)
    return Materials(table["words"], table["things"], tuple(table["skins"]), tuple(table["others"]))


def material_colour(brief: PortraitBrief, seed: int) -> Lab:
    """The colour of the surface of a face.

    What the subject is called comes first ("a green apple" is green), then what the details say of
    a thing; the clothes of a person do not colour its skin.

    Args:
        brief: who or what it is.
        seed: decides where the words say nothing.

    Returns:
        CIELAB, light enough for a face to be seen on it.
    """
    materials = load_materials()
    subject = _words(brief.subject)
    details = [] if brief.is_person else _words(brief.details)
    chance = random.Random(f"material {seed} {brief.subject}")
    tables: tuple[tuple[list[str], dict[str, str]], ...]
    if brief.is_person:
        tables = ((subject, {word: materials.words[word] for word in ("pale", "tanned")}),)
    else:
        tables = (
            (subject, materials.words),
            (subject, materials.things),
            (details, materials.words),
            (details, materials.things),
        )
    for words, table in tables:
        found = next((table[word] for word in words if word in table), None)
        if found is not None:
            break
    else:
        found = chance.choice(materials.skins if brief.is_person else materials.others)
    colour = lab_of(found)
    colour[0] = max(float(colour[0]), LEAST_LIGHT)
    return colour


def _words(text: str) -> list[str]:
    """Words in lower case, plurals with their singular after them."""
    found: list[str] = []
    for word in re.findall(r"[a-z]+", text.lower()):
        found.append(word)
        if word.endswith("s"):
            found.append(word[:-1])
    return found
