"""PollingBot: asks Telegram for updates, again and again, whatever comes in between."""

from __future__ import annotations

from typing import Any

from telegram import Update
from telegram.error import InvalidToken, NetworkError, TelegramError, TimedOut
from telegram.ext import ExtBot

from bot.telegram.limiter import Urgency


class PollingBot(ExtBot[Urgency]):
    """An ExtBot for which a try that failed is never the last one.

    The library stops asking for good at a 401 or 404, though a gateway may have said that, and
    tells nobody that tries time out. Here both are failures of the network: told, and tried again.
    """

    _trouble = ""

    @property
    def trouble(self) -> str:
        """What the last try to get updates ended with; empty where it got some, or none came."""
        return self._trouble

    async def get_updates(self, *arguments: Any, **options: Any) -> tuple[Update, ...]:
        """See `telegram.Bot.get_updates`.

        Raises:
            NetworkError: not this time.
            TelegramError: whatever else Telegram says.
        """
        try:
            updates = await super().get_updates(*arguments, **options)
        except TelegramError as error:
            self._trouble = type(error).__name__
            if isinstance(error, InvalidToken | TimedOut):
                raise NetworkError(str(error)) from error
            raise
        self._trouble = ""
        return updates
