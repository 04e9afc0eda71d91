"""/persona: show, rename, edit, voice, portrait, delete, export, import."""

from __future__ import annotations

import io
from typing import Any, Literal

import discord
from discord import app_commands

from bot.discord.buttons import Form
from bot.discord.cards import ask_to_delete, show_card
from bot.discord.commands import options
from bot.discord.context import context_of, say
from bot.discord.creating import bring_to_life, fetched, showing
from bot.discord.names import quotable
from bot.discord.places import asked_by
from bot.discord.speakers import NOBODY
from personas.errors import InvalidInputError
from personas.persona import Persona

persona = options.installed(
    options.here(app_commands.Group(name="persona", description="See and change a persona."))
)


@persona.command(description="Show a persona's card.")
@app_commands.rename(name="persona")
@app_commands.describe(name="Who")
@app_commands.autocomplete(name=options.personas)
async def show(interaction: discord.Interaction[Any], name: str) -> None:
    """Shows the card."""
    await show_card(interaction, await options.meant(interaction, name))


@persona.command(description="Give a persona another name.")
@app_commands.rename(name="persona")
@app_commands.describe(name="Who", to="Its new name")
@app_commands.autocomplete(name=options.personas)
async def rename(
    interaction: discord.Interaction[Any], name: str, to: app_commands.Range[str, 1, 60]
) -> None:
    """Renames."""
    place, person = asked_by(interaction)
    before = await options.meant(interaction, name)
    after = await context_of(interaction).chat.gallery.rename(place, person, before, to)
    await interaction.response.send_message(
        f"{quotable(before.personality.name)} is called {quotable(after.personality.name)} now."
        f"{_marked(before, after)}",
        allowed_mentions=NOBODY,
    )


@persona.command(description="Change who a persona is, in a form.")
@app_commands.rename(name="persona")
@app_commands.describe(name="Who")
@app_commands.autocomplete(name=options.personas)
async def edit(interaction: discord.Interaction[Any], name: str) -> None:
    """Opens the form."""
    await interaction.response.send_modal(EditForm(await options.meant(interaction, name)))


@persona.command(description="Give a persona another voice.")
@app_commands.rename(name="persona")
@app_commands.describe(name="Who", voice="Which; left open, another that suits it")
@app_commands.autocomplete(name=options.personas, voice=options.voices)
async def voice(interaction: discord.Interaction[Any], name: str, voice: str = "") -> None:
    """Casts it anew."""
    place, person = asked_by(interaction)
    before = await options.meant(interaction, name)
    after = await context_of(interaction).chat.gallery.recast(place, person, before, voice)
    await interaction.response.send_message(
        f"{quotable(after.personality.name)} speaks as {quotable(after.voice.preset)} now.",
        allowed_mentions=NOBODY,
    )


@persona.command(description="Draw a persona anew.")
@app_commands.rename(name="persona")
@app_commands.describe(name="Who", style="In which look; left open, one that suits it")
@app_commands.autocomplete(name=options.personas, style=options.styles)
async def portrait(interaction: discord.Interaction[Any], name: str, style: str = "") -> None:
    """Draws it anew."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    place, person = asked_by(interaction)
    before = await options.meant(interaction, name)
    show = showing(f"{quotable(before.personality.name)} sits for it")
    making = context_of(interaction).chat.gallery.redraw(
        place, person, before, style=style, show=show
    )
    await bring_to_life(interaction, making)


@persona.command(description="Delete a persona, with all that was said with it.")
@app_commands.rename(name="persona")
@app_commands.describe(name="Who")
@app_commands.autocomplete(name=options.personas)
async def delete(interaction: discord.Interaction[Any], name: str) -> None:
    """Asks once more."""
    await ask_to_delete(interaction, await options.meant(interaction, name))


@persona.command(description="Take a persona along, as a character card.")
@app_commands.rename(name="persona", form="format")
@app_commands.describe(name="Who", form="The kind of file")
@app_commands.autocomplete(name=options.personas)
async def export(
    interaction: discord.Interaction[Any],
    name: str,
    form: Literal["png", "v3-json", "v2-json"] = "png",
) -> None:
    """Sends the card."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    place, person = asked_by(interaction)
    chosen = await options.meant(interaction, name)
    _, data = await context_of(interaction).chat.gallery.export(place, person, chosen, form)
    file = f"{chosen.slug}.{'png' if form == 'png' else 'json'}"
    if len(data) > interaction.filesize_limit:
        raise InvalidInputError("Its card is too large to be sent here. Try v3-json.")
    await say(
        interaction,
        f"{quotable(chosen.personality.name)}, as other programs read it, too.",
        file=discord.File(io.BytesIO(data), filename=file),
    )


@persona.command(name="import", description="Bring a character card to life.")
@app_commands.describe(card="A PNG or JSON file: Character Card V1, V2 or V3")
async def bring(interaction: discord.Interaction[Any], card: discord.Attachment) -> None:
    """Reads the card."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    place, person = asked_by(interaction)
    data = await fetched(card)
    making = context_of(interaction).chat.gallery.bring(
        place, person, data, show=showing("Somebody arrives")
    )
    await bring_to_life(interaction, making)


class EditForm(Form):
    """Who a persona is, to be changed."""

    def __init__(self, chosen: Persona) -> None:
        who = chosen.personality
        super().__init__(title=f"Edit {who.name}"[:45], timeout=3_600)
        self._persona = chosen
        long, short = discord.TextStyle.paragraph, discord.TextStyle.short
        self._fields: dict[str, discord.ui.TextInput[Any]] = {}
        for key, label, value, style, most, needed in (
            ("name", "Name", who.name, short, 60, True),
            ("tagline", "Tagline", who.tagline, short, 140, False),
            ("character", "Character: You are ...", who.character, long, 2_000, True),
            ("speaking_style", "How it speaks", who.speaking_style, long, 400, False),
            ("greeting", "Greeting", who.greeting, long, 600, True),
        ):
            field: discord.ui.TextInput[Any] = discord.ui.TextInput(
                default=value[:most] or None, style=style, max_length=most, required=needed
            )
            self._fields[key] = field
            self.add_item(discord.ui.Label(text=label, component=field))

    async def submitted(self, interaction: discord.Interaction[Any]) -> None:
        """Changes what was changed."""
        place, person = asked_by(interaction)
        changes = {
            key: field.value
            for key, field in self._fields.items()
            if field.value != (field.default or "")
        }
        changed = await context_of(interaction).chat.gallery.edit(
            place, person, self._persona, **changes
        )
        name = quotable(changed.personality.name)
        await say(interaction, f"{name} has changed.{_marked(self._persona, changed)}")


def _marked(before: Persona, after: Persona) -> str:
    """What is to be said where a change has made somebody a persona for adults."""
    is_new = after.adult and not before.adult
    return " It is for adults now: only age-restricted channels see it." if is_new else ""
