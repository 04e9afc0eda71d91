"""ClipExpiry: which clips are too old or too many. Words stay, and portraits are not looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, exists, func, select, update

from personas.persona import MediaKey
from storage import tables as t
from storage.collector import Collector
from storage.database import Database
from storage.outages import retried
from storage.settings import StorageSettings

_BATCH = 200  # clips a transaction
_ROUND = 5_000  # clips that are looked for at once


@dataclass(frozen=True)
class Expired:
    """A clip that goes, from all turns up to the newest that had it then."""

    clip: MediaKey
    newest: int
    gallery: str | None = None


class ClipExpiry:
    """The rules by which clips go: after a time, and the oldest first where there is a limit.

    A clip that several turns share counts once, and as young as the newest of them. The newest
    clip of all, and of each community, stays even where it alone is too large.
    """

    def __init__(self, database: Database, collector: Collector, settings: StorageSettings) -> None:
        self._database = database
        self._collector = collector
        self._days = settings.clips_days
        self._each = settings.clips_community_bytes
        self._total = settings.clips_total_bytes

    async def expire(self) -> int:
        """Takes away the clips that the rules let go; how many.

        Raises:
            UnavailableError: the database cannot be used.
        """
        gone = 0
        if self._days:
            gone += await self._expire_all(_aged(datetime.now(UTC) - timedelta(days=self._days)))
        if self._each:
            gone += await self._expire_all(_past(self._each, by_gallery=True))
        if self._total and await self._size_of_all() > self._total:
            gone += await self._expire_all(_past(self._total, by_gallery=False))
        return gone

    async def _expire_all(self, query: Select[Any]) -> int:
        gone = 0
        while found := await self._find(query.limit(_ROUND)):
            for start in range(0, len(found), _BATCH):
                batch = found[start : start + _BATCH]
                await self._take_away(batch)
                await self._collector.collect(one.clip for one in batch)
            gone += len(found)
        return gone

    @retried
    async def _find(self, query: Select[Any]) -> Sequence[Expired]:
        async with self._database.reading() as connection:
            return [_expired(row) for row in await connection.execute(query)]

    @retried
    async def _take_away(self, clips: Iterable[Expired]) -> None:
        async with self._database.writing() as connection:
            for one in clips:
                mine = update(t.turn).where(t.turn.c.clip == one.clip, t.turn.c.id <= one.newest)
                if one.gallery is not None:
                    theirs = select(t.conversation.c.id).join(t.persona)
                    theirs = theirs.where(t.persona.c.gallery == one.gallery)
                    mine = mine.where(t.turn.c.conversation.in_(theirs))
                await connection.execute(mine.values(clip=None))

    @retried
    async def _size_of_all(self) -> int:
        """Portraits too: an upper bound that is found quickly."""
        async with self._database.reading() as connection:
            return int(await connection.scalar(select(func.sum(t.medium.c.size))) or 0)


def _aged(before: datetime) -> Select[Any]:
    c, other = t.turn.c, t.turn.alias()
    is_used_since = exists().where(other.c.clip == c.clip, other.c.created_at >= before)
    query = select(c.clip, func.max(c.id).label("newest"))
    query = query.where(c.clip.is_not(None), c.created_at < before, ~is_used_since)
    return query.group_by(c.clip)


def _past(limit: int, *, by_gallery: bool) -> Select[Any]:
    """The clips beyond the newest ones that together have `limit` bytes."""
    c = t.turn.c
    scope = [t.persona.c.gallery] if by_gallery else []
    clips = (
        select(*scope, c.clip, func.max(c.id).label("newest"), t.medium.c.size)
        .join(t.medium, t.medium.c.key == c.clip)
        .group_by(*scope, c.clip, t.medium.c.size)
    )
    if by_gallery:
        clips = clips.join(t.conversation, t.conversation.c.id == c.conversation)
        clips = clips.join(t.persona, t.persona.c.id == t.conversation.c.persona)
    each = clips.subquery()
    ordered: dict[str, Any] = {"order_by": each.c.newest.desc()}
    if by_gallery:
        ordered["partition_by"] = each.c.gallery
    counted = select(
        *([each.c.gallery] if by_gallery else []),
        each.c.clip,
        each.c.newest,
        func.sum(each.c.size).over(**ordered, rows=(None, 0)).label("bytes"),
        func.row_number().over(**ordered).label("place"),
    ).subquery()
    return select(counted).where(counted.c.bytes > limit, counted.c.place > 1)


def _expired(row: Row[Any]) -> Expired:
    return Expired(row.clip, row.newest, row._mapping.get("gallery"))
