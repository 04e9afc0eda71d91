"""Rows from one database to another: in batches, in the order of their references, and checked."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Table, func, select, text, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from personas.errors import UnavailableError
from storage import tables as t
from storage.database import Database, to_json
from storage.outages import retried
from storage.transfer.progress import Step, Tell, keep_step, step_of

_MODULUS = 2**256


def moved_tables() -> list[Table]:
    """The tables that are moved, each after those that it refers to.

    What tells of processes stays behind: they use the old database, not the new one.
    """
    stay = {t.store, t.owner, t.transfer, t.chore}
    return [
        table
        for table in t.metadata.sorted_tables
        if table not in stay and not any(not column.nullable for column in _owners(table))
    ]


class RowTransfer:
    """Copies all rows of a database into another one that has none."""

    def __init__(self, source: Database, target: Database, batch: int, tell: Tell) -> None:
        self._source = source
        self._target = target
        self._batch = batch
        self._tell = tell

    async def run(self) -> dict[str, int]:
        """Copies what is not there yet, and compares; the number of rows of each table.

        Raises:
            UnavailableError: a database cannot be used, or the source was changed meanwhile.
        """
        return {table.name: await self._move(table) for table in moved_tables()}

    async def _move(self, table: Table) -> int:
        total = await count_of(self._source, table)
        step = await step_of(self._target, table.name)
        while not step.is_done:
            self._tell(table.name, step.count, total)
            rows = await read_batch(self._source, table, step.last, self._batch)
            step = await self._write(table, rows, step)
        await self._count_on(table)
        self._tell(table.name, total, total)
        await self._compare(table)
        return total

    @retried
    async def _write(self, table: Table, rows: Sequence[Row[Any]], step: Step) -> Step:
        values = [{**row._mapping, **{c.name: None for c in _owners(table)}} for row in rows]
        last = _plain(key_of_row(table, rows[-1])) if rows else step.last
        after = Step(last, step.count + len(rows), is_done=len(rows) < self._batch)
        insert = sqlite.insert if self._target.is_sqlite else postgresql.insert
        async with self._target.writing() as connection:
            if values:
                await connection.execute(insert(table).on_conflict_do_nothing(), values)
            await keep_step(connection, table.name, after)
        return after

    @retried
    async def _count_on(self, table: Table) -> None:
        """New rows get numbers after those that the old database had given."""
        column = table.autoincrement_column
        if column is None:
            return
        async with self._source.reading() as connection:
            given = await _last_number(connection, table, column.name)
        async with self._target.writing() as connection:
            given = max(given, await connection.scalar(select(func.max(column))) or 0)
            if given:
                await _set_last_number(connection, table, column.name, given)

    async def _compare(self, table: Table) -> None:
        ours, theirs = [
            [await count_of(database, table), await digest_of(database, table, self._batch)]
            for database in (self._source, self._target)
        ]
        if ours != theirs:
            raise UnavailableError(
                f"The {table.name} rows of the two databases differ: {ours[0]} and {theirs[0]}. "
                "Something has changed them during the move. Stop whatever uses them, empty the "
                "target, and move again; the source is as it was."
            )


@retried
async def count_of(database: Database, table: Table) -> int:
    """How many rows a table has."""
    async with database.reading() as connection:
        return await connection.scalar(select(func.count()).select_from(table)) or 0


async def digest_of(database: Database, table: Table, batch: int = 500) -> str:
    """A hash of all rows of a table that does not depend on their order or on the database."""
    total = 0
    owners = {column.name for column in _owners(table)}
    async for row in _all_rows(database, table, batch):
        values = [None if c.name in owners else row._mapping[c.name] for c in table.columns]
        digest = hashlib.sha256(_canonical(values).encode()).digest()
        total = (total + int.from_bytes(digest, "big")) % _MODULUS
    return f"{total:064x}"


@retried
async def read_batch(
    database: Database, table: Table, after: Sequence[Any] | None, count: int
) -> Sequence[Row[Any]]:
    """The next rows by their primary key."""
    keys = list(table.primary_key)
    query = select(table).order_by(*keys).limit(count)
    if after is not None:
        query = query.where(tuple_(*keys) > tuple_(*after, types=[key.type for key in keys]))
    async with database.reading() as connection:
        return (await connection.execute(query)).all()


def key_of_row(table: Table, row: Row[Any]) -> list[Any]:
    """The primary key of a row."""
    return [row._mapping[column.name] for column in table.primary_key]


async def _all_rows(database: Database, table: Table, batch: int) -> AsyncIterator[Row[Any]]:
    last: Sequence[Any] | None = None
    while rows := await read_batch(database, table, last, batch):
        for row in rows:
            yield row
        last = key_of_row(table, rows[-1])


def _owners(table: Table) -> list[Any]:
    """The columns that name a process."""
    return [c for c in table.c if any(key.column.table is t.owner for key in c.foreign_keys)]


def _plain(key: list[Any]) -> list[Any]:
    if not all(isinstance(value, str | int) for value in key):
        raise TypeError("keys of tables are words and numbers")
    return key


def _canonical(values: list[Any]) -> str:
    return to_json(
        [
            value.isoformat()
            if isinstance(value, datetime)
            else to_json(value, sort_keys=True)
            if isinstance(value, dict | list)
            else value
            for value in values
        ]
    )


async def _last_number(connection: AsyncConnection, table: Table, column: str) -> int:
    """The last number that the database gave, to a row that may be gone since."""
    if connection.dialect.name == "sqlite":
        query = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
        return await connection.scalar(query, {"name": table.name}) or 0
    name = await connection.scalar(select(func.pg_get_serial_sequence(table.name, column)))
    query = text(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {name}")
    return await connection.scalar(query) or 0


async def _set_last_number(
    connection: AsyncConnection, table: Table, column: str, number: int
) -> None:
    if connection.dialect.name == "sqlite":
        await connection.execute(
            text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table.name}
        )
        await connection.execute(
            text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :seq)"),
            {"name": table.name, "seq": number},
        )
        return
    sequence = func.pg_get_serial_sequence(table.name, column)
    await connection.execute(select(func.setval(sequence, number)))
