"""Notices: nobody is told the same thing again and again."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bot.chat.base import IncomingMessage
from personas.errors import ChatAnythingError

_REMEMBERED = 10_000


class Notices:
    """Keeps refusals quiet for whom was told the same a moment ago.

    Somebody who floods a channel is told once that they are over their quota, and not once a
    message.

    Args:
        every: seconds between two notices of the same words to the same person in one channel.
        now: the clock, seconds.
    """

    def __init__(self, every: float = 60.0, now: Callable[[], float] = time.monotonic) -> None:
        self._every = every
        self._now = now
        self._told: OrderedDict[tuple[str, str, str], float] = OrderedDict()

    @contextmanager
    def once(self, message: IncomingMessage) -> Iterator[None]:
        """Lets an error for the author of a message through, unless they know it already."""
        try:
            yield
        except ChatAnythingError as error:
            key = (message.place.channel, message.author.id, str(error))
            now = self._now()
            known = self._told.get(key)
            if known is not None and now - known < self._every:
                return
            self._told[key] = now
            self._told.move_to_end(key)
            while len(self._told) > _REMEMBERED:
                self._told.popitem(last=False)
            raise
