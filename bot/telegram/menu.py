"""The list of commands, as Telegram shows it by place and language."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict
from telegram import (
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
)

from bot.telegram.sender import Bot

_FILE: Final = Path(__file__).with_name("commands.toml")
_LANGUAGES: Final = ("en", "de", "es", "fr", "it", "pt", "ru")
ABOUT: Final = (
    "Describe anybody or anything, and a persona is born with a face, a voice and a character of "
    "its own. Talk to it, and it answers with text at once and a round video note of itself."
)
SHORT: Final = "Describe anybody, and talk to them: they answer with a video note of their face."


class Listed(BaseModel):
    """A command of the list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scope: Literal["all", "groups", "private", "admins"]
    en: str
    de: str
    es: str
    fr: str
    it: str
    pt: str
    ru: str


@lru_cache(maxsize=1)
def listed() -> dict[str, Listed]:
    """The commands, in their order."""
    with _FILE.open("rb") as file:
        return {name: Listed.model_validate(entry) for name, entry in tomllib.load(file).items()}


async def set_menu(bot: Bot) -> None:
    """Tells Telegram the commands and what this bot is."""
    scopes: list[tuple[BotCommandScope, tuple[str, ...]]] = [
        (BotCommandScopeAllPrivateChats(), ("all", "private", "admins")),
        (BotCommandScopeAllGroupChats(), ("all", "groups")),
        (BotCommandScopeAllChatAdministrators(), ("all", "groups", "admins")),
    ]
    for scope, kinds in scopes:
        for language in _LANGUAGES:
            code = None if language == "en" else language
            await bot.set_my_commands(
                list(_commands(kinds, language)), scope=scope, language_code=code
            )
    await bot.set_my_description(ABOUT)
    await bot.set_my_short_description(SHORT)


def _commands(kinds: Iterable[str], language: str) -> Iterable[BotCommand]:
    for name, entry in listed().items():
        if entry.scope in kinds:
            yield BotCommand(name, getattr(entry, language))
