"""How a persona is shown: its card, with portrait and buttons, and its details."""

from __future__ import annotations

import asyncio
import io
import re
from typing import Any, Final, Literal

import discord

from bot.discord.buttons import Press, forgotten
from bot.discord.context import UNEXPECTED, Context, context_of, say
from bot.discord.names import MARK, harmless, quotable
from bot.discord.places import asked_by
from bot.discord.speakers import NOBODY
from engine.events import ClipFailed, ClipReady, SpeechReady
from personas.errors import UnavailableError
from personas.persona import Persona
from personas.text import shorten

PORTRAIT: Final = "portrait.png"
WARM: Final = discord.Colour(0xE8A33D)
"""The colour beside whatever is shown of a persona."""

Act = Literal["talk", "hear", "details", "delete", "sure"]

_LOOKS: Final[dict[str, tuple[str, str, discord.ButtonStyle]]] = {
    "talk": ("Talk here", "💬", discord.ButtonStyle.primary),
    "hear": ("Hear me", "🔊", discord.ButtonStyle.secondary),
    "details": ("Details", "📖", discord.ButtonStyle.secondary),
    "delete": ("Delete", "🗑️", discord.ButtonStyle.secondary),
    "sure": ("Yes, delete it for ever", "🗑️", discord.ButtonStyle.danger),
}


def card_view(persona: Persona, *, portrait: bool = True) -> discord.ui.LayoutView:
    """The card of a persona.

    Args:
        persona: whose.
        portrait: whether the file `PORTRAIT` goes with it.
    """
    container: discord.ui.Container[Any] = discord.ui.Container(accent_colour=WARM)
    if portrait:
        container.add_item(portrait_of(persona.personality.name))
    container.add_item(discord.ui.TextDisplay(headline(persona)))
    container.add_item(
        discord.ui.ActionRow(
            *(CardButton(act, persona.id) for act in ("talk", "hear", "details", "delete"))
        )
    )
    view = discord.ui.LayoutView(timeout=None)
    view.add_item(container)
    return forgotten(view)


def headline(persona: Persona) -> str:
    """Name, tagline and greeting, and who made it."""
    who = persona.personality
    lines = [f"## {quotable(who.name)}{MARK}"]
    if who.tagline:
        lines.append(f"*{quotable(who.tagline)}*")
    lines.append(f"> {quotable(shorten(who.greeting, 600))}")
    lines.append(f"-# {quotable(shorten(persona.description, 300))}{_by(persona)}")
    return "\n".join(lines)


def portrait_of(name: str) -> discord.ui.MediaGallery[Any]:
    """The file `PORTRAIT`, large."""
    item = discord.MediaGalleryItem(f"attachment://{PORTRAIT}", description=f"Portrait of {name}")
    return discord.ui.MediaGallery(item)


def portrait_file(image: bytes) -> discord.File:
    """The file that goes with a card."""
    return discord.File(io.BytesIO(image), filename=PORTRAIT)


def details(persona: Persona) -> str:
    """All there is to know about a persona, within one message."""
    who, portrait, voice = persona.personality, persona.portrait, persona.voice
    credits = "; ".join(
        f"{credit.title} by {credit.author} ({credit.licence})" for credit in portrait.credits
    )
    facts = (
        ("Made of", shorten(persona.description, 400)),
        ("Is", f"a {who.kind}, {who.mood.value}; speaks {who.language}"),
        ("Character", shorten(who.character, 500)),
        ("Speaks", shorten(who.speaking_style, 200)),
        ("Look", f"{portrait.style}, seed {portrait.seed}"),
        ("Voice", voice.preset),
        ("Art", shorten(credits, 300)),
        ("Words by", persona.model),
        ("In commands", persona.slug),
        ("Seen", "in age-restricted channels only" if persona.adult else ""),
    )
    lines = [f"**{name}:** {quotable(text)}" for name, text in facts if text]
    title = f"### {quotable(who.name)}{MARK}{_by(persona)}"
    return "\n".join((title, *lines))[:2_000]


async def show_card(interaction: discord.Interaction[Any], persona: Persona) -> None:
    """Answers an interaction with a persona's card, for all to see."""
    image = await context_of(interaction).chat.gallery.portrait(persona)
    options: dict[str, Any] = {
        "view": card_view(persona),
        "file": portrait_file(image),
        "allowed_mentions": NOBODY,
    }
    if interaction.response.is_done():
        await interaction.followup.send(**options)
    else:
        await interaction.response.send_message(**options)


