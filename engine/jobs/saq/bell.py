"""Bell: rings when a job has changed, or when there is work; over a connection that comes back."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Final

import psycopg
from psycopg import sql

log = logging.getLogger(__name__)

WORK: Final = "work"
JOB: Final = "job"
_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 3.0


class Bell:
    """Listens to one channel for a whole process.

    A ring that is lost with a connection is made good by ringing for everything when there is a
    new one, so who waits looks once too often, never too seldom.

    Args:
        connect: opens a connection of its own.
        channel: to listen to.
    """

    def __init__(
        self,
        connect: Callable[[], contextlib.AbstractAsyncContextManager[psycopg.AsyncConnection]],
        channel: str,
    ) -> None:
        self._connect = connect
        self._channel = channel
        self._jobs: dict[str, list[asyncio.Event]] = {}
        self._work: dict[asyncio.Event, frozenset[str]] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to listen, once."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="job bell")

    @contextlib.contextmanager
    def job(self, id: str, event: asyncio.Event | None = None) -> Iterator[asyncio.Event]:
        """An event that is set whenever this job may have changed.

        Args:
            id: of the job.
            event: to be set; one of its own when None.
        """
        event = event or asyncio.Event()
        self._jobs.setdefault(id, []).append(event)
        try:
            yield event
        finally:
            self._jobs[id].remove(event)
            if not self._jobs[id]:
                del self._jobs[id]

    @contextlib.contextmanager
    def work(self, kinds: frozenset[str]) -> Iterator[asyncio.Event]:
        """An event that is set whenever there may be work of these kinds."""
        event = asyncio.Event()
        self._work[event] = kinds
        try:
            yield event
        finally:
            del self._work[event]

    async def aclose(self) -> None:
        """Listens no more. Safe to call twice."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        pause = _PAUSE
        while True:
            try:
                async with self._connect() as connection:
                    await connection.execute(
                        sql.SQL("LISTEN {}").format(sql.Identifier(self._channel))
                    )
                    pause = _PAUSE
                    self._ring_all()
                    async for notice in connection.notifies():
                        self._ring(notice.payload)
            except (psycopg.Error, OSError) as error:
                log.warning("The database of the queue does not answer: %s", type(error).__name__)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _ring(self, payload: str) -> None:
        what, _, name = payload.partition(" ")
        if what == JOB:
            for event in self._jobs.get(name, ()):
                event.set()
        elif what == WORK:
            for event, kinds in self._work.items():
                if name in kinds:
                    event.set()

    def _ring_all(self) -> None:
        for events in self._jobs.values():
            for event in events:
                event.set()
        for event in self._work:
            event.set()
