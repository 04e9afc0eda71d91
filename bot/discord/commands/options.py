"""Options that several commands share, with what is offered while they are typed."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, Final

import discord
from discord import app_commands

from bot.discord.context import context_of
from bot.discord.names import MARK
from bot.discord.places import asked_by
from personas.persona import Persona
from personas.text import shorten

log = logging.getLogger(__name__)

_MOST: Final = 25
"""Choices that Discord shows."""

Choices = list[app_commands.Choice[str]]
here = app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
"""In servers and in private chats with the bot."""
installed = app_commands.allowed_installs(guilds=True, users=False)


async def personas(interaction: discord.Interaction[Any], typed: str) -> Choices:
    """The personas of this server that may be meant; of no other."""
    place, person = asked_by(interaction)
    try:
        found = await context_of(interaction).chat.gallery.complete(place, person, typed, _MOST)
    except Exception:
        log.exception("Nothing could be offered")
        return []
    return [persona_choice(one) for one in found[:_MOST]]


def persona_choice(persona: Persona, before: str = "", value: str = "") -> app_commands.Choice[str]:
    """A persona to choose."""
    who = persona.personality
    label = shorten(f"{before}{who.name}{MARK} — {who.tagline or who.kind}", 100)
    return app_commands.Choice(name=label, value=value or persona.id)


async def styles(interaction: discord.Interaction[Any], typed: str) -> Choices:
    """The looks with these letters."""
    catalogue = context_of(interaction).chat.styles
    return _matching(((one.name, one.label) for one in catalogue.all()), typed)


async def voices(interaction: discord.Interaction[Any], typed: str) -> Choices:
    """The voices with these letters."""
    catalogue = context_of(interaction).chat.voices
    return _matching(((name, name) for name in catalogue.names()), typed)


def _matching(named: Iterable[tuple[str, str]], typed: str) -> Choices:
    wanted = typed.casefold().split()
    choices: Choices = []
    for name, label in named:
        shown = name if name == label else f"{name}: {label}"
        if all(word in shown.casefold() for word in wanted):
            choices.append(app_commands.Choice(name=shorten(shown, 100), value=name))
            if len(choices) == _MOST:
                break
    return choices


async def meant(interaction: discord.Interaction[Any], name: str) -> Persona:
    """The persona that was chosen, or whose name was typed.

    Raises:
        ChatAnythingError: there is none here, or it could be several.
    """
    place, person = asked_by(interaction)
    return await context_of(interaction).chat.gallery.get(place, person, name)
