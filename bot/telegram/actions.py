"""What people see that the bot is doing, kept alive."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from telegram.constants import ChatAction
from telegram.error import TelegramError
from telegram.ext import ExtBot

from bot.telegram.clock import Clock
from bot.telegram.limiter import Urgency
from bot.telegram.spots import Spot

_ACTION_SECONDS: Final = 4.5
"""Telegram shows an action for five seconds."""


@asynccontextmanager
async def acting(
    bot: ExtBot[Urgency], spot: Spot, clock: Clock, action: ChatAction = ChatAction.TYPING
) -> AsyncIterator[None]:
    """Shows an action for as long as the context lasts; never fails."""
    task = asyncio.create_task(_keep(bot, spot, clock, action))
    await asyncio.sleep(0)  # it is shown before what it announces
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _keep(bot: ExtBot[Urgency], spot: Spot, clock: Clock, action: ChatAction) -> None:
    while True:
        with contextlib.suppress(TelegramError):
            await bot.send_chat_action(spot.chat, action, message_thread_id=spot.topic)
        await clock.sleep(_ACTION_SECONDS)
