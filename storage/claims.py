"""Claims on media: who has put something that is not yet used."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from personas.persona import MediaKey
from storage import tables as t
from storage.database import insert_missing


async def claim(connection: AsyncConnection, key: MediaKey, owner: str) -> None:
    """Adds a claim of `owner` (as `Owners.hold` gave it); there may be several on a medium."""
    row = {"medium": key, "owner": owner, "since": datetime.now(UTC)}
    await connection.execute(t.lease.insert().values(**row))


async def drop_claim(connection: AsyncConnection, key: MediaKey, owner: str) -> None:
    """Ends the oldest claim of `owner` on a medium, if there is one."""
    mine = select(t.lease.c.id).where(t.lease.c.medium == key, t.lease.c.owner == owner)
    # Two tasks that end a claim each must not pick the same one (PostgreSQL).
    oldest = mine.order_by(t.lease.c.id).limit(1).with_for_update(skip_locked=True)
    id = await connection.scalar(oldest)
    if id is not None:
        await connection.execute(delete(t.lease).where(t.lease.c.id == id))


async def reserve(connection: AsyncConnection, key: MediaKey, seconds: float) -> None:
    """Keeps a medium for so long, whoever is gone; what is longer already stays."""
    until = datetime.now(UTC) + timedelta(seconds=seconds)
    await insert_missing(connection, t.reservation, {"medium": key, "until": until})
    mine = (t.reservation.c.medium == key, t.reservation.c.until < until)
    await connection.execute(update(t.reservation).where(*mine).values(until=until))
