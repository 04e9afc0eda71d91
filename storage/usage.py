"""UsageRepository: how much people have used, by day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import delete, func, select, update

from storage import tables as t
from storage.database import Database, insert_missing
from storage.outages import retried

_KEPT = timedelta(days=60)


class UsageRepository:
    """Counters by gallery, member, kind and day (UTC)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @retried
    async def spend(
        self, gallery: str, member: str, kind: str, day: date, *, each: int = 0, every: int = 0
    ) -> str:
        """Counts one more, unless that is too much.

        Args:
            gallery: of which community.
            member: who uses it.
            kind: what is used.
            day: today.
            each: how much a member may use a day; 0 for any.
            every: how much the whole community may use a day; 0 for any.

        Returns:
            Empty where it was counted; `each` or `every` where that limit is reached.
        """
        c = t.usage.c
        today = (c.gallery == gallery, c.kind == kind, c.day == day.isoformat())
        mine = (*today, c.member == member)
        async with self._database.writing() as connection:
            row = {"gallery": gallery, "member": member, "kind": kind, "day": day.isoformat()}
            await insert_missing(connection, t.usage, {**row, "count": 0})
            own = await connection.scalar(select(c.count).where(*mine).with_for_update()) or 0
            if each and own >= each:
                return "each"
            if every:
                used = await connection.scalar(select(func.sum(c.count)).where(*today)) or 0
                if used >= every:
                    return "every"
            await connection.execute(update(t.usage).where(*mine).values(count=own + 1))
            if own == 0:
                await connection.execute(delete(t.usage).where(c.day < (day - _KEPT).isoformat()))
        return ""

    @retried
    async def refund(self, gallery: str, member: str, kind: str, day: date) -> None:
        """Takes one back, because nothing came of it."""
        c = t.usage.c
        mine = (
            c.gallery == gallery,
            c.member == member,
            c.kind == kind,
            c.day == day.isoformat(),
            c.count > 0,
        )
        async with self._database.writing() as connection:
            await connection.execute(update(t.usage).where(*mine).values(count=c.count - 1))

    @retried
    async def used(
        self, gallery: str, kind: str, day: date | None = None, member: str | None = None
    ) -> int:
        """How much was used on a day (today when None), by one member or by all."""
        c = t.usage.c
        day = day or datetime.now(UTC).date()
        query = select(func.sum(c.count)).where(
            c.gallery == gallery, c.kind == kind, c.day == day.isoformat()
        )
        if member is not None:
            query = query.where(c.member == member)
        async with self._database.reading() as connection:
            return await connection.scalar(query) or 0
