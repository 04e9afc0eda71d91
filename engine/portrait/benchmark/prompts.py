"""The 400 descriptions of the benchmark, with what a language model would make of each."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources

from personas.persona import Mood, PortraitBrief


@dataclass(frozen=True)
class Prompt:
    """One description.

    Attributes:
        category: realistic, animals, fruits, plants, office, bags, clothes or cartoon.
        text: what a person would type.
        brief: what is drawn for it.
    """

    category: str
    text: str
    brief: PortraitBrief


@cache
def load_prompts() -> tuple[Prompt, ...]:
    """All of them, category by category."""
    text = resources.files(__package__).joinpath("prompts.toml").read_text("utf-8")
    return tuple(
        Prompt(
            category,
            entry["text"],
            PortraitBrief(
                subject=entry["subject"],
                details=entry["text"],
                mood=Mood(entry["mood"]),
                gender=entry["gender"],
                age=entry["age"],
                is_person=entry.get("person", False),
            ),
        )
        for category, entries in tomllib.loads(text).items()
        for entry in entries
    )


def some_of_each(prompts: Iterable[Prompt], most: int) -> tuple[Prompt, ...]:
    """The first of each category, at most so many; 0: all."""
    taken: dict[str, int] = {}
    chosen = []
    for prompt in prompts:
        taken[prompt.category] = taken.get(prompt.category, 0) + 1
        if not most or taken[prompt.category] <= most:
            chosen.append(prompt)
    return tuple(chosen)
