"""Database: transactions on the tables, and the sentences for what can go wrong with them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any

from sqlalchemy import Connection, Table, event
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from storage.failures import explain
from storage.settings import StorageSettings

_WRITING = "chatanything_writing"


class Database:
    """The connections of one process. Safe to use from many tasks at once.

    On SQLite a writing transaction takes the write lock when it begins, so what it reads stays
    true until it ends; commits reach the disk (synchronous=FULL) because deleting files depends
    on them.
    """

    def __init__(self, settings: StorageSettings) -> None:
        url = settings.database
        self._is_sqlite = url.get_backend_name() == "sqlite"
        self.place = url.database or "memory" if self._is_sqlite else "The database"
        self._engine = create_async_engine(
            url, connect_args={"timeout": settings.busy_seconds} if self._is_sqlite else {}
        )
        if self._is_sqlite:
            event.listen(self._engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(self._engine.sync_engine, "begin", _begin_sqlite)
        # Tasks of one process queue here in order; SQLite's own waiting is not fair.
        self._queue: AbstractAsyncContextManager[Any] = (
            asyncio.Lock() if self._is_sqlite else nullcontext()
        )

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """One consistent view of the tables.

        Raises:
            UnavailableError: the database cannot be used.
        """
        try:
            async with self._engine.connect() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as error:
            raise explain(error, self.place) from error

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction: all of it happens, or nothing.

        Raises:
            UnavailableError: the database cannot be used.
        """
        try:
            async with self._queue, self._engine.connect() as plain:
                connection = await plain.execution_options(**{_WRITING: True})
                async with connection.begin():
                    yield connection
        except (SQLAlchemyError, OSError) as error:
            raise explain(error, self.place) from error

    async def aclose(self) -> None:
        """Closes the connections. Safe to call twice."""
        await self._engine.dispose()


async def insert_missing(
    connection: AsyncConnection, table: Table, row: Mapping[str, object]
) -> bool:
    """Inserts a row unless one with its key is there; whether it was inserted."""
    try:
        async with connection.begin_nested():
            await connection.execute(table.insert().values(**row))
    except IntegrityError:
        return False
    return True


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where we say, not where Python guesses
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get(_WRITING)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
