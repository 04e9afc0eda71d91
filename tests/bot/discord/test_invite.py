"""What the README says about the invitation is what the program asks for."""

from __future__ import annotations

from pathlib import Path

import discord

from bot.discord.client import PersonaBot
from bot.discord.commands import add_commands
from bot.discord.invite import PERMISSIONS, invite_url
from bot.discord.settings import DiscordSettings

README = Path(__file__).parents[3] / "README.md"


def test_the_readme_has_the_exact_bits() -> None:
    text = README.read_text(encoding="utf-8")
    assert f"permissions={PERMISSIONS.value}" in text
    assert invite_url(1).partition("client_id=1")[2] in text
    names = [name for name, on in PERMISSIONS if on]
    assert len(names) == 7 and not PERMISSIONS.administrator


async def test_the_readme_names_every_command() -> None:
    text = README.read_text(encoding="utf-8")
    bot = PersonaBot(DiscordSettings())
    add_commands(bot.tree)
    for command in bot.tree.get_commands(type=discord.AppCommandType.chat_input):
        assert f"`/{command.name}" in text, command.name
    for menu in bot.tree.get_commands(type=discord.AppCommandType.message):
        assert f"**{menu.name}**" in text, menu.name
