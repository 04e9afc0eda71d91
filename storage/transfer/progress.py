"""How far a transfer is: kept in the target, in the transactions that it tells of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import tables as t
from storage.database import Database, insert_missing

Tell = Callable[[str, int, int], None]
"""Is told what is being moved, how many of it have been, and how many there are."""


@dataclass(frozen=True)
class Step:
    """A part of a transfer.

    Attributes:
        last: the key up to which it is done; None before the first.
        count: how many have been done.
        is_done: whether it is over.
    """

    last: Any = None
    count: int = 0
    is_done: bool = False


async def step_of(database: Database, name: str) -> Step:
    """How far a part is."""
    async with database.reading() as connection:
        query = select(t.transfer).where(t.transfer.c.name == name)
        row = (await connection.execute(query)).one_or_none()
    return Step() if row is None else Step(row.last, row.moved, row.done_at is not None)


async def keep_step(connection: AsyncConnection, name: str, step: Step) -> None:
    """Writes down how far a part is, within the transaction that brought it there."""
    done = datetime.now(UTC) if step.is_done else None
    values = {"last": step.last, "moved": step.count, "done_at": done}
    if not await insert_missing(connection, t.transfer, {"name": name, **values}):
        mine = t.transfer.c.name == name
        await connection.execute(update(t.transfer).where(mine).values(**values))
