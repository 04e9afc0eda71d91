"""Transfer: everything that is kept, to another database, another place of media, or both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Table, delete, exists, insert, select

from personas.errors import UnavailableError
from storage import tables as t
from storage.database import Database
from storage.objects import Objects
from storage.outages import retried
from storage.owners import Owners
from storage.settings import StorageSettings
from storage.store import owners_folder, prepare
from storage.transfer.media import MediaTransfer, MovedMedia
from storage.transfer.progress import Step, Tell, keep_step, step_of
from storage.transfer.rows import RowTransfer, moved_tables

_BATCH = 500
_ALL = "all rows"


@dataclass(frozen=True)
class Moved:
    """What a transfer has moved, all of it compared.

    Attributes:
        rows: of each table; empty where only media were moved.
        media: None where only rows were moved.
        was_done: an earlier run had moved the rows.
    """

    rows: dict[str, int] = field(default_factory=dict)
    media: MovedMedia | None = None
    was_done: bool = False


class Transfer:
    """Copies; the source stays as it is.

    How far it is stands in the target, so a transfer that was stopped or killed at any point goes
    on where it was when it is run again, and one that is over does nothing.
    """

    def __init__(
        self, source: StorageSettings, target: StorageSettings, tell: Tell, batch: int = _BATCH
    ) -> None:
        """Nothing is opened yet.

        Args:
            source: where everything is.
            target: where it shall be. What is at the same place in both is not moved.
            tell: is told how far it is.
            batch: rows a transaction.

        Raises:
            UnavailableError: nothing would be moved, or a URL is wrong.
        """
        self._source = source
        self._target = target
        self._tell = tell
        self._batch = batch
        self.moves_rows = source.database != target.database
        self.moves_media = media_place(source) != media_place(target)
        if not self.moves_rows and not self.moves_media:
            raise UnavailableError("That is where everything is already: there is nothing to move.")

    async def run(self) -> Moved:
        """Moves, or goes on moving, and compares.

        Raises:
            UnavailableError: a place cannot be used, is in use, or the target holds other data.
        """
        async with AsyncExitStack() as stack:
            store_id, objects, source = await stack.enter_async_context(_opened(self._source))
            target, was_done, rows = source, False, {}
            if self.moves_rows:
                _, _, target = await stack.enter_async_context(_opened(self._target))
                was_done = await _begin(target, store_id)
                if not was_done:
                    rows = await RowTransfer(source, target, self._batch, self._tell).run()
            media = None
            if self.moves_media:
                others = await asyncio.to_thread(Objects, self._target)
                moving = MediaTransfer(target, objects, others, self._batch, self._tell)
                media = await moving.run(store_id)
            if self.moves_rows and not was_done:
                async with target.writing() as connection:
                    await keep_step(connection, _ALL, Step(is_done=True))
        return Moved(rows, media, was_done)


def media_place(settings: StorageSettings) -> str:
    """Where media lie, to compare two settings."""
    folder = settings.media_folder
    return str(folder) if folder is not None else f"{settings.s3_endpoint} {settings.media_url}"


@asynccontextmanager
async def _opened(settings: StorageSettings) -> AsyncIterator[tuple[str, Objects, Database]]:
    """A database that nobody else uses, migrated to what this version knows."""
    store_id, objects = await asyncio.to_thread(prepare, settings)
    async with AsyncExitStack() as stack:
        database = Database(settings)
        stack.push_async_callback(database.aclose)
        owners = Owners(
            database,
            owners_folder(settings),
            settings.heartbeat_seconds,
            settings.dead_seconds,
        )
        stack.push_async_callback(owners.aclose)
        await owners.register()
        if await owners.living() - {owners.id}:
            where = "The database" if not database.is_sqlite else database.place
            raise UnavailableError(
                f"{where} is being used. Stop the bot and whatever else uses it, and try again; "
                f"a process that was killed is known to be dead after {settings.dead_seconds:.0f} "
                "seconds."
            )
        yield store_id, objects, database


async def _begin(target: Database, store_id: str) -> bool:
    """Makes the target the same data as the source; whether all rows are there already.

    Raises:
        UnavailableError: it holds other data.
    """
    async with target.reading() as connection:
        its_id = await connection.scalar(select(t.store.c.id))
    began = await step_of(target, _ALL)
    has_begun = its_id == store_id and (began.is_done or began.count > 0)
    if has_begun:
        return began.is_done
    if full := [table.name for table in moved_tables() if await _has_rows(target, table)]:
        same = " It is an older or newer state of the same data." if its_id == store_id else ""
        raise UnavailableError(
            f"The target is not empty: there is something in {', '.join(full)}.{same} Choose an "
            "empty database."
        )
    async with target.writing() as connection:
        await connection.execute(delete(t.transfer))
        await connection.execute(delete(t.store))
        made = {"id": store_id, "created_at": datetime.now(UTC)}
        await connection.execute(insert(t.store).values(**made))
        await keep_step(connection, _ALL, Step(count=1))
    return False


@retried
async def _has_rows(database: Database, table: Table) -> bool:
    async with database.reading() as connection:
        return bool(await connection.scalar(select(exists().select_from(table))))
