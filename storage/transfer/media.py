"""Media from one place to another: each read, checked against its name, written, read back."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Row, func, select

from personas.errors import NotFoundError, UnavailableError
from personas.persona import MediaKey
from storage import tables as t
from storage.database import Database
from storage.objects import Objects
from storage.outages import retried
from storage.transfer.progress import Step, Tell, keep_step, step_of
from storage.transfer.rows import key_of_row, read_batch

_AT_ONCE = 8


@dataclass(frozen=True)
class MovedMedia:
    """What became of the media.

    Attributes:
        count: how many there are.
        lost: the keys of those that the source had no more, or only damaged.
    """

    count: int = 0
    lost: tuple[MediaKey, ...] = ()


class MediaTransfer:
    """Copies the media that a database knows."""

    def __init__(
        self, database: Database, source: Objects, target: Objects, batch: int, tell: Tell
    ) -> None:
        self._database = database
        self._source = source
        self._target = target
        self._batch = batch
        self._tell = tell
        place = hashlib.sha256(str(target.place).encode()).hexdigest()
        self._step = f"media {place[:24]}"

    async def run(self, store_id: str) -> MovedMedia:
        """Copies what is not there yet.

        Raises:
            UnavailableError: the target holds the media of other data, or a place cannot be used.
        """
        if not await self._target.adopt(store_id):
            raise UnavailableError(
                f"{self._target.place} holds the media of other data. Choose an empty place."
            )
        total = await self._total()
        step = await step_of(self._database, self._step)
        while not step.is_done:
            self._tell("media", step.count, total)
            rows = await read_batch(self._database, t.medium, step.last, self._batch)
            await self._copy_all(rows)
            last = key_of_row(t.medium, rows[-1]) if rows else step.last
            step = Step(last, step.count + len(rows), is_done=len(rows) < self._batch)
            await self._keep(step)
        self._tell("media", total, total)
        return MovedMedia(total, tuple(await self._complete()))

    async def _copy_all(self, rows: Sequence[Row[Any]]) -> list[MediaKey]:
        """Copies some media; the keys of those that the source does not have whole."""
        gate = asyncio.Semaphore(_AT_ONCE)
        copied = await asyncio.gather(*(self._copy(gate, row.key, row.size) for row in rows))
        return [row.key for row, is_there in zip(rows, copied, strict=True) if not is_there]

    async def _copy(self, gate: asyncio.Semaphore, key: MediaKey, size: int) -> bool:
        async with gate:
            if await self._target.exists(key, size=size) and await self._is_whole(key):
                return True
            try:
                data = await self._source.get(key)
            except NotFoundError:
                return False
            if not await asyncio.to_thread(is_named_by, data, key):
                return False
            await self._target.put(key, data)
            if not await self._is_whole(key):
                raise UnavailableError(
                    f"{self._target.place} gives back other bytes than it was given. Nothing in "
                    "the source was changed."
                )
            return True

    async def _is_whole(self, key: MediaKey) -> bool:
        return await asyncio.to_thread(is_named_by, await self._target.get(key), key)

    async def _complete(self) -> list[MediaKey]:
        """Compares what the database knows with what lies in the target; what is lost for good."""
        found = [one async for one in self._target.keys()]  # noqa: SIM118 - it is no dict
        there = {key: size for key, size, is_cut in found if not is_cut}
        lost: list[MediaKey] = []
        last = None
        while rows := await read_batch(self._database, t.medium, last, self._batch):
            lost += await self._copy_all([row for row in rows if there.get(row.key) != row.size])
            last = key_of_row(t.medium, rows[-1])
        return lost

    @retried
    async def _total(self) -> int:
        async with self._database.reading() as connection:
            return await connection.scalar(select(func.count()).select_from(t.medium)) or 0

    @retried
    async def _keep(self, step: Step) -> None:
        async with self._database.writing() as connection:
            await keep_step(connection, self._step, step)


def is_named_by(data: bytes, key: MediaKey) -> bool:
    """Whether a medium is what its name says: the hash of its bytes."""
    return hashlib.sha256(data).hexdigest() == Path(key).stem
