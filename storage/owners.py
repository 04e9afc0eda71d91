"""Owners: who uses the data just now, on this machine and on others, and who has ended."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Double, cast, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from personas.errors import UnavailableError
from storage import tables as t
from storage.database import Database
from storage.lockfile import LockFile
from storage.outages import retried

log = logging.getLogger(__name__)

_CLOCK = cast(func.extract("epoch", func.clock_timestamp()), Double)
_STARTED = cast(func.extract("epoch", func.pg_postmaster_start_time()), Double)


class TakenForDeadError(UnavailableError):
    """This process stood still for so long that others took over what it had claimed."""


class Owners:
    """The processes that use the same data; each has an owner while its storage is open.

    Whatever a process claims refers to its owner in the table `owner`, and goes, or becomes
    free, with that row. There is one question, "who has ended?" (`dead`), and two ways to know:

    * processes of one machine hold locks on files in a folder that they share. The operating
      system frees a lock when its process ends, so that is known at once;
    * on PostgreSQL each process also writes a heartbeat by the clock of the database. Who has
      said nothing for `dead_seconds` is taken for dead. The clocks of the machines do not matter,
      and while the database itself was away, nobody is blamed for silence.

    A process that only stood still (a paused machine, a lost network) comes back under a new id:
    what it had claimed under the old one is no longer its own. A claim therefore keeps the `id`
    it was made under, and what depends on a claim is written in one transaction with a look at
    it.

    To let a table take part: give it a column `owner` that refers to `owner.id`, with
    `ondelete="SET NULL"` where somebody else shall go on with the work (a row without an owner
    is free to be taken), or `CASCADE` where the row means nothing without its owner. To claim::

        async with database.writing() as connection:
            owner = await owners.hold(connection)
            update(work).where(work.c.id == id, work.c.owner.is_(None)).values(owner=owner)

    to take over what dead ones left, call `bury_dead` first and claim what is free then; and to
    go on only while it is still ours, `update(work).where(..., work.c.owner == owner)` with the
    `owner` of the claim, and look at the number of rows.

    Attributes:
        id: of this process, as long as nobody took it for dead.
    """

    def __init__(
        self,
        database: Database,
        folder: Path | None,
        heartbeat_seconds: float,
        dead_seconds: float,
    ) -> None:
        """Writes nothing yet; call `register`.

        Args:
            database: where owners are written down.
            folder: of the lock files of this machine's processes; None where they share none.
            heartbeat_seconds: between two heartbeats.
            dead_seconds: silence after which a process is taken for dead.
        """
        self._database = database
        self._folder = folder
        self._every = heartbeat_seconds
        self._dead_seconds = dead_seconds
        self._beats = not database.is_sqlite
        self._lock: LockFile | None = None
        self._task: asyncio.Task[None] | None = None
        self._beat_at = -math.inf
        self._steady_since = -math.inf
        self.id = ""

    async def register(self) -> None:
        """Writes this process down, and keeps saying that it is alive.

        Raises:
            UnavailableError: the folder or the database cannot be written.
        """
        await self._enter()
        if self._beats and self._task is None:
            self._task = asyncio.create_task(self._keep_beating(), name="heartbeat")

    async def aclose(self) -> None:
        """Ends this process's owner, and with it what it still claims. Safe to call twice."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        id, self.id = self.id, ""
        try:
            if id:
                await self._leave(id)
        finally:
            await self._release()

    async def beat(self) -> None:
        """Says that this process is alive; comes back under a new id where nobody believed it.

        Raises:
            UnavailableError: the database cannot be used.
        """
        began = time.monotonic()
        if not self._beats:
            return
        if not await self._write_beat():
            log.warning(
                "This process stood still for %.0f s and was taken for dead; it goes on, without "
                "what it had claimed",
                began - self._beat_at,
            )
            await self._release()
            await self._enter()
        if began - self._beat_at > self._dead_seconds / 2:
            self._steady_since = began  # perhaps nobody could beat: see `dead`
        self._beat_at = began

    async def hold(self, connection: AsyncConnection) -> str:
        """The id of this process, which nobody takes for dead before the transaction ends.

        Raises:
            TakenForDeadError: somebody already has; `beat` comes back under a new id.
        """
        query = select(t.owner.c.id).where(t.owner.c.id == self.id)
        # What a foreign key takes: it only shuts out who would delete the row.
        if await connection.scalar(query.with_for_update(read=True, key_share=True)) is None:
            raise TakenForDeadError(
                "This process stood still for so long that others took over. Try again."
            )
        return self.id

    @retried
    async def still(self, id: str) -> bool:
        """Whether claims made under `id` are surely still ours; asks the database when in doubt."""
        if id != self.id:
            return False
        if not self._beats or time.monotonic() - self._beat_at < self._dead_seconds:
            return True
        async with self._database.reading() as connection:
            query = select(t.owner.c.id).where(t.owner.c.id == id)
            return await connection.scalar(query) is not None

    @retried
    async def dead(self) -> frozenset[str]:
        """The ids of the owners that have ended without saying so, wherever they ran.

        Raises:
            UnavailableError: the database cannot be used.
        """
        return frozenset(id for id, is_dead in (await self._judged()).items() if is_dead)

    async def living(self) -> frozenset[str]:
        """The ids of the owners that have not ended, this process among them."""
        return frozenset(id for id, is_dead in (await self._judged()).items() if not is_dead)

    async def bury_dead(self) -> int:
        """Removes the dead, so that what they claimed is free or gone; how many there were.

        Raises:
            UnavailableError: the database cannot be used.
        """
        judged = await self._judged()
        dead = [id for id, is_dead in judged.items() if is_dead]
        buried = await self._remove(dead) if dead else 0
        if self._lock is not None:
            for id in dead:
                await asyncio.to_thread(self._lock.bury, id)
            await asyncio.to_thread(self._lock.bury_unknown, set(judged))
        return buried

    async def _judged(self) -> dict[str, bool]:
        c = t.owner.c
        # Nobody could beat while the server was down.
        silence = (_CLOCK - func.greatest(c.beat_at, _STARTED)) if self._beats else c.beat_at
        async with self._database.reading() as connection:
            rows = (await connection.execute(select(c.id, c.place, silence.label("silence")))).all()
        if any((row.silence or 0) < -self._dead_seconds for row in rows):
            await self._set_back()
        # Nor, perhaps, while we could not; others need a moment to be heard again.
        can_hear = time.monotonic() - self._steady_since > self._dead_seconds
        judged = {}
        for row in rows:
            is_silent = row.silence is not None and row.silence > self._dead_seconds
            judged[row.id] = row.id != self.id and (
                (is_silent and can_hear) or await self._is_unlocked(row.id, row.place)
            )
        return judged

    async def _is_unlocked(self, id: str, place: str) -> bool:
        if self._lock is None or place != self._lock.place:
            return False
        return await asyncio.to_thread(self._lock.is_dead, id)

    @retried
    async def _set_back(self) -> None:
        """The clock of the database was put back: nobody may seem alive until it is there again."""
        late = t.owner.c.beat_at > _CLOCK + self._dead_seconds
        async with self._database.writing() as connection:
            await connection.execute(update(t.owner).where(late).values(beat_at=_CLOCK))

    @retried
    async def _remove(self, ids: Iterable[str]) -> int:
        """Removes owners, unless one of them was heard again since it was judged."""
        c = t.owner.c
        query = delete(t.owner).where(c.id.in_(list(ids)))
        if self._beats:
            query = query.where(
                or_(
                    c.beat_at.is_(None),
                    c.place == self._place,
                    c.beat_at < _CLOCK - self._dead_seconds,
                )
            )
        async with self._database.writing() as connection:
            return (await connection.execute(query)).rowcount

    @retried
    async def _leave(self, id: str) -> None:
        async with self._database.writing() as connection:
            await connection.execute(delete(t.owner).where(t.owner.c.id == id))

    @property
    def _place(self) -> str:
        return self._lock.place if self._lock is not None else "-"

    @retried
    async def _write_beat(self) -> bool:
        async with self._database.writing() as connection:
            mine = update(t.owner).where(t.owner.c.id == self.id).values(beat_at=_CLOCK)
            return (await connection.execute(mine)).rowcount > 0

    async def _enter(self) -> None:
        id = uuid.uuid4().hex
        if self._folder is not None:
            self._lock = await asyncio.to_thread(LockFile, self._folder, id)
        try:
            await self._write_down(id)
        except BaseException:
            await asyncio.shield(self._release())
            raise
        self.id = id
        self._beat_at = time.monotonic()

    @retried
    async def _write_down(self, id: str) -> None:
        place = self._lock.place if self._lock is not None else ""
        row = {"id": id, "place": place, "created_at": datetime.now(UTC)}
        values = {**row, "beat_at": _CLOCK} if self._beats else row
        async with self._database.writing() as connection:
            await connection.execute(insert(t.owner).values(**values))

    async def _release(self) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            await asyncio.to_thread(lock.release)

    async def _keep_beating(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            try:
                await self.beat()
            except UnavailableError as error:
                log.warning("No heartbeat: %s", error)
