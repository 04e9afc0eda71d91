"""JobRepository: jobs of this machine that shall outlive the process that works on them."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import Field
from sqlalchemy import Row, delete, or_, select, update

from personas.persona import Frozen
from storage import tables as t
from storage.database import Database, insert_missing
from storage.outages import retried
from storage.owners import Owners, TakenForDeadError


class RecordedJob(Frozen):
    """A job that waits or is worked on, or that was set aside."""

    id: str
    kind: str
    community: str
    person: str = ""
    priority: int
    tries: int = Field(default=0, description="how often it was begun")
    reason: str = Field(default="", description="why it was set aside; empty: it was not")
    is_owned: bool = Field(default=True, description="a process has it in hand")
    until: datetime | None = Field(default=None, description="when nobody waits for it any more")
    body: Mapping[str, Any] = Field(description="the job, in the words of its queue")
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))


class JobRepository:
    """Jobs, each in the hands of one process at most.

    Args:
        database: the tables.
        owners: who has them in hand; what a process has when it ends is left to the next.
    """

    def __init__(self, database: Database, owners: Owners) -> None:
        self._database = database
        self._owners = owners

    async def record(self, job: RecordedJob) -> RecordedJob:
        """Writes a job down as ours; what is known of it already is kept, and returned.

        One that another process has in hand stays with it.
        """
        try:
            return await self._record(job)
        except TakenForDeadError:
            await self._owners.beat()
            return await self._record(job)

    @retried
    async def _record(self, job: RecordedJob) -> RecordedJob:
        async with self._database.writing() as connection:
            owner = await self._owners.hold(connection)
            row = job.model_dump(exclude={"is_owned"})
            await insert_missing(connection, t.job, {**row, "owner": owner})
            orphaned = (t.job.c.id == job.id, t.job.c.owner.is_(None), t.job.c.reason == "")
            await connection.execute(update(t.job).where(*orphaned).values(owner=owner))
            known = await connection.execute(select(t.job).where(t.job.c.id == job.id))
            return _recorded(known.one())

    @retried
    async def begun(self, id: str) -> int:
        """Counts one more try, ahead of it; how many there are."""
        async with self._database.writing() as connection:
            mine = (t.job.c.id == id, t.job.c.owner == self._owners.id)
            more = update(t.job).where(*mine).values(tries=t.job.c.tries + 1)
            await connection.execute(more)
            return await connection.scalar(select(t.job.c.tries).where(*mine)) or 1

    @retried
    async def set_aside(self, id: str, reason: str) -> None:
        """Keeps a job from being tried again."""
        async with self._database.writing() as connection:
            changed = update(t.job).where(t.job.c.id == id)
            await connection.execute(changed.values(reason=reason[:2000], owner=None))

    @retried
    async def forget(self, id: str) -> bool:
        """Removes what has ended, if it is ours; whether there was one."""
        mine = (t.job.c.id == id, t.job.c.owner == self._owners.id)
        async with self._database.writing() as connection:
            return bool((await connection.execute(delete(t.job).where(*mine))).rowcount)

    async def drop(self, id: str) -> bool:
        """Removes a job that no other process has in hand; whether there was one."""
        await self._owners.bury_dead()
        return await self._drop(id)

    @retried
    async def _drop(self, id: str) -> bool:
        free = or_(t.job.c.owner.is_(None), t.job.c.owner == self._owners.id)
        async with self._database.writing() as connection:
            dropped = await connection.execute(delete(t.job).where(t.job.c.id == id, free))
            return bool(dropped.rowcount)

    @retried
    async def release(self, id: str) -> bool:
        """Gives one that was set aside another chance; whether there was one."""
        async with self._database.writing() as connection:
            chosen = update(t.job).where(t.job.c.id == id, t.job.c.reason != "")
            again = chosen.values(reason="", tries=0, owner=None, until=None)
            return bool((await connection.execute(again)).rowcount)

    async def adopt(self) -> builtins.list[RecordedJob]:
        """Makes ours what ended processes have left; of several that ask, each gets some."""
        await self._owners.bury_dead()
        return await self._take_left()

    @retried
    async def _take_left(self) -> builtins.list[RecordedJob]:
        left = (t.job.c.owner.is_(None), t.job.c.reason == "")
        async with self._database.writing() as connection:
            found = await connection.execute(select(t.job).where(*left).with_for_update())
            jobs = [_recorded(row) for row in found]
            ids = [job.id for job in jobs]
            owner = await self._owners.hold(connection)
            mine = update(t.job).where(t.job.c.id.in_(ids)).values(owner=owner)
            await connection.execute(mine)
        return sorted(jobs, key=lambda job: (job.priority, job.created_at))

    @retried
    async def list(self) -> builtins.list[RecordedJob]:
        """All jobs of all processes, those that are next first."""
        order = (t.job.c.priority, t.job.c.created_at)
        async with self._database.reading() as connection:
            return [
                _recorded(row) for row in await connection.execute(select(t.job).order_by(*order))
            ]


def _recorded(row: Row[Any]) -> RecordedJob:
    fields = RecordedJob.model_fields.keys() - {"is_owned"}
    values = {name: row._mapping[name] for name in fields}
    return RecordedJob(**values, is_owned=row.owner is not None)
