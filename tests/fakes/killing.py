"""A process that is killed, within the process of the test.

Whatever it writes burns a fuse: before and after each commit, each write of a file and each call
of a platform. When the fuse has burnt down the process is dead: from then on nothing that it does
reaches anything, and others see that it has ended.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

from storage.store import Storage


class KilledError(BaseException):
    """The process is dead; as no error of a program it is caught by nobody."""


class Fuse:
    """Kills a process at its n-th moment between two writes.

    Args:
        storage: as the process has opened it.
        points: which moment; 0 for none but the call of `kill`.
    """

    def __init__(self, storage: Storage, points: int = 0) -> None:
        self._storage = storage
        self._left = points
        self.is_dead = False
        database: Any = storage._database
        self._alive = (database.writing, database.reading)
        database.writing = self._burning_transaction(database.writing)
        database.reading = self._dead_transaction(database.reading)
        objects: Any = storage.media._objects
        for name in ("put", "delete"):
            setattr(objects, name, self.around(getattr(objects, name)))

    def kill(self) -> None:
        """Ends the process now."""
        self.is_dead = True
        self._storage.owners._lock.release()

    def bury(self) -> None:
        """Lets the test clear away what is left of the process."""
        database: Any = self._storage._database
        database.writing, database.reading = self._alive

    def burn(self) -> None:
        """One moment between two writes."""
        if not self.is_dead:
            self._left -= 1
            if self._left == 0:
                self.kill()
        if self.is_dead:
            raise KilledError

    def around(
        self,
        call: Callable[..., Awaitable[Any]],
        unless: Callable[..., bool] = lambda *_, **__: False,
    ) -> Callable[..., Awaitable[Any]]:
        """A call that changes something, between two moments; one that changes nothing has none."""

        @functools.wraps(call)
        async def burning(*args: Any, **kwargs: Any) -> Any:
            if not self.is_dead and unless(*args, **kwargs):
                return await call(*args, **kwargs)
            self.burn()
            result = await call(*args, **kwargs)
            self.burn()
            return result

        return burning

    def _burning_transaction(self, begin: Callable[[], Any]) -> Callable[[], Any]:
        @asynccontextmanager
        async def burning() -> AsyncIterator[Any]:
            self.burn()
            async with begin() as connection:
                yield connection
            self.burn()

        return burning

    def _dead_transaction(self, begin: Callable[[], Any]) -> Callable[[], Any]:
        @asynccontextmanager
        async def reading() -> AsyncIterator[Any]:
            if self.is_dead:
                raise KilledError
            async with begin() as connection:
                yield connection

        return reading


async def swept_away(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Ends the tasks of a dead process.

    Those at work meet their end by themselves, with their connections closed; those that sleep
    are woken for it.
    """
    rest = set(tasks)
    if rest:
        await asyncio.wait(rest, timeout=0.3)
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
