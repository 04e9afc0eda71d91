"""MediaStore: portraits and clips, named by their content."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from personas.errors import InvalidInputError, NotFoundError, UnavailableError
from personas.persona import MediaKey
from storage import tables as t
from storage.claims import claim, drop_claim, reserve
from storage.collector import Collector
from storage.database import Database, insert_missing
from storage.outages import retried
from storage.owners import Owners, TakenForDeadError
from storage.preparations import Preparations

if TYPE_CHECKING:
    from storage.objects import Objects

_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}")
_KEY = re.compile(r"[0-9a-f]{2}/[0-9a-f]{64}\.[a-z0-9]{1,8}")


def key_of(data: bytes, suffix: str) -> MediaKey:
    """The key under which `data` is kept: the same bytes always have the same.

    Args:
        data: the bytes.
        suffix: what kind of file it is, such as `.png`.

    Raises:
        InvalidInputError: the suffix is none.
    """
    if not _SUFFIX.fullmatch(suffix):
        raise InvalidInputError(f"{suffix!r} is not the ending of a file name.")
    digest = hashlib.sha256(data).hexdigest()
    return f"{digest[:2]}/{digest}{suffix}"


class MediaStore:
    """Bytes by key. What is put stays while somebody wants it.

    `put` gives the caller a claim. Storing a persona or a turn that uses the key takes the claim
    over; where that never happens, `delete` gives it up, and a claim that is forgotten lapses
    after the grace time or when the process is gone.

    Attributes:
        preparations: what renderers have prepared of portraits.
    """

    def __init__(
        self, database: Database, objects: Objects, collector: Collector, owners: Owners
    ) -> None:
        self.preparations = Preparations(database, self, collector, owners)
        self._database = database
        self._objects = objects
        self._collector = collector
        self._owners = owners

    async def put(self, data: bytes, suffix: str, *, reserved: float = 0.0) -> MediaKey:
        """Keeps `data`; the same bytes are kept once.

        Args:
            data: the bytes.
            suffix: what kind of file it is, such as `.png`.
            reserved: seconds for which it is kept for whoever wants it, instead of a claim of
                the caller, who may end meanwhile.

        Raises:
            InvalidInputError: there are no bytes, or the suffix is none.
            UnavailableError: the folder or service cannot be written, or is full.
        """
        if not data:
            raise InvalidInputError("An empty file cannot be kept.")
        key = await asyncio.to_thread(key_of, data, suffix)
        while True:
            # The row goes first, so that after a crash the bytes are known to nobody's use.
            owner = await self._claim(key, len(data))
            try:
                if not await self._objects.exists(key, size=len(data)):
                    await self._objects.put(key, data)
                if await self._owners.still(owner):
                    break
            except BaseException:
                await asyncio.shield(self._give_up(key))
                raise
            # We stood still, and what we claimed may have been removed.
            await self._owners.beat()
        if reserved > 0:
            await self._reserve(key, reserved)
        return key

    async def claim(self, key: MediaKey) -> None:
        """Claims what is kept already, as `put` does.

        Raises:
            NotFoundError: there is nothing under this key.
        """
        _check(key)
        try:
            await self._claim_known(key)
        except TakenForDeadError:
            await self._owners.beat()
            await self._claim_known(key)

    @retried
    async def unreserve(self, key: MediaKey) -> None:
        """Ends a reservation; the bytes go unless somebody wants them."""
        async with self._database.writing() as connection:
            await connection.execute(delete(t.reservation).where(t.reservation.c.medium == key))
        await self._collector.collect([key])

    async def get(self, key: MediaKey) -> bytes:
        """The bytes of `key`.

        Raises:
            NotFoundError: there is nothing under this key.
            UnavailableError: the bytes are damaged or cannot be read.
        """
        _check(key)
        data = await self._objects.get(key)
        digest = await asyncio.to_thread(hashlib.sha256, data)
        if digest.hexdigest() != Path(key).stem:
            raise UnavailableError(f"The kept file {key} is damaged.")
        return data

    async def exists(self, key: MediaKey) -> bool:
        """Whether there are bytes under `key`."""
        return bool(_KEY.fullmatch(key)) and await self._objects.exists(key)

    async def local_path(self, key: MediaKey) -> Path | None:
        """Where the file lies on this machine, or None where it is kept elsewhere.

        The file belongs to the store: read it, and copy it before changing it.

        Raises:
            NotFoundError: there is nothing under this key.
        """
        _check(key)
        if self._objects.folder is None:
            return None
        if not await self._objects.exists(key):
            raise NotFoundError("This picture or clip is not kept any more.")
        return self._objects.folder / key

    async def delete(self, key: MediaKey) -> None:
        """Gives up the claim that `put` gave; the bytes go unless somebody else wants them."""
        _check(key)
        await self._give_up(key)

    async def require(self, keys: Iterable[MediaKey]) -> None:
        """Checks that all `keys` can be used.

        Raises:
            NotFoundError: one of them is not there, or not whole.
        """
        for key in keys:
            if not await self.exists(key):
                raise NotFoundError(f"The picture or clip {key[:12]}... is not kept here.")

    async def _claim(self, key: MediaKey, size: int) -> str:
        try:
            return await self._claim_once(key, size)
        except TakenForDeadError:
            await self._owners.beat()
            return await self._claim_once(key, size)

    @retried
    async def _claim_once(self, key: MediaKey, size: int) -> str:
        row = {"key": key, "size": size, "created_at": datetime.now(UTC)}
        # Locked, so that nobody who deletes just now takes it away again (PostgreSQL).
        known = select(t.medium.c.key).where(t.medium.c.key == key).with_for_update()
        async with self._database.writing() as connection:
            owner = await self._owners.hold(connection)
            while await connection.scalar(known) is None:
                await insert_missing(connection, t.medium, row)
            await claim(connection, key, owner)
        return owner

    @retried
    async def _claim_known(self, key: MediaKey) -> None:
        known = select(t.medium.c.key).where(t.medium.c.key == key).with_for_update()
        async with self._database.writing() as connection:
            owner = await self._owners.hold(connection)
            if await connection.scalar(known) is None:
                raise NotFoundError("This picture or clip is not kept any more.")
            await claim(connection, key, owner)

    @retried
    async def _reserve(self, key: MediaKey, seconds: float) -> None:
        async with self._database.writing() as connection:
            await reserve(connection, key, seconds)
            await drop_claim(connection, key, self._owners.id)

    @retried
    async def _give_up(self, key: MediaKey) -> None:
        async with self._database.writing() as connection:
            await drop_claim(connection, key, self._owners.id)
        await self._collector.collect([key])


def _check(key: MediaKey) -> None:
    if not _KEY.fullmatch(key):
        raise NotFoundError("There is no such picture or clip.")
