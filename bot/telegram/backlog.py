"""What somebody wrote while nobody was there: taken together, and answered once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from telegram import Message

from bot.telegram.clock import Clock

STALE_SECONDS: Final = 60.0
"""A message older than this was written while the program was away."""
_MORE_SECONDS: Final = 1.5
"""How long is waited for more: a backlog comes in at once."""
_MOST: Final = 50


@dataclass
class _Pile:
    messages: list[Message] = field(default_factory=list)
    timer: asyncio.TimerHandle | None = None


class Backlog:
    """Gathers old messages of each chat.

    Args:
        clock: what time it is.
        take: gets the messages of one chat, in order, when no more of them come.
    """

    def __init__(self, clock: Clock, take: Callable[[list[Message]], None]) -> None:
        self._clock, self._take = clock, take
        self._piles: dict[int, _Pile] = {}

    def add(self, message: Message) -> None:
        """Puts a message with those of its chat that came before."""
        chat = message.chat.id
        pile = self._piles.setdefault(chat, _Pile())
        pile.messages.append(message)
        if pile.timer is not None:
            pile.timer.cancel()
        if len(pile.messages) >= _MOST:
            self._hand_over(chat)
        else:
            pile.timer = self._clock.later(_MORE_SECONDS, lambda: self._hand_over(chat))

    def hand_over_all(self) -> None:
        """Waits for no more messages."""
        for chat in list(self._piles):
            self._hand_over(chat)

    def _hand_over(self, chat: int) -> None:
        pile = self._piles.pop(chat, None)
        if pile is not None:
            self._take(pile.messages)
