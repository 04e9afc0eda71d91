"""WebhookWatch: whether Telegram can deliver what it has."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

from telegram.error import TelegramError
from telegram.ext import ExtBot

from bot.telegram.clock import Clock
from bot.telegram.limiter import Urgency

_SECONDS: Final = 60.0
_LATELY: Final = timedelta(minutes=5)


class WebhookWatch:
    """Asks Telegram every minute: whoever waits at a webhook hears nothing of failed deliveries.

    Args:
        bot: asks.
        url: where Telegram delivers.
        clock: what time it is.

    Attributes:
        trouble: why nothing is delivered; empty where all is well.
    """

    def __init__(self, bot: ExtBot[Urgency], url: str, clock: Clock) -> None:
        self._bot, self._url, self._clock = bot, url, clock
        self._task: asyncio.Task[None] | None = None
        self.trouble = ""

    def begin(self) -> None:
        """Begins to ask."""
        self._task = asyncio.create_task(self._watch())

    async def end(self) -> None:
        """Asks no more. Safe to call twice."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            await self._clock.sleep(_SECONDS)
            self.trouble = await self._ask()

    async def _ask(self) -> str:
        try:
            info = await self._bot.get_webhook_info()
        except TelegramError as error:
            return type(error).__name__
        if info.url != self._url:
            return "the webhook was set to another address"
        failed = info.last_error_date
        if not info.pending_update_count or failed is None or datetime.now(UTC) - failed > _LATELY:
            return ""
        return info.last_error_message or "the webhook fails"
