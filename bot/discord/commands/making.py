"""/create and /gallery."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from bot.discord.commands import options
from bot.discord.context import context_of
from bot.discord.creating import bring_to_life, fetched, showing
from bot.discord.gallery import show_gallery
from bot.discord.places import asked_by


@app_commands.command(description="Describe anything, and it comes to life.")
@app_commands.describe(
    description="A grumpy old lighthouse that loves poetry ...",
    style="Its look; left open, one that suits it",
    voice="Its voice; left open, one that suits it",
    image="A picture to use as its appearance",
    adult="For channels for adults only",
)
@app_commands.autocomplete(style=options.styles, voice=options.voices)
@options.here
@options.installed
async def create(
    interaction: discord.Interaction[Any],
    description: app_commands.Range[str, 1, 2_000],
    style: str = "",
    voice: str = "",
    image: discord.Attachment | None = None,
    adult: bool = False,
) -> None:
    """Makes a persona."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    place, person = asked_by(interaction)
    photo = await fetched(image) if image is not None else None
    making = context_of(interaction).chat.gallery.create(
        place,
        person,
        description,
        style=style,
        voice=voice,
        photo=photo,
        adult=adult,
        show=showing("Somebody is being born", description),
    )
    await bring_to_life(interaction, making)


@app_commands.command(description="Who lives on this server, with portraits.")
@app_commands.describe(search="Words of a name or description")
@options.here
@options.installed
async def gallery(
    interaction: discord.Interaction[Any], search: app_commands.Range[str, 0, 60] = ""
) -> None:
    """Shows the gallery."""
    await show_gallery(interaction, search)
