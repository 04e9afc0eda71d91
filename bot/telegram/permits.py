"""Permits: so much at a time, and not again too soon."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bot.telegram.clock import Clock


class Permits:
    """So many at a time; each comes back `seconds` after it was given back. First come, first."""

    def __init__(self, most: int, seconds: float, clock: Clock) -> None:
        self._most, self._seconds, self._clock = most, seconds, clock
        self._semaphore = asyncio.Semaphore(most)
        self._timers: set[asyncio.TimerHandle] = set()
        self._out = 0
        self.waiting = 0

    @property
    def idle(self) -> bool:
        """Nobody has one, and nobody waits."""
        return not self._out and not self.waiting

    @property
    def free(self) -> int:
        """How many can be had at once."""
        return 0 if self._semaphore.locked() else self._most - self._out

    async def take(self) -> None:
        """Waits for one."""
        self.waiting += 1
        try:
            await self._semaphore.acquire()
        finally:
            self.waiting -= 1
        self._out += 1

    def give_back(self, after: float = 0.0, then: Callable[[], object] | None = None) -> None:
        """Gives one back, `after` seconds later than usual; calls `then` when it is home."""

        def home() -> None:
            self._timers.discard(timer)
            self._out -= 1
            self._semaphore.release()
            if then is not None:
                then()

        timer = self._clock.later(self._seconds + after, home)
        self._timers.add(timer)

    def close(self) -> None:
        """Forgets what would come back."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
