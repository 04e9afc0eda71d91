"""Preparations: what a renderer has computed of a portrait, kept as long as the portrait is."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import Protocol

from sqlalchemy import delete, insert, select

from personas.errors import ChatAnythingError, NotFoundError
from personas.persona import MediaKey
from storage import tables as t
from storage.claims import drop_claim
from storage.collector import Collector
from storage.database import Database
from storage.outages import retried
from storage.owners import Owners

log = logging.getLogger(__name__)

_SUFFIX = ".head"


class Bytes(Protocol):
    """The part of a media store that this needs."""

    async def put(self, data: bytes, suffix: str) -> MediaKey:
        """Keeps bytes, with a claim of the caller."""

    async def get(self, key: MediaKey) -> bytes:
        """The bytes of a key."""

    async def delete(self, key: MediaKey) -> None:
        """Gives up the claim of `put`."""


class Preparations:
    """One for each portrait and renderer; a newer one takes the place of an older one."""

    def __init__(
        self, database: Database, media: Bytes, collector: Collector, owners: Owners
    ) -> None:
        self._database = database
        self._media = media
        self._collector = collector
        self._owners = owners

    @retried
    async def get(self, portrait: MediaKey, head: str) -> bytes | None:
        """What `head` has prepared of a portrait; None where there is nothing that can be read.

        Args:
            portrait: the key of its picture.
            head: the renderer.
        """
        of = (t.preparation.c.portrait == portrait, t.preparation.c.head == head)
        async with self._database.reading() as connection:
            key = await connection.scalar(select(t.preparation.c.medium).where(*of))
        if key is None:
            return None
        try:
            return await self._media.get(key)
        except ChatAnythingError as error:
            log.warning("What %s prepared of %s is lost: %s", head, portrait, error)
        # The same may be made again: it would be taken for what is damaged.
        async with self._database.writing() as connection:
            await connection.execute(
                delete(t.preparation).where(*of, t.preparation.c.medium == key)
            )
        await self._collector.collect([key])
        return None

    @retried
    async def keep(self, portrait: MediaKey, head: str, data: bytes) -> None:
        """Keeps what `head` has prepared of a portrait, instead of what it had prepared before.

        Raises:
            NotFoundError: the portrait is not kept any more.
            UnavailableError: it cannot be written.
        """
        key = await self._media.put(data, _SUFFIX)
        of = (t.preparation.c.portrait == portrait, t.preparation.c.head == head)
        try:
            async with self._database.writing() as connection:
                # Locked, so that nobody deletes it meanwhile, and one of two writers comes first.
                known = select(t.medium.c.key).where(t.medium.c.key == portrait)
                if await connection.scalar(known.with_for_update()) is None:
                    raise NotFoundError("The portrait of this persona is not kept any more.")
                before = await connection.scalar(select(t.preparation.c.medium).where(*of))
                await connection.execute(delete(t.preparation).where(*of))
                row = {"portrait": portrait, "head": head, "medium": key}
                await connection.execute(
                    insert(t.preparation).values(**row, created_at=datetime.now(UTC))
                )
                await drop_claim(connection, key, self._owners.id)
        except BaseException:
            await asyncio.shield(self._media.delete(key))
            raise
        if before is not None and before != key:
            await self._collector.collect([before])
