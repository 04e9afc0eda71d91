"""The slash commands. Each asks the chat, and shows what comes back."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from bot.chat.base import RefusedError
from bot.discord.commands import making, rules, talking
from bot.discord.commands.changing import persona
from bot.discord.context import explain, named

_Command = app_commands.Command[Any, ..., Any] | app_commands.ContextMenu | app_commands.Group


def add_commands(tree: app_commands.CommandTree[Any]) -> None:
    """Adds all commands to a tree."""
    commands: tuple[_Command, ...] = (
        making.create,
        making.gallery,
        talking.talk,
        talking.mode,
        talking.ask,
        talking.duet,
        talking.forget,
        talking.who,
        rules.settings,
        rules.help,
        persona,
    )
    for command in commands:
        tree.add_command(command)


class Tree(app_commands.CommandTree[Any]):
    """The commands; what goes wrong is told to who used them."""

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        """Names the request that all which follows belongs to; everybody may go on."""
        named(interaction)
        return True

    async def on_error(
        self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError
    ) -> None:
        """Explains the error."""
        cause: BaseException = error
        if isinstance(error, app_commands.CommandInvokeError):
            cause = error.original
        if isinstance(error, app_commands.CheckFailure):
            cause = RefusedError("You may not use this command here.")
        await explain(interaction, cause)
