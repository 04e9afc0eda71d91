"""Delivering an answer: its text, then its clip, in whatever form the platform takes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass

from bot.chat.base import Activity, GoneError, Outlet, TooLargeError
from bot.chat.live import Live
from engine.conversation import Mode
from engine.events import (
    ClipFailed,
    ClipReady,
    ReplyEvent,
    ReplyFailed,
    SpeechReady,
    TextDelta,
    TextReady,
)
from engine.speech.base import Speech
from engine.talkinghead.base import Clip
from personas.errors import ChatAnythingError, InvalidInputError

log = logging.getLogger(__name__)

_SMALLER = 3
"""How often a clip is made smaller before its sound alone is sent."""


@dataclass
class Delivered:
    """What has become of an answer.

    Attributes:
        turn_id: the stored turn, once the whole text is there.
        whole: the whole text has been shown.
        failure: why there is no text; empty where there is some.
    """

    turn_id: int | None = None
    whole: bool = False
    failure: str = ""


async def deliver_text(
    outlet: Outlet, events: AsyncGenerator[ReplyEvent], delivered: Delivered
) -> None:
    """Shows the text while it is written; returns when it is whole, or told why there is none.

    Cancelled, it leaves the text as it was by then, complete in itself.

    Args:
        outlet: where it goes.
        events: of a reply; those after the text are left for `deliver_clip`.
        delivered: told what came of it.

    Raises:
        GoneError: there is nowhere to show it any more.
        UnavailableError: the whole text is there, and the platform is out of reach.
    """
    async with outlet.activity(Activity.WRITING), Live(outlet) as live:
        try:
            async for event in events:
                match event:
                    case TextDelta(text=text):
                        live.add(text)
                    case TextReady(text=text, turn_id=turn_id):
                        delivered.turn_id = turn_id
                        await live.finish(text)
                        delivered.whole = True
                        return
                    case ReplyFailed(reason=reason):
                        delivered.failure = reason
                        if live.text:
                            await live.finish(f"{live.text.rstrip()} …")
                        await outlet.tell(reason)
                        return
        except asyncio.CancelledError:
            if live.text:
                # Stopped is stopped, also where that cannot be shown.
                with suppress(ChatAnythingError):
                    await asyncio.shield(live.finish(live.text))
            raise


async def deliver_clip(outlet: Outlet, events: AsyncGenerator[ReplyEvent], mode: Mode) -> None:
    """Sends sound or clip when they are there.

    Args:
        outlet: where they go.
        events: of a reply, from the end of the text on.
        mode: voice or clip.

    Raises:
        GoneError: there is nowhere to show them any more.
    """
    speech: Speech | None = None
    doing = Activity.FILMING if mode == "clip" else Activity.SPEAKING
    async with outlet.activity(doing), aclosing(events):
        async for event in events:
            match event:
                case SpeechReady(speech=speech):
                    if mode == "voice":
                        await send_voice(outlet, speech)
                case ClipReady(clip=clip):
                    await send_clip(outlet, clip, speech)
                case ClipFailed(reason=reason):
                    # The sound alone is better than nothing; why there is no clip is in the log.
                    if speech is not None and mode == "clip":
                        await send_voice(outlet, speech)
                    else:
                        log.info("No sound: %s", reason)


async def send_clip(outlet: Outlet, clip: Clip, speech: Speech | None) -> None:
    """Sends a clip, made smaller where need be; its sound alone where that does not do."""
    from engine.talkinghead.clips import reencode

    limit = outlet.file_limit
    for _ in range(_SMALLER):
        try:
            fitting = await asyncio.to_thread(reencode, clip, limit)
        except InvalidInputError:
            break  # not in so few bytes
        try:
            await outlet.send_clip(fitting)
            return
        except TooLargeError:
            limit = min(limit, len(fitting.data)) * 2 // 3
    if speech is not None:
        await send_voice(outlet, speech)
    else:
        await outlet.tell("The clip is too large to be sent here.")


async def send_voice(outlet: Outlet, speech: Speech) -> None:
    """Sends the sound alone."""
    try:
        await outlet.send_voice(speech)
    except GoneError:
        raise
    except ChatAnythingError as error:
        log.warning("The sound could not be sent: %s", error, exc_info=error)
        await outlet.tell(str(error))
