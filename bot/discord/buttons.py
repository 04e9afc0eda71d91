"""Buttons that carry in their id what they need: they work for ever, and cost nothing to keep."""

from __future__ import annotations

from typing import Any, TypeVar

import discord

from bot.discord.context import explained

AnyView = TypeVar("AnyView", discord.ui.View, discord.ui.LayoutView)


def forgotten(view: AnyView) -> AnyView:
    """The same view, which the library need not remember.

    The library keeps views to find who answers a click. Dynamic items are found by the pattern
    of their id, so that a view of them may be forgotten as soon as it is sent: ten thousand
    messages with buttons take no memory, and those from before a restart work like new ones.
    """
    view.stop()
    return view


def view_of(*items: discord.ui.Item[Any]) -> discord.ui.View:
    """A view for one message, already forgotten."""
    view = discord.ui.View(timeout=None)
    for item in items:
        view.add_item(item)
    return forgotten(view)


class Press(discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"ca:never"):
    """A button; what goes wrong when it is pressed is told to who pressed it."""

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Does what the button says."""
        async with explained(interaction):
            await self.pressed(interaction)

    async def pressed(self, interaction: discord.Interaction[Any]) -> None:
        """What the button does."""
        raise NotImplementedError


class Choose(discord.ui.DynamicItem[discord.ui.Select[Any]], template=r"ca:never"):
    """A menu; what goes wrong when something is chosen is told to who chose it."""

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Does what was chosen."""
        async with explained(interaction):
            await self.chosen(interaction, self.item.values)

    async def chosen(self, interaction: discord.Interaction[Any], values: list[Any]) -> None:
        """What the choice does."""
        raise NotImplementedError


class Form(discord.ui.Modal):
    """A form to fill in; what goes wrong with it is told to who filled it in."""

    async def on_submit(self, interaction: discord.Interaction[Any]) -> None:
        """Takes the form."""
        async with explained(interaction):
            await self.submitted(interaction)

    async def submitted(self, interaction: discord.Interaction[Any]) -> None:
        """What becomes of the form."""
        raise NotImplementedError
