"""Keeper: what has to be done from time to time, by one process at a time."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import or_, select, update

from personas.errors import UnavailableError
from storage import tables as t
from storage.channels import ChannelRepository
from storage.collector import Collector
from storage.database import Database, insert_missing
from storage.expiry import ClipExpiry
from storage.objects import Objects
from storage.outages import retried
from storage.owners import Owners, TakenForDeadError

log = logging.getLogger(__name__)

_LOOK_SECONDS = 60.0
_STRAYS_EVERY = timedelta(days=1)


@dataclass(frozen=True)
class Swept:
    """What a sweep removed.

    Attributes:
        media: files and objects that nobody used.
        processes: that had ended without saying so.
        clips: that were too old or too many; their words stay.
    """

    media: int = 0
    processes: int = 0
    clips: int = 0


class Keeper:
    """Sweeps: ended processes, lapsed claims, old clips, and media that nobody wants."""

    def __init__(
        self,
        database: Database,
        objects: Objects,
        owners: Owners,
        collector: Collector,
        expiry: ClipExpiry,
        channels: ChannelRepository,
        store_id: str,
        sweep_minutes: float,
    ) -> None:
        self._database = database
        self._objects = objects
        self._owners = owners
        self._collector = collector
        self._expiry = expiry
        self._channels = channels
        self._store_id = store_id
        self._every = {"sweep": timedelta(minutes=sweep_minutes), "strays": _STRAYS_EVERY}

    async def keep(self) -> None:
        """Sweeps what is due, over and over, until it is cancelled."""
        while True:
            # Not all processes at the same moment.
            await asyncio.sleep(_LOOK_SECONDS * random.uniform(0.5, 1.0))
            try:
                await self.sweep_due()
            except UnavailableError as error:
                log.warning("Not swept: %s", error)

    async def sweep_due(self) -> Swept:
        """Sweeps what is due, unless another process is at it.

        What processes that have ended left is always due. Looking at every stored file is due
        once a day, and in a folder after each such end, because a cut write leaves a rest there.

        Raises:
            UnavailableError: the database cannot be used.
        """
        processes = media = clips = 0
        if await self._owners.dead():
            await self._make_due()  # before the dead are gone: we may be killed in between
            processes = await self._owners.bury_dead()
        due = await self._due()
        if "sweep" in due:
            async with self._chore("sweep") as is_ours:
                if is_ours:
                    clips, media = await self._sweep_rows()
        if "strays" in due:
            async with self._chore("strays") as is_ours:
                if is_ours:
                    media += await self._sweep_strays()
        return _told(Swept(media, processes, clips))

    async def sweep(self) -> Swept:
        """Sweeps everything now, whoever else is at it: that does no harm.

        Raises:
            UnavailableError: the database or the media cannot be used.
        """
        processes = await self._owners.bury_dead()
        clips, media = await self._sweep_rows()
        media += await self._sweep_strays()
        return _told(Swept(media, processes, clips))

    async def _sweep_rows(self) -> tuple[int, int]:
        await self._channels.tidy()
        clips = await self._expiry.expire()
        return clips, await self._collector.collect_unwanted()

    async def _sweep_strays(self) -> int:
        """Leaves media alone that belong to another database."""
        if not await self._objects.belongs_to(self._store_id):
            return 0
        return await self._collector.collect_strays()

    @asynccontextmanager
    async def _chore(self, name: str) -> AsyncIterator[bool]:
        """Whether it is ours to do; if it fails, it stays due."""
        try:
            owner = await self._take(name)
        except TakenForDeadError:  # the next heartbeat brings us back
            owner = None
        if owner is None:
            yield False
            return
        done: datetime | None = None
        try:
            yield True
            done = datetime.now(UTC)
        finally:
            await asyncio.shield(self._give_back(name, owner, done))

    @retried
    async def _due(self) -> set[str]:
        """The chores that are due, done by nobody."""
        async with self._database.reading() as connection:
            rows = (await connection.execute(select(t.chore))).all()
        waiting = {row.name for row in rows if row.owner or not self._is_due(row.name, row.done_at)}
        return self._every.keys() - waiting

    def _is_due(self, name: str, done: datetime | None) -> bool:
        return done is None or done < datetime.now(UTC) - self._every[name]

    @retried
    async def _take(self, name: str) -> str | None:
        c = t.chore.c
        async with self._database.writing() as connection:
            owner = await self._owners.hold(connection)
            await insert_missing(connection, t.chore, {"name": name})
            is_due = or_(c.done_at.is_(None), c.done_at < datetime.now(UTC) - self._every[name])
            taking = update(t.chore).where(c.name == name, c.owner.is_(None), is_due)
            taken = await connection.execute(taking.values(owner=owner))
        return owner if taken.rowcount else None

    @retried
    async def _give_back(self, name: str, owner: str, done: datetime | None) -> None:
        c = t.chore.c
        values: dict[str, object] = {"owner": None} | ({"done_at": done} if done else {})
        async with self._database.writing() as connection:
            mine = update(t.chore).where(c.name == name, c.owner == owner)
            await connection.execute(mine.values(**values))

    @retried
    async def _make_due(self) -> None:
        names = ["sweep"] + (["strays"] if self._objects.folder is not None else [])
        async with self._database.writing() as connection:
            due = update(t.chore).where(t.chore.c.name.in_(names)).values(done_at=None)
            await connection.execute(due)


def _told(swept: Swept) -> Swept:
    if swept != Swept():
        log.info(
            "Swept %d media, %d old clips, %d ended processes",
            swept.media,
            swept.clips,
            swept.processes,
        )
    return swept
