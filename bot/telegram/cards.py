"""How a persona is introduced: its portrait, who it is, and what can be done with it."""

from __future__ import annotations

import re
from typing import Final

from telegram import InlineKeyboardMarkup
from telegram.helpers import create_deep_linked_url

from bot.telegram.formatting import Rich, harmless
from bot.telegram.keys import key, link, pack, rows
from bot.telegram.spots import Spot
from personas.persona import Persona

_START = re.compile(r"([0-9A-Za-z_-]{1,40}?)_(m?)([0-9]{1,20})")
_SHORT: Final = 300


def introduction(persona: Persona) -> Rich:
    """Name, tagline and greeting."""
    who = persona.personality
    card = Rich().add(harmless(who.name), "bold")
    if who.tagline:
        card.add("\n").add(harmless(who.tagline), "italic")
    return card.add("\n\n").add(harmless(who.greeting), "blockquote")


def details(persona: Persona) -> Rich:
    """All that people may want to know of a persona."""
    who, card = persona.personality, introduction(persona)
    lines = [
        ("Character", who.character),
        ("Speaks", who.speaking_style),
        ("Voice", persona.voice.preset),
        ("Look", persona.portrait.style),
        ("Described as", _short(persona.description)),
        ("Made by", persona.model),
        *(
            ("Art", ", ".join(filter(None, (c.title, c.author, c.licence))))
            for c in persona.portrait.credits
        ),
    ]
    card.add("\n")
    for label, value in lines:
        if value:
            card.add("\n").add(f"{label}:", "bold").add(f" {harmless(value)}")
    return card


def actions(persona: Persona, spot: Spot, bot_name: str) -> InlineKeyboardMarkup:
    """The buttons under a card."""
    id, name = pack(persona.id), persona.personality.name
    alone = None
    if not spot.private:
        alone = link("In private", create_deep_linked_url(bot_name, start_word(persona, spot)))
    return rows(
        [key(f"💬 Talk to {name}", "talk", id)],
        [key("🔊 Hear", "hear", id), alone],
        [key("🎨 Portrait", "looks", id, "0"), key("🗣 Voice", "voices", id, "0")],
        [key("📤 Export", "export", id), key("🗑 Delete", "delete", id)],
    )


def start_word(persona: Persona, spot: Spot) -> str:
    """What stands in a deep link to a persona of some chat."""
    chat = f"m{-spot.chat}" if spot.chat < 0 else str(spot.chat)
    return f"{pack(persona.id)}_{chat}"


def read_start(word: str) -> tuple[str, int] | None:
    """The packed persona and the chat that a deep link names."""
    match = _START.fullmatch(word)
    if match is None:
        return None
    chat = int(match[3])
    return match[1], -chat if match[2] else chat


def _short(text: str) -> str:
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1]}…"
