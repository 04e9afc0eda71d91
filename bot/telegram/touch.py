"""Touch: somebody has touched a button, and waits for an answer."""

from __future__ import annotations

import logging

from telegram import CallbackQuery
from telegram.error import TelegramError

log = logging.getLogger(__name__)


class Touch:
    """A touch of a button. Telegram takes one answer to it, and that only for a while.

    Args:
        query: as Telegram tells of it.

    Attributes:
        id: of the query; the same where it comes twice.
    """

    def __init__(self, query: CallbackQuery) -> None:
        self._query, self._answered = query, False
        self.id = query.id

    async def answer(self, text: str | None = None, *, loud: bool = False) -> bool:
        """Answers it; never fails.

        Args:
            text: a notice for who touched it.
            loud: whether the notice has to be read, and closed.

        Returns:
            Whether that was the answer: not where there was one before, or where it is too late.
        """
        if self._answered:
            return False
        self._answered = True
        try:
            return await self._query.answer(text, show_alert=loud)
        except TelegramError as error:
            log.info("A button was not answered: %s", error)
            return False

    async def rest(self) -> None:
        """Lets the button come to rest, whether or not all is done yet."""
        await self.answer()
