"""/talk, /mode, /ask, /duet, /forget, and "Who is this?"."""

from __future__ import annotations

from typing import Any, Final

import discord
from discord import app_commands

from bot.discord.answers import put_question, writable_channel_of
from bot.discord.cards import details, settle
from bot.discord.commands import options
from bot.discord.context import context_of, say
from bot.discord.names import quotable
from bot.discord.places import asked_by
from bot.discord.speakers import NOBODY

_OFF: Final = "off"


async def _who_comes_or_goes(interaction: discord.Interaction[Any], typed: str) -> options.Choices:
    """The personas of the server, and before them the ways to let go who lives here."""
    place, person = asked_by(interaction)
    choices: options.Choices = []
    rooms = context_of(interaction).chat.rooms
    residents = await rooms.here(place, person)
    if residents and _OFF.startswith(typed.casefold().strip()[:3]):
        choices.append(app_commands.Choice(name="off: nobody answers here any more", value=_OFF))
        choices += [
            options.persona_choice(one.persona, "off: ", f"{_OFF}:{one.persona.id}")
            for one in residents
        ]
    choices += await options.personas(interaction, typed)
    return choices[:25]


@app_commands.command(description="Let a persona live in this channel, or leave it.")
@app_commands.describe(
    persona="Who; off: nobody any more",
    triggers="Words it answers to besides its name, with commas between",
)
@app_commands.autocomplete(persona=_who_comes_or_goes)
@options.here
@options.installed
async def talk(
    interaction: discord.Interaction[Any],
    persona: str,
    triggers: app_commands.Range[str, 0, 500] = "",
) -> None:
    """Binds a persona to a channel or thread."""
    context, (place, person) = context_of(interaction), asked_by(interaction)
    word, _, who = persona.strip().partition(":")
    if word.casefold() != _OFF:
        chosen = await options.meant(interaction, persona)
        await settle(interaction, context, chosen, triggers)
        return
    leaving = await options.meant(interaction, who) if who else None
    left = await context.chat.rooms.leave(place, person, leaving)
    if not left:
        told = "Nobody lived here."
    elif leaving is not None:
        told = "It has left."
    elif await context.chat.rooms.here(place, person):
        told = "They have left. Those of the channel answer here again."
    else:
        told = "It is quiet here now."
    await interaction.response.send_message(told, ephemeral=not left, allowed_mentions=NOBODY)


@app_commands.command(description="How answers are in this channel.")
@app_commands.describe(mode="What an answer is")
@app_commands.choices(
    mode=[
        app_commands.Choice(name="text", value="text"),
        app_commands.Choice(name="text and voice message", value="voice"),
        app_commands.Choice(name="text and clip", value="clip"),
        app_commands.Choice(name="as usual on this server", value=""),
    ]
)
@options.here
@options.installed
async def mode(interaction: discord.Interaction[Any], mode: str) -> None:
    """Chooses the mode of a channel."""
    place, person = asked_by(interaction)
    await context_of(interaction).chat.rooms.set_mode(place, person, mode)
    shown = {"text": "text", "voice": "text and a voice message", "clip": "text and a clip"}
    await interaction.response.send_message(
        f"Answers are {shown.get(mode, 'as usual')} here now.", allowed_mentions=NOBODY
    )


@app_commands.command(description="Ask a persona something, wherever it lives.")
@app_commands.describe(persona="Whom", message="What you say")
@app_commands.autocomplete(persona=options.personas)
@options.here
@options.installed
async def ask(
    interaction: discord.Interaction[Any],
    persona: str,
    message: app_commands.Range[str, 1, 2_000],
) -> None:
    """Puts a question."""
    await put_question(interaction, await options.meant(interaction, persona), message)


@app_commands.command(description="Let two personas talk with each other for a few turns.")
@app_commands.describe(
    first="Who begins", second="Who answers", topic="What about", turns="How often they speak"
)
@app_commands.autocomplete(first=options.personas, second=options.personas)
@options.here
@options.installed
async def duet(
    interaction: discord.Interaction[Any],
    first: str,
    second: str,
    topic: app_commands.Range[str, 1, 500],
    turns: app_commands.Range[int, 2, 12] = 6,
) -> None:
    """Lets two personas talk; they stop by themselves."""
    context, (place, person) = context_of(interaction), asked_by(interaction)
    pair = (await options.meant(interaction, first), await options.meant(interaction, second))
    channel = writable_channel_of(interaction)
    names = " and ".join(quotable(one.personality.name) for one in pair)
    await interaction.response.send_message(
        f"-# {quotable(person.name)} lets {names} talk about\n> {quotable(topic)}"[:2_000],
        allowed_mentions=NOBODY,
        suppress_embeds=True,
    )
    opener = context.opener(channel, lambda reason: say(interaction, reason))
    await context.chat.replies.converse(
        place, person, pair, topic, str(interaction.id), opener, turns=turns
    )


@app_commands.command(description="Let a persona forget what was said in this channel.")
@app_commands.describe(persona="Who; left open, all that live here")
@app_commands.autocomplete(persona=options.personas)
@options.here
@options.installed
async def forget(interaction: discord.Interaction[Any], persona: str = "") -> None:
    """Ends a memory."""
    context, (place, person) = context_of(interaction), asked_by(interaction)
    who = await options.meant(interaction, persona) if persona else None
    count = await context.chat.rooms.forget(place, person, who)
    if who is not None:
        told = f"{quotable(who.personality.name)} has forgotten what was said here."
    else:
        told = "All has been forgotten here." if count else "Nobody lives here who could forget."
    await interaction.response.send_message(told, ephemeral=not count, allowed_mentions=NOBODY)


@app_commands.context_menu(name="Who is this?")
@options.here
@options.installed
async def who(interaction: discord.Interaction[Any], message: discord.Message) -> None:
    """Tells who is behind a message."""
    place, person = asked_by(interaction)
    persona, post = await context_of(interaction).chat.replies.who(place, person, str(message.id))
    asked = f"\n-# Asked by <@{post.asked_by}>" if post.asked_by.isdecimal() else ""
    await say(interaction, details(persona)[:1_950] + asked)
