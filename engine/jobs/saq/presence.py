"""Presence: workers say that they live, and take care of what those have left who do not.

Each worker holds a lock on a connection of its own. When its process ends, however it ends, the
operating system closes the connection and the database frees the lock: the others see it within
`gone_seconds`. A machine that is cut off, or a process that hangs, is found out by its silence,
after `lost_seconds`.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import psycopg
from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from engine.jobs.saq import keeping, sql
from engine.jobs.saq.bell import JOB, WORK
from engine.jobs.saq.database import JobDatabase
from engine.jobs.settings import JobSettings
from personas.errors import ChatAnythingError

log = logging.getLogger(__name__)

_CLEARS_EVERY: Final = 20.0
"""Seconds between two looks for results that are over."""
_KILLER: Final = "Whoever worked on this ended each time before it was done, so it is left alone."


class Presence:
    """One worker among the others.

    Attributes:
        kept: hands that floods leave free, by kind; see `keeping`.

    Args:
        database: of the queue.
        settings: how often, and how long.
        id: of the worker.
        about: what operators are told of it.
        returned: called when the worker was taken for dead and is back.
    """

    def __init__(
        self,
        database: JobDatabase,
        settings: JobSettings,
        id: str,
        about: Mapping[str, Any],
        returned: Callable[[], Awaitable[None]],
    ) -> None:
        self._database = database
        self._settings = settings
        self._id = id
        self._about = dict(about)
        self._returned = returned
        digest = hashlib.sha256(f"worker {database.name}".encode()).digest()
        self._lock = int.from_bytes(digest[:4]) >> 1
        self._number = 0
        self._cleared = 0.0
        self.kept: list[dict[str, Any]] = []

    async def begin(self) -> None:
        """Makes the worker known.

        Raises:
            UnavailableError: the database does not answer.
        """
        rows = await self._database.rows("SELECT nextval('job_worker_number')::integer AS number")
        self._number = rows[0]["number"]
        await self._register()

    async def run(self) -> None:
        """Lives, and looks after the others."""
        await asyncio.gather(self._live(), self._look_after())

    async def end(self) -> None:
        """The worker has ended by its own will, with nothing in hand."""
        await self._database.rows("DELETE FROM job_worker WHERE id = %(me)s", 2.0, me=self._id)

    async def _register(self) -> None:
        await self._database.rows(
            sql.REGISTER, me=self._id, number=self._number, about=Jsonb(self._about)
        )

    async def _live(self) -> None:
        """Holds the lock and says so, over a connection of its own."""
        while True:
            try:
                async with self._database.alone() as connection:
                    await connection.execute(
                        "SELECT pg_try_advisory_lock(%s, %s)", (self._lock, self._number)
                    )
                    while True:
                        await self._beat(connection)
                        await asyncio.sleep(self._settings.heartbeat_seconds)
            except (psycopg.Error, OSError) as error:
                log.warning("The database of the queue does not answer: %s", type(error).__name__)
                await asyncio.sleep(min(0.3, self._settings.heartbeat_seconds))
            except ChatAnythingError:
                log.warning("A worker could not make itself known again.", exc_info=True)
                await asyncio.sleep(self._settings.heartbeat_seconds)

    async def _beat(self, connection: AsyncConnection[Any]) -> None:
        about = {"me": self._id, "about": Jsonb(self._about)}
        async with asyncio.timeout(self._settings.lost_seconds):
            cursor = await connection.execute(sql.BEAT, about)
            is_known = await cursor.fetchone() is not None
        if not is_known:
            log.warning("This worker was taken for dead; its jobs are made elsewhere.")
            await self._register()
            await self._returned()

    async def _look_after(self) -> None:
        while True:
            await asyncio.sleep(self._settings.sweep_seconds)
            try:
                await self._sweep()
            except ChatAnythingError:
                log.warning("The queue could not be looked after.", exc_info=True)
            except asyncio.CancelledError:
                raise
            except Exception:
                log.exception("The queue could not be looked after.")

    async def _sweep(self) -> None:
        """Gives the jobs of dead workers to others, and clears away what is over."""
        clears = time.monotonic() - self._cleared > _CLEARS_EVERY
        settings = self._settings
        values: dict[str, Any] = {
            "lost": settings.lost_seconds,
            "gone": settings.gone_seconds,
            "lock": self._lock,
            "tries": settings.tries,
            "ttl": settings.result_seconds,
            "reason": _KILLER,
        }

        async def sweep(connection: AsyncConnection[Any]) -> list[str]:
            self.kept = await keeping.kept_now(connection)
            cursor = await connection.execute(
                "SELECT pg_try_advisory_xact_lock(%s, 0) AS ours", (self._lock,)
            )
            row = await cursor.fetchone()
            if not row or not row["ours"]:
                return []  # another worker is at it
            cursor = await connection.execute(sql.DEAD, values)
            dead = [found["id"] for found in await cursor.fetchall()]
            cursor = await connection.execute(sql.LEFT, values)
            left = await cursor.fetchall()
            cursor = await connection.execute(sql.TOO_LATE, values)
            late = await cursor.fetchall()
            for found in (*left, *late):
                await self._database.notify(connection, f"{JOB} {found['key']}")
            for kind in sorted({found["kind"] for found in left}):
                await self._database.notify(connection, f"{WORK} {kind}")
            if clears:
                await connection.execute(sql.OVER)
            self.kept = await keeping.look(connection)
            return dead

        for id in await self._database.run(sweep):
            log.warning("A worker has ended without a word; others do its jobs: %s", id)
        if clears:
            self._cleared = time.monotonic()
