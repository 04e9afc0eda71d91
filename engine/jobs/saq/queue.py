"""SaqQueue: the side of the queue on which work is asked for and listened to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Final

from psycopg import AsyncConnection
from sqlalchemy import URL

from engine.fairness import BusyError
from engine.jobs.base import (
    Job,
    JobCancelled,
    JobEvent,
    JobState,
    JobView,
    KindStats,
    Priority,
    QueueCapabilities,
    WorkerView,
    named,
    to_json,
)
from engine.jobs.following import Follower
from engine.jobs.local import FULL, NO_JOB
from engine.jobs.products import Products
from engine.jobs.saq import sql
from engine.jobs.saq.bell import JOB, WORK, Bell
from engine.jobs.saq.database import JobDatabase, Row, UnreadableJobError
from engine.jobs.saq.rows import STATES, done_of, standing_of, view_of
from engine.jobs.settings import JobSettings
from personas.errors import InvalidInputError, NotFoundError

_LOOK_AGAIN: Final = 5.0
"""Seconds after which a listener looks without having been rung for; a ring is hardly ever lost."""
_DEPTH_AGE: Final = 1.0
"""Seconds for which the depth of the queue is believed; counting costs more the deeper it is."""
_KIND: Final = 16


class SaqQueue:
    """Jobs in PostgreSQL. Any process may submit, listen and work.

    Args:
        database: where they are.
        products: where what was made lies.
        settings: how much may wait, and how long results are kept.
    """

    def __init__(self, database: JobDatabase, products: Products, settings: JobSettings) -> None:
        self.database = database
        self.settings = settings
        self.bell = Bell(database.alone, database.channel)
        self._products = products
        self._depth = 0
        self._counted = -_DEPTH_AGE

    @classmethod
    async def open(cls, url: URL, products: Products, settings: JobSettings) -> SaqQueue:
        """Connects to the queue, and makes its tables where they are missing.

        Raises:
            UnavailableError: there is no such database, or it does not answer.
        """
        database = JobDatabase(url, settings.name, settings.lost_seconds)
        await database.open()
        return cls(database, products, settings)

    @property
    def capabilities(self) -> QueueCapabilities:
        """It is everywhere."""
        return QueueCapabilities(
            shared=True, durable=True, retries=True, limit=self.settings.waiting
        )

    async def submit(
        self,
        job: Job,
        *,
        community: str,
        priority: Priority,
        person: str = "",
        patience: float | None = None,
    ) -> str:
        """See `JobQueue`."""
        if not community:
            raise InvalidInputError("Nobody asks for this work.")
        if not 0 < len(job.kind) <= _KIND or not job.kind.isidentifier():
            raise InvalidInputError(f"Nobody here knows how to make a {job.kind}.")
        to_json([job.hints, job.meta])
        values = {
            "key": job.id,
            "job": self.database.table.pack(job),
            "queue": self.database.name,
            "kind": job.kind,
            "community": named(community),
            "person": named(person),
            "affinity": named(job.affinity),
            "priority": int(priority),
            "patience": patience,
        }
        if await self._is_full():
            await self._join_or_refuse(values)
            return job.id

        async def enter(connection: AsyncConnection[Any]) -> Row | None:
            while True:
                cursor = await connection.execute(sql.INSERT, values)
                if await cursor.fetchone():
                    await self.database.notify(connection, f"{WORK} {job.kind}")
                    return None
                cursor = await connection.execute(sql.LOCK, values)
                if row := await cursor.fetchone():
                    return await self._meet(connection, row, values)

        known = await self.database.run(enter)
        if known is not None and not await self._is_whole(known):
            await self._again(values)
        return job.id

    async def events(self, id: str) -> AsyncGenerator[JobEvent]:
        """See `JobQueue`."""
        self.bell.start()
        follower, seen = Follower(), False
        with self.bell.job(id) as rung:
            while True:
                rung.clear()
                rows = await self.database.rows(sql.STANDING, 60.0, key=id)
                if not rows:
                    if not seen:
                        raise NotFoundError(NO_JOB)
                    yield JobCancelled()  # somebody dropped it meanwhile
                    return
                seen = True
                standing = standing_of(rows[0])
                for event in follower.news(standing):
                    yield event
                if standing.ending is not None:
                    return
                try:
                    async with asyncio.timeout(_LOOK_AGAIN):
                        await rung.wait()
                except TimeoutError:
                    pass

    async def cancel(self, id: str) -> None:
        """See `JobQueue`."""
        await self._changed(sql.CANCEL, id, ttl=self.settings.result_seconds)

    async def find(self, id: str) -> JobView | None:
        """See `JobQueue`."""
        if not id or not all(c in "0123456789abcdef" for c in id):
            return None
        found = await self._views("WHERE key LIKE %(key)s || '%%' LIMIT 2", key=id)
        return found[0] if len(found) == 1 else None

    async def jobs(
        self, state: JobState | None = None, kind: str = "", limit: int = 100
    ) -> Sequence[JobView]:
        """See `JobQueue`."""
        usual = (JobState.WAITING, JobState.RUNNING, JobState.POISONED)
        states = (state,) if state is not None else usual
        chosen = " OR ".join(f"({STATES[one]})" for one in states)
        order = "ORDER BY (status = 'queued'), priority, turn, lock_key LIMIT %(limit)s"
        where = f"WHERE ({chosen}) AND (%(kind)s = '' OR kind = %(kind)s) {order}"
        return await self._views(where, kind=kind, limit=limit)

    async def stats(self) -> Sequence[KindStats]:
        """See `JobQueue`."""
        return [KindStats(**row) for row in await self.database.rows(sql.STATS)]

    async def workers(self) -> Sequence[WorkerView]:
        """See `JobQueue`."""
        return [WorkerView(**row) for row in await self.database.rows(sql.WORKERS)]

    async def retry(self, id: str) -> bool:
        """See `JobQueue`."""

        async def release(connection: AsyncConnection[Any]) -> bool:
            cursor = await connection.execute(sql.RELEASE, {"key": id})
            row = await cursor.fetchone()
            if row is not None:
                await self.database.notify(connection, f"{WORK} {row['kind']}")
            return row is not None

        return await self.database.run(release)

    async def drop(self, id: str) -> bool:
        """See `JobQueue`."""
        row = await self._changed(sql.DROP, id)
        if row is not None and row["status"] == "complete":
            for key in done_of(row["result"]).media:
                await self._products.give_up(key)
        return row is not None

    async def resume(self) -> int:
        """Workers do that."""
        return 0

    async def aclose(self) -> None:
        """Stops listening; jobs go on. Safe to call twice."""
        await self.bell.aclose()
        await self.database.aclose()

    async def _meet(
        self, connection: AsyncConnection[Any], row: Row, values: dict[str, Any]
    ) -> Row | None:
        """Joins a job that is there; the row of one that is done, whose products may be gone."""
        if row["status"] in ("queued", "active"):
            forever = values["patience"] is None
            await connection.execute(sql.JOIN_FOREVER if forever else sql.JOIN, values)
            return None
        if row["status"] == "complete":
            return row
        if row["outcome"] != "poisoned":
            await self._restart(connection, values)
        return None

    async def _is_whole(self, row: Row) -> bool:
        for key in done_of(row["result"]).media:
            if not await self._products.has(key):
                return False
        return True

    async def _again(self, values: dict[str, Any]) -> None:
        """Has a job made anew whose products are gone, unless somebody was faster."""

        async def restart(connection: AsyncConnection[Any]) -> None:
            cursor = await connection.execute(sql.LOCK, values)
            row = await cursor.fetchone()
            if row is not None and row["status"] == "complete":
                await self._restart(connection, values)

        await self.database.run(restart)

    async def _restart(self, connection: AsyncConnection[Any], values: dict[str, Any]) -> None:
        await connection.execute(sql.AGAIN, values)
        await self.database.notify(connection, f"{WORK} {values['kind']}")
        await self.database.notify(connection, f"{JOB} {values['key']}")

    async def _is_full(self) -> bool:
        now = time.monotonic()
        if now - self._counted > _DEPTH_AGE:
            self._depth = (await self.database.rows(sql.DEPTH))[0]["count"]
            self._counted = now
        self._depth += 1
        return self._depth > self.settings.waiting

    async def _join_or_refuse(self, values: dict[str, Any]) -> None:
        """The queue is full: what is there already may still be joined."""

        async def join(connection: AsyncConnection[Any]) -> bool:
            cursor = await connection.execute(sql.LOCK, values)
            row = await cursor.fetchone()
            if row is None or row["status"] not in ("queued", "active", "complete"):
                return False
            known = await self._meet(connection, row, values)
            return known is None or await self._is_whole(known)

        if not await self.database.run(join):
            raise BusyError(FULL)

    async def _changed(self, statement: str, id: str, **values: Any) -> Row | None:
        """Changes one job and rings for it."""

        async def change(connection: AsyncConnection[Any]) -> Row | None:
            cursor = await connection.execute(statement, {"key": id, **values})
            row = await cursor.fetchone()
            if row is not None:
                await self.database.notify(connection, f"{JOB} {id}")
            return row

        return await self.database.run(change)

    async def _views(self, where: str, **values: Any) -> list[JobView]:
        rows = await self.database.rows(f"{sql.VIEW} {where}", **values)
        return [view_of(row, self._payload(row)) for row in rows]

    def _payload(self, row: Row) -> Mapping[str, Any]:
        """What is made; nothing where that cannot be read: such a job is seen and dropped, too."""
        try:
            return self.database.table.unpack(row["job"]).payload
        except UnreadableJobError:
            return {}
