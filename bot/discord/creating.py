"""/create, and the other ways in which a persona comes to be or changes its looks."""

from __future__ import annotations

import contextlib
import logging
from typing import Any, Final, cast

import discord

from bot.chat.base import GoneError
from bot.chat.makings import Making
from bot.discord.context import MUTE, Context, context_of, say
from bot.discord.places import channel_named
from bot.discord.progress import Birth
from personas.errors import ChatAnythingError, InvalidInputError, UnavailableError

log = logging.getLogger(__name__)

_LARGEST: Final = 20 * 1024 * 1024


async def bring_to_life(interaction: discord.Interaction[Any], making: Making) -> None:
    """Shows publicly how a persona comes to be, or says privately why it does not.

    It goes on by itself: how long it takes does not matter to the interaction.

    Args:
        interaction: the command, deferred and ephemeral.
        making: of the chat, not begun; shown with what `showing` gives.

    Raises:
        ChatAnythingError: it may not be made; says why.
    """
    context = context_of(interaction)
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(making)
        birth = _birth(interaction.channel, making)
        if birth is not None:
            with contextlib.suppress(GoneError):
                await birth.begin()
        if birth is None or not birth.url:
            raise InvalidInputError(MUTE)
        await making.shown_in(birth.message_id)
        seen = "\nIt is for adults: only age-restricted channels see it."
        await say(interaction, f"Watch: {birth.url}{seen if making.order.adult else ''}")
        context.go_on(_follow(context, birth, making, stack.pop_all()))


def showing(title: str, wanted: str = "") -> dict[str, str]:
    """How something that is being made is shown.

    Args:
        title: what is being done.
        wanted: what was asked for.
    """
    return {"title": title, "wanted": wanted}


async def resume(context: Context, making: Making) -> None:
    """Goes on with what a process that has ended was making, in the same message."""
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(making)
        try:
            channel = await channel_named(context.stage.client, making.order.place.channel)
            birth = _birth(channel, making)
            if birth is None:
                return
            await birth.take_up(making.order.message, making.since)
        except UnavailableError as error:
            log.info("Later: %s", error)
            making.postpone()
            return
        except ChatAnythingError as error:
            log.info("Nobody sees %s any more: %s", making.id, error)
            return
        if birth.message_id != making.order.message:
            await making.shown_in(birth.message_id)
        await _follow(context, birth, making, stack.pop_all())


def _birth(channel: object, making: Making) -> Birth | None:
    """The message; None where messages cannot be."""
    if not isinstance(channel, discord.abc.Messageable):
        return None
    show = making.order.show
    place = cast("discord.abc.MessageableChannel", channel)
    return Birth(place, making.id, show.get("title", ""), show.get("wanted", ""))


async def _follow(
    context: Context, birth: Birth, making: Making, ends: contextlib.AsyncExitStack
) -> None:
    """Shows it to its end; `ends` is what leaves the making then."""
    async with ends:
        persona = await birth.follow(making.events())
        if persona is not None:
            try:
                await birth.end(persona, await context.chat.gallery.portrait(persona))
                await context.chat.replies.posted(making.order.place, persona, [birth.message_id])
            except ChatAnythingError as error:
                await birth.fail(str(error))
        if birth.unseen:
            making.postpone()
    if persona is None:
        return
    # Its first words shall not wait for its face.
    await context.stage.faces.emoji(persona)


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
