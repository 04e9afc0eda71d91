"""Collector: removes media that nobody wants, and what crashed processes left."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, delete, exists, select

from personas.errors import ChatAnythingError
from personas.persona import MediaKey
from storage import tables as t
from storage.database import Database, insert_missing
from storage.objects import Objects
from storage.owner import Owner

log = logging.getLogger(__name__)

_BATCH = 50  # keys a transaction; short enough that other writers hardly wait


@dataclass(frozen=True)
class Swept:
    """What a sweep removed."""

    media: int = 0
    processes: int = 0


class Collector:
    """Removes bytes and their rows together, so that a crash in between leaves work, not harm."""

    def __init__(
        self, database: Database, objects: Objects, owner: Owner, grace_seconds: float
    ) -> None:
        self._database = database
        self._objects = objects
        self._owner = owner
        self._grace = timedelta(seconds=grace_seconds)

    async def collect(self, keys: Iterable[MediaKey]) -> int:
        """Removes those of `keys` that nobody wants; how many that were.

        The bytes go while the transaction shuts out whoever would put the same content again;
        the rows go with its commit. A crash before it leaves rows without bytes, which nobody
        wants either: the next sweep removes them.
        """
        removed = 0
        ordered = sorted(set(keys))
        for start in range(0, len(ordered), _BATCH):
            batch = ordered[start : start + _BATCH]
            async with self._database.writing() as connection:
                # Lock first, look then: a claim that was made meanwhile is seen (PostgreSQL).
                locked = select(t.medium.c.key).where(t.medium.c.key.in_(batch))
                await connection.execute(locked.order_by(t.medium.c.key).with_for_update())
                unwanted = await connection.scalars(locked.where(*_unwanted()))
                gone = [key for key in unwanted if await self._remove_bytes(key)]
                await connection.execute(delete(t.medium).where(t.medium.c.key.in_(gone)))
            removed += len(gone)
        return removed

    async def sweep(self, store_id: str, *, everything: bool = True) -> Swept:
        """Removes what dead processes and lapsed claims left.

        Args:
            store_id: of the database; the media of another one are left alone.
            everything: also looks at each stored file. Otherwise only when a process has died.
        """
        processes = await self._drop_dead_claims()
        media = await self._collect_unwanted()
        if (everything or processes) and await self._objects.belongs_to(store_id):
            media += await self._collect_strays()
        if media or processes:
            log.info("Swept %d media of %d ended processes", media, processes)
        return Swept(media, processes)

    async def _remove_bytes(self, key: MediaKey) -> bool:
        try:
            await self._objects.delete(key)
        except ChatAnythingError:
            log.warning("Could not remove %s; the next sweep tries again", key, exc_info=True)
            return False
        return True

    async def _drop_dead_claims(self) -> int:
        async with self._database.reading() as connection:
            here = select(t.owner.c.id).where(t.owner.c.place == self._owner.place)
            known = set(await connection.scalars(here))
        dead = [id for id in known if await asyncio.to_thread(self._owner.is_dead, id)]
        lapsed = t.lease.c.since < datetime.now(UTC) - self._grace
        async with self._database.writing() as connection:
            await connection.execute(delete(t.lease).where(lapsed))
            await connection.execute(delete(t.owner).where(t.owner.c.id.in_(dead)))
        for id in dead:
            await asyncio.to_thread(self._owner.bury, id)
        await asyncio.to_thread(self._owner.bury_unknown, known)
        return len(dead)

    async def _collect_unwanted(self) -> int:
        async with self._database.reading() as connection:
            keys = list(await connection.scalars(select(t.medium.c.key).where(*_unwanted())))
        return await self.collect(keys)

    async def _collect_strays(self) -> int:
        """Removes files without a row, and rests of interrupted writes."""
        removed = 0
        batch: dict[str, int] = {}
        cuts = []
        async for key, size, is_cut in self._objects.keys():
            batch[key] = size
            if is_cut:
                cuts.append(key)
            if len(batch) >= _BATCH:
                removed += await self._collect_unknown(batch)
                batch.clear()
        removed += await self._collect_unknown(batch)
        for key in cuts:
            async with self._database.writing() as connection:
                claims = await connection.scalar(select(exists().where(t.lease.c.medium == key)))
                if not claims:  # else its writer may be at it
                    await self._objects.delete_cut(key)
        return removed

    async def _collect_unknown(self, sizes: dict[str, int]) -> int:
        """Gives files without a row one that nobody wants, then collects as ever."""
        async with self._database.reading() as connection:
            known = select(t.medium.c.key).where(t.medium.c.key.in_(sizes))
            unknown = sizes.keys() - set(await connection.scalars(known))
        now = datetime.now(UTC)
        async with self._database.writing() as connection:
            for key in unknown:
                row = {"key": key, "size": sizes[key], "created_at": now}
                await insert_missing(connection, t.medium, row)
        return await self.collect(unknown)


def _unwanted() -> tuple[ColumnElement[bool], ...]:
    key = t.medium.c.key
    return (
        ~exists().where(t.persona_medium.c.medium == key),
        ~exists().where(t.turn.c.clip == key),
        ~exists().where(t.lease.c.medium == key),
    )