class CardButton(
    Press,
    template=r"ca:persona:(?P<act>talk|hear|details|delete|sure):(?P<id>[\w-]{1,64})",
):
    """One of the buttons of a card."""

    def __init__(self, act: Act, persona_id: str) -> None:
        label, emoji, style = _LOOKS[act]
        super().__init__(
            discord.ui.Button(
                label=label,
                emoji=emoji,
                style=style,
                custom_id=f"ca:persona:{act}:{persona_id}",
            )
        )
        self._act = act
        self._persona_id = persona_id

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str]
    ) -> CardButton:
        """The button that was pressed."""
        return cls(match["act"], match["id"])  # type: ignore[arg-type]

    async def pressed(self, interaction: discord.Interaction[Any]) -> None:
        """Does what the button says, if this person may."""
        context, (place, person) = context_of(interaction), asked_by(interaction)
        persona = await context.chat.gallery.by_id(place, person, self._persona_id)
        match self._act:
            case "talk":
                await settle(interaction, context, persona)
            case "hear":
                await hear(interaction, context, persona)
            case "details":
                await say(interaction, details(persona))
            case "delete":
                await ask_to_delete(interaction, persona)
            case "sure":
                await delete(interaction, context, persona)


async def settle(
    interaction: discord.Interaction[Any], context: Context, persona: Persona, triggers: str = ""
) -> None:
    """Lets a persona live in this channel; it says hello."""
    place, person = asked_by(interaction)
    await interaction.response.defer(ephemeral=True, thinking=True)
    listener = await context.chat.rooms.settle(place, person, persona, triggers)
    name = quotable(persona.personality.name)
    words = ", ".join(quotable(word) for word in listener.triggers)
    also = f" It answers to its name{f', and to {words}' if words else ''}."
    channel = interaction.channel
    if not isinstance(channel, discord.ForumChannel | discord.CategoryChannel) and channel:
        speaker = await context.stage.speaker(channel, persona)
        greeting = await speaker.send(harmless(shorten(persona.personality.greeting, 1_500)))
        await context.chat.replies.posted(place, persona, [str(greeting)])
    await say(interaction, f"{name} lives here now.{also}")


async def hear(interaction: discord.Interaction[Any], context: Context, persona: Persona) -> None:
    """Sends the greeting as a clip, or its sound alone, to who wants to hear it."""
    place, person = asked_by(interaction)
    await interaction.response.defer(ephemeral=True, thinking=True)
    name, data = "", b""
    for event in await context.chat.gallery.greet(place, person, persona):
        match event:
            case ClipReady(clip=clip) if len(clip.data) <= interaction.filesize_limit:
                name, data = f"{persona.slug}.mp4", clip.data
            case SpeechReady(speech=speech):
                from engine.speech.opus import opus_bytes

                data = await asyncio.to_thread(opus_bytes, speech)
                name = f"{persona.slug}.ogg"
            case ClipFailed(reason=reason):
                await say(interaction, reason)
    if not data:
        raise UnavailableError(UNEXPECTED)
    await say(
        interaction,
        f"> {quotable(shorten(persona.personality.greeting, 600))}",
        file=discord.File(io.BytesIO(data), filename=name),
    )


async def ask_to_delete(interaction: discord.Interaction[Any], persona: Persona) -> None:
    """Asks once more before a persona goes."""
    from bot.discord.buttons import view_of

    name = quotable(persona.personality.name)
    await say(
        interaction,
        f"Delete {name}, with all that was said with it? Nothing brings it back.",
        view=view_of(CardButton("sure", persona.id)),
    )


async def delete(interaction: discord.Interaction[Any], context: Context, persona: Persona) -> None:
    """Deletes a persona."""
    place, person = asked_by(interaction)
    await context.chat.gallery.delete(place, person, persona)
    name = quotable(persona.personality.name)
    await interaction.response.edit_message(content=f"{name} is gone.", view=None)


def _by(persona: Persona) -> str:
    """Who made it, as a mention that pings nobody."""
    return f" · by <@{persona.creator}>" if persona.creator.isdecimal() else ""
