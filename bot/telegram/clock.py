"""The clock that pacing goes by; it can run faster than the wall's, for rehearsals."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Clock:
    """Seconds of the event loop, `speed` times as fast as they really are."""

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed

    def now(self) -> float:
        """Seconds since some moment."""
        return asyncio.get_running_loop().time() * self.speed

    async def sleep(self, seconds: float) -> None:
        """Waits."""
        await asyncio.sleep(seconds / self.speed)

    def later(self, seconds: float, call: Callable[[], object]) -> asyncio.TimerHandle:
        """Calls `call` once, in so many seconds."""
        return asyncio.get_running_loop().call_later(seconds / self.speed, call)
