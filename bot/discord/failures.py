"""What Discord refused, in our words; and trying again where that helps."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import aiohttp
import discord

from bot.chat.base import GoneError, TooLargeError
from personas.errors import ChatAnythingError, InvalidInputError, UnavailableError

log = logging.getLogger(__name__)

Result = TypeVar("Result")

PAUSES: Final = (0.5, 2.0, 5.0)
"""Seconds between tries, on top of those that the library makes."""

UNKNOWN_MESSAGE: Final = 10008
UNKNOWN_WEBHOOK: Final = 10015
_TOO_LARGE: Final = 40005
_TOO_MANY_EMOJI: Final = 30008
_GONE: Final = frozenset(
    {
        *(10003, 10004, 10008),  # channel, server, message
        *(50001, 50013),  # access, permission
        *(50083, 160005),  # a thread that is archived or locked
        *(50007,),  # who takes no private messages
        *(10062, 50027),  # an interaction that is over
    }
)

Lost = (OSError, aiohttp.ClientError, asyncio.TimeoutError)
"""What is raised where the network fails: nobody knows whether the request arrived."""


def is_passing(error: BaseException) -> bool:
    """Whether the same request may succeed in a moment."""
    if isinstance(error, discord.HTTPException):
        return error.status >= 500 or error.status == 429
    return isinstance(error, Lost)


def is_full(error: discord.HTTPException) -> bool:
    """Whether the application has as many emoji as it may have."""
    return error.code == _TOO_MANY_EMOJI


def explained(error: BaseException) -> ChatAnythingError:
    """An error of the library in our words."""
    if isinstance(error, ChatAnythingError):
        return error
    if isinstance(error, discord.HTTPException):
        if error.status == 413 or error.code == _TOO_LARGE:
            return TooLargeError("Discord takes no file of this size here.")
        if error.code in _GONE or error.status in (401, 403, 404):
            return GoneError("There is nowhere to write it any more, or I may not write there.")
        if not is_passing(error):
            return InvalidInputError("Discord does not take this as it is.")
    return UnavailableError("Discord does not answer. Try again in a moment.")


async def persistently(
    request: Callable[[], Awaitable[Result]], pauses: tuple[float, ...] = PAUSES
) -> Result:
    """Makes a request that may be made twice without harm, until it succeeds or cannot.

    Raises:
        ChatAnythingError: the reason, in our words.
    """
    for pause in (*pauses, None):
        try:
            return await request()
        except (discord.HTTPException, *Lost) as error:
            if pause is None or not is_passing(error):
                raise explained(error) from error
            log.info("Discord: %s; again in %.1f s", error, pause)
            await asyncio.sleep(pause)
    raise AssertionError("unreachable")
