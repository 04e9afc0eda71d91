"""/create, and the other ways in which a persona comes to be or changes its looks."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator
from typing import Any, Final

import discord

from bot.chat.base import GoneError, Place
from bot.discord.context import Context, context_of, explain, say
from bot.discord.places import asked_by
from bot.discord.progress import Birth
from engine.events import CreationEvent
from personas.errors import ChatAnythingError, InvalidInputError, UnavailableError

log = logging.getLogger(__name__)

_REFUSED_WITHIN: Final = 0.5
"""Seconds: who may not is told before anything is posted."""
_LARGEST: Final = 20 * 1024 * 1024


async def bring_to_life(
    interaction: discord.Interaction[Any],
    events: AsyncGenerator[CreationEvent],
    title: str,
    wanted: str = "",
) -> None:
    """Shows publicly how a persona comes to be, or says privately why it does not.

    It goes on by itself: how long it takes does not matter to the interaction.

    Args:
        interaction: the command, deferred and ephemeral.
        events: of the chat, not begun.
        title: what is being done.
        wanted: what was asked for.
    """
    context, (place, _) = context_of(interaction), asked_by(interaction)
    first = asyncio.ensure_future(anext(events))
    await asyncio.wait({first}, timeout=_REFUSED_WITHIN)
    if first.done() and (error := first.exception()) is not None:
        await events.aclose()
        await explain(interaction, error)
        return
    channel = interaction.channel
    birth: Birth | None = None
    if channel is not None and not isinstance(
        channel, discord.ForumChannel | discord.CategoryChannel
    ):
        birth = Birth(channel, title, wanted)
        with contextlib.suppress(GoneError):
            await birth.begin()
    if birth is None or not birth.url:
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        await events.aclose()
        raise InvalidInputError("I may not write in this channel. Ask me in another one.")
    await say(interaction, f"Watch: {birth.url}")
    context.go_on(_follow(context, place, birth, _again(first, events)))


async def _follow(
    context: Context, place: Place, birth: Birth, events: AsyncGenerator[CreationEvent]
) -> None:
    persona = await birth.follow(events)
    if persona is None:
        return
    try:
        await birth.end(persona, await context.chat.gallery.portrait(persona))
        await context.chat.replies.posted(place, persona, [birth.message_id])
    except ChatAnythingError as error:
        await birth.fail(str(error))
    # Its first words shall not wait for its face.
    await context.stage.faces.emoji(persona)


async def _again(
    first: asyncio.Future[CreationEvent], events: AsyncGenerator[CreationEvent]
) -> AsyncGenerator[CreationEvent]:
    """The events from the first one, which was asked for already."""
    try:
        async with contextlib.aclosing(events):
            with contextlib.suppress(StopAsyncIteration):
                yield await first
                async for event in events:
                    yield event
    finally:
        first.cancel()


async def fetched(attachment: discord.Attachment) -> bytes:
    """A file that somebody sent with a command.

    Raises:
        ChatAnythingError: it is too large, or cannot be fetched.
    """
    if attachment.size > _LARGEST:
        raise InvalidInputError(f"This file is larger than {_LARGEST >> 20} MB.")
    try:
        return await attachment.read()
    except (discord.HTTPException, OSError) as error:
        raise UnavailableError("Discord did not give me the file. Send it again.") from error
