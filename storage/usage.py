"""UsageRepository: how much people have used, by day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from sqlalchemy import case, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from storage import tables as t
from storage.database import Database, insert_missing
from storage.outages import retried

By = Literal["community", "person", "day"]


@dataclass(frozen=True)
class Used:
    """How much was used of something, by one member and by all of a community."""

    own: int = 0
    all: int = 0


@dataclass(frozen=True)
class UsedRow:
    """A line of a report; what it was not asked by is empty."""

    gallery: str
    member: str
    day: str
    kind: str
    count: int


class UsageRepository:
    """Counters by gallery, member, kind and day (UTC).

    Args:
        database: keeps them.
        kept_days: how long.
    """

    def __init__(self, database: Database, kept_days: int = 92) -> None:
        self._database = database
        self._kept = timedelta(days=kept_days)

    @retried
    async def spend(
        self,
        gallery: str,
        member: str,
        kind: str,
        day: date,
        *,
        each: int = 0,
        every: int = 0,
        work: str = "",
    ) -> str:
        """Counts one more, unless that is too much.

        Args:
            gallery: of which community.
            member: who uses it.
            kind: what is used.
            day: today.
            each: how much a member may use a day; 0 for any.
            every: how much the whole community may use a day; 0 for any.
            work: id of the unfinished work it is used for, which is counted once, however many
                processes have worked on it.

        Returns:
            Empty where it was counted; `each` or `every` where that limit is reached.
        """
        c = t.usage.c
        today = (c.gallery == gallery, c.kind == kind, c.day == day.isoformat())
        mine = (*today, c.member == member)
        paid_for = t.unfinished.c.id == work
        async with self._database.writing() as connection:
            if work:
                known = select(t.unfinished.c.charged).where(paid_for).with_for_update()
                if await connection.scalar(known) is not None:
                    return ""
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
            if work:
                charge = update(t.unfinished).where(paid_for).values(charged=day.isoformat())
                await connection.execute(charge)
            if own == 0:
                await connection.execute(
                    delete(t.usage).where(c.day < (day - self._kept).isoformat())
                )
        return ""

    @retried
    async def add(self, gallery: str, member: str, amounts: Mapping[str, int], day: date) -> None:
        """Counts several things at once, however many do so at the same time.

        Args:
            gallery: for which community.
            member: for whom.
            amounts: how much of each kind.
            day: when.
        """
        rows = [
            {
                "gallery": gallery,
                "member": member,
                "kind": kind,
                "day": day.isoformat(),
                "count": amount,
            }
            # One order for all: who changes the same rows the other way round would wait for ever.
            for kind, amount in sorted(amounts.items())
            if amount > 0
        ]
        if not rows:
            return
        async with self._database.writing() as connection:
            insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
            adding = insert(t.usage).values(rows)
            more = t.usage.c["count"] + adding.excluded["count"]
            await connection.execute(
                adding.on_conflict_do_update(
                    index_elements=t.usage.primary_key, set_={"count": more}
                )
            )

    @retried
    async def day(self, gallery: str, member: str, day: date) -> dict[str, Used]:
        """What a member and the whole community have used on a day, by kind."""
        c = t.usage.c
        own = func.sum(case((c.member == member, c["count"]), else_=0))
        query = select(c.kind, own, func.sum(c["count"])).where(
            c.gallery == gallery, c.day == day.isoformat()
        )
        async with self._database.reading() as connection:
            rows = await connection.execute(query.group_by(c.kind))
            return {kind: Used(int(mine), int(every)) for kind, mine, every in rows}

    @retried
    async def report(
        self, since: date, *, by: By = "community", gallery: str = ""
    ) -> list[UsedRow]:
        """What was used from a day on.

        Args:
            since: the first day.
            by: summed up for each community, each person in it, or each day.
            gallery: of one community only; empty: of all.
        """
        c = t.usage.c
        columns = [c.gallery]
        columns += {"community": [], "person": [c.member], "day": [c.day]}[by]
        query = select(*columns, c.kind, func.sum(c["count"]).label("sum"))
        query = query.where(c.day >= since.isoformat())
        if gallery:
            query = query.where(c.gallery == gallery)
        query = query.group_by(*columns, c.kind).order_by(*columns, c.kind)
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).mappings()
            return [
                UsedRow(
                    row["gallery"],
                    row.get("member", ""),
                    row.get("day", ""),
                    row["kind"],
                    int(row["sum"]),
                )
                for row in rows
            ]

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
