"""Collector: removes media that nobody wants."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, delete, exists, select

from personas.errors import ChatAnythingError, UnavailableError
from personas.persona import MediaKey
from storage import tables as t
from storage.database import Database, insert_missing
from storage.objects import Objects
from storage.outages import retried

log = logging.getLogger(__name__)

_LISTED = 500  # stored files that are looked up at once
_BATCH = 50  # keys a transaction; short enough that other writers hardly wait


class Collector:
    """Removes bytes and their rows together, so that a crash in between leaves work, not harm."""

    def __init__(self, database: Database, objects: Objects, grace_seconds: float) -> None:
        self._database = database
        self._objects = objects
        self._grace = timedelta(seconds=grace_seconds)

    async def collect(self, keys: Iterable[MediaKey]) -> int:
        """Removes those of `keys` that nobody wants; how many that were.

        What cannot be removed now is no error: what made the keys unwanted has been stored by
        now, and the next sweep finds them.
        """
        try:
            return await self._collect(keys)
        except UnavailableError:
            log.warning("Media are not removed yet; the next sweep tries again", exc_info=True)
            return 0

    async def _collect(self, keys: Iterable[MediaKey]) -> int:
        """Removes in batches.

        The bytes go while the transaction shuts out whoever would put the same content again;
        the rows go with its commit. A crash before it leaves rows without bytes, which nobody
        wants either: the next sweep removes them.
        """
        ordered = sorted(set(keys))
        batches = [ordered[start : start + _BATCH] for start in range(0, len(ordered), _BATCH)]
        return sum([await self._collect_batch(batch) for batch in batches])

    @retried
    async def _collect_batch(self, batch: list[MediaKey]) -> int:
        async with self._database.writing() as connection:
            # Lock first, look then: a claim that was made meanwhile is seen (PostgreSQL).
            locked = select(t.medium.c.key).where(t.medium.c.key.in_(batch))
            await connection.execute(locked.order_by(t.medium.c.key).with_for_update())
            unwanted = list(await connection.scalars(locked.where(*_unwanted())))
            removed = await asyncio.gather(*(self._remove_bytes(key) for key in unwanted))
            gone = [key for key, is_gone in zip(unwanted, removed, strict=True) if is_gone]
            made_of = t.preparation.c.portrait.in_(gone)
            theirs = list(await connection.scalars(select(t.preparation.c.medium).where(made_of)))
            await connection.execute(delete(t.preparation).where(made_of))
            await connection.execute(delete(t.medium).where(t.medium.c.key.in_(gone)))
        # Outside, so that what is done again after an outage is one transaction.
        return len(gone) + await self.collect(theirs)

    async def collect_unwanted(self) -> int:
        """Removes all media that have a row and that nobody wants; how many.

        Raises:
            UnavailableError: the database cannot be used.
        """
        await self._drop_lapsed_claims()
        return await self._collect(await self._find_unwanted())

    async def collect_strays(self) -> int:
        """Removes files without a row, and rests of interrupted writes; how many files.

        Raises:
            UnavailableError: the database or the media cannot be used.
        """
        removed = 0
        batch: dict[str, int] = {}
        cuts = []
        async for key, size, is_cut in self._objects.keys():
            batch[key] = size
            if is_cut:
                cuts.append(key)
            if len(batch) >= _LISTED:
                removed += await self._collect_unknown(batch)
                batch.clear()
        removed += await self._collect_unknown(batch)
        for key in cuts:
            await self._collect_cut(key)
        return removed

    async def _remove_bytes(self, key: MediaKey) -> bool:
        try:
            await self._objects.delete(key)
        except ChatAnythingError:
            log.warning("Could not remove %s; the next sweep tries again", key, exc_info=True)
            return False
        return True

    @retried
    async def _drop_lapsed_claims(self) -> None:
        lapsed = t.lease.c.since < datetime.now(UTC) - self._grace
        async with self._database.writing() as connection:
            await connection.execute(delete(t.lease).where(lapsed))
            over = t.reservation.c.until < datetime.now(UTC)
            await connection.execute(delete(t.reservation).where(over))

    @retried
    async def _find_unwanted(self) -> list[MediaKey]:
        async with self._database.reading() as connection:
            return list(await connection.scalars(select(t.medium.c.key).where(*_unwanted())))

    @retried
    async def _collect_cut(self, key: MediaKey) -> None:
        async with self._database.writing() as connection:
            claims = await connection.scalar(select(exists().where(t.lease.c.medium == key)))
            if not claims:  # else its writer may be at it
                await self._objects.delete_cut(key)

    async def _collect_unknown(self, sizes: dict[str, int]) -> int:
        """Gives files without a row one that nobody wants, then collects as ever."""
        return await self._collect(await self._know(sizes))

    @retried
    async def _know(self, sizes: dict[str, int]) -> set[MediaKey]:
        async with self._database.reading() as connection:
            known = select(t.medium.c.key).where(t.medium.c.key.in_(sizes))
            unknown = sizes.keys() - set(await connection.scalars(known))
        now = datetime.now(UTC)
        async with self._database.writing() as connection:
            for key in unknown:
                row = {"key": key, "size": sizes[key], "created_at": now}
                await insert_missing(connection, t.medium, row)
        return unknown


def _unwanted() -> tuple[ColumnElement[bool], ...]:
    key = t.medium.c.key
    reserved = (t.reservation.c.medium == key, t.reservation.c.until > datetime.now(UTC))
    return (
        ~exists().where(t.persona_medium.c.medium == key),
        ~exists().where(t.turn.c.clip == key),
        ~exists().where(t.unfinished.c.medium == key),
        ~exists().where(t.preparation.c.medium == key),
        ~exists().where(t.lease.c.medium == key),
        ~exists().where(*reserved),
    )
