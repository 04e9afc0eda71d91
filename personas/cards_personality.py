"""Between a card's texts and a Personality, in both directions and without a language model."""

from __future__ import annotations

import re
from typing import Any

from personas.cards_guess import (
    guess_age,
    guess_gender,
    guess_kind,
    guess_language,
    guess_mood,
)
from personas.cards_model import Card
from personas.cards_text import abstract, read_examples, resolve, resolve_said, write_examples
from personas.persona import Exchange, Personality

MAX_CHARACTER = 12_000
MAX_SAID = 4_000
MAX_EXAMPLES = 8
_MAX_LANGUAGE = 35
"""As BCP 47 wants it."""
_MAX_NAME = 60
_MAX_TAGLINE = 140


def to_personality(card: Card, user: str | None = None) -> Personality:
    """The personality that a card describes.

    Where the card carries a personality of ours, that one; but what another program has changed
    in the card's own fields since it was written, counts.

    Args:
        card: as it was read.
        user: what {{user}} is called; None where nobody knows.
    """
    found = read_personality(card, user)
    if card.kept is None:
        return found
    ours = card.kept.personality
    written = text_fields(ours)
    if card.name != written["name"] and found.name != ours.name:  # its name stands in every text
        changed = {"name": found.name, "greeting": found.greeting, "examples": found.examples}
        return _within_limits(ours.model_copy(update=changed | {"character": found.character}))
    update: dict[str, Any] = {}
    about = ("description", "personality", "scenario")
    if any(getattr(card, name) != written[name] for name in about):
        update["character"] = found.character
        update["speaking_style"] = found.speaking_style
    if card.first_mes != written["first_mes"]:
        update["greeting"] = found.greeting
    if card.mes_example != written["mes_example"]:
        update["examples"] = found.examples
    return _within_limits(ours.model_copy(update=update))


def text_fields(personality: Personality) -> dict[str, str]:
    """A personality as the text fields of a card."""
    p = personality
    return {
        "name": p.name,
        "description": abstract(p.character, p.name),
        "personality": abstract(p.speaking_style, p.name),
        "scenario": "",
        "first_mes": abstract(p.greeting, p.name),
        "mes_example": write_examples(p.examples, p.name),
    }


def card_fields(fields: dict[str, Any]) -> Card:
    """The texts of a stored card, for `read_personality`; what is no text counts as none."""
    names = ("name", "description", "personality", "scenario", "first_mes", "mes_example")
    texts = {n: fields[n] for n in (*names, "nickname", "system_prompt") if _is_text(fields, n)}
    greetings = fields.get("alternate_greetings")
    tags = fields.get("tags")
    return Card(
        spec="v2",
        **{"name": "", **texts},
        alternate_greetings=_texts(greetings),
        tags=_texts(tags),
    )


def read_personality(card: Card, user: str | None = None) -> Personality:
    """The personality that the card's own fields describe."""
    name = _shorten(" ".join(card.called.split()), _MAX_NAME) or "Nameless"
    description, summary, scenario = (
        resolve(text, name, user) for text in (card.description, card.personality, card.scenario)
    )
    if not description and not summary:
        description = resolve(card.system_prompt, name, user)
    examples, alone = read_examples(card.mes_example, name, user)
    greeting = _greeting(card, name, user)
    evidence = " ".join((description, summary, " ".join(card.tags)))
    gender = guess_gender(evidence)
    personality = Personality(
        name=name,
        kind=guess_kind(f"{description}\n{summary}", gender),
        tagline=summary if len(summary) <= _MAX_TAGLINE and "\n" not in summary else "",
        character=_character(name, description, summary, scenario),
        speaking_style=_style(alone),
        greeting=greeting,
        examples=tuple(examples),
        language=guess_language(" ".join((greeting, description, summary))),
        gender=gender,
        age=guess_age(evidence),
        mood=guess_mood(evidence),
    )
    return _within_limits(personality)


def _within_limits(p: Personality) -> Personality:
    """What goes into every prompt, no longer than that; whoever wrote the card."""
    examples = (
        Exchange(user=_shorten(one.user, MAX_SAID), reply=_shorten(one.reply, MAX_SAID))
        for one in p.examples[:MAX_EXAMPLES]
    )
    limited = {
        "character": _shorten(p.character, MAX_CHARACTER),
        "speaking_style": _shorten(p.speaking_style, MAX_SAID),
        "greeting": _shorten(p.greeting, MAX_SAID),
        "examples": tuple(examples),
        "language": _shorten(p.language, _MAX_LANGUAGE),
    }
    return p.model_copy(update=limited)


def _character(name: str, description: str, summary: str, scenario: str) -> str:
    parts = [] if description.lower().startswith("you are ") else [f"You are {name}."]
    parts += [description] if description else []
    parts += [f"Personality: {summary}"] if summary else []
    parts += [f"Scenario: {scenario}"] if scenario else []
    return "\n".join(parts)


def _greeting(card: Card, name: str, user: str | None) -> str:
    for text in (card.first_mes, *card.alternate_greetings):
        if said := resolve_said(text, name, user):
            return said
    return f"Hello! I am {name}."


def _style(alone: list[str]) -> str:
    """What the persona says unasked in its examples, as samples of how it speaks."""
    samples = [" ".join(said.split()) for said in alone[:3]]
    quoted = [f'"{_shorten(said, 300)}"' for said in samples]
    return f"You say things such as: {' '.join(quoted)}" if quoted else ""


def _shorten(text: str, most: int) -> str:
    """At most `most` characters, cut between sentences or words where that is possible.

    Of a text that is not empty something is left, were it only spaces.
    """
    if len(text) <= most:
        return text
    cut = text[:most]
    if most > 200:
        ends = [match.end() for match in re.finditer(r"[.!?。！？]\s|\n", cut)]
        if ends and ends[-1] > most // 2:
            return cut[: ends[-1]].rstrip() or cut
    head, space, _ = cut.rpartition(" ")
    return (head if space and len(head) > most // 2 else cut).rstrip() or cut


def _is_text(fields: dict[str, Any], name: str) -> bool:
    return isinstance(fields.get(name), str)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(v for v in value if isinstance(v, str)) if isinstance(value, list) else ()
