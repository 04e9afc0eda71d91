"""UnfinishedRepository: what a process is making, so that another can go on when it is killed."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import Row, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from personas.errors import NotFoundError
from personas.persona import Frozen, MediaKey
from storage import tables as t
from storage.claims import drop_claim
from storage.collector import Collector
from storage.database import Database, insert_missing
from storage.outages import retried
from storage.owners import Owners

Kind = Literal["creation", "answer"]

_NO_MESSAGES: Mapping[str, Any] = {"message": "", "messages": [], "files": [], "sending": ""}
"""What a body tells of messages, by their ids in its channel, where there are none."""
_AT_ONCE = 25
"""How much one process takes over in one go; the rest waits for its next look, or for others."""


class Unfinished(Frozen):
    """Something that somebody has asked for and that is not there yet."""

    id: str = Field(description="the same for whoever works on it")
    kind: Kind
    gallery: str
    channel: str
    member: str = Field(description="who asked for it, as the platform names them")
    medium: MediaKey | None = Field(default=None, description="the file that came with it")
    charged: bool = Field(default=False, description="it counts on somebody's usage")
    tries: int = Field(default=1, description="how many have worked on it, this one included")
    body: dict[str, Any] = Field(description="what is needed to go on, in the words of who does")
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))


class UnfinishedRepository:
    """What is being made, each by one process.

    Whoever begins something owns it until it ends, is left, or its process does. Nothing that
    another owns is changed: a process that was taken for dead finds that out here.

    Args:
        database: the tables.
        collector: removes files.
        owners: this process, and which others have ended.
    """

    def __init__(self, database: Database, collector: Collector, owners: Owners) -> None:
        self._database = database
        self._collector = collector
        self._owners = owners

    @retried
    async def begin(self, *ones: Unfinished, asked: str = "") -> bool:
        """Writes down what this process begins; False where somebody has begun it before.

        Args:
            ones: what, all in one channel; a medium has been put before, and the claim on it
                ends.
            asked: the message that asks for it, which is taken on once and never again; empty
                where there is none.

        Raises:
            NotFoundError: a medium is not there.
        """
        async with self._database.writing() as connection:
            if asked and not await take_on(connection, ones[0].channel, asked):
                return False
            owner = await self._owners.hold(connection)
            for one in ones:
                row = {**one.model_dump(exclude={"charged"}), "owner": owner}
                if one.medium is not None:
                    medium = select(t.medium.c.key).where(t.medium.c.key == one.medium)
                    if await connection.scalar(medium.with_for_update()) is None:
                        raise NotFoundError("The file that came with it is not kept any more.")
                if not await insert_missing(connection, t.unfinished, row):
                    return False
                if one.medium is not None:
                    await drop_claim(connection, one.medium, owner)
        return True

    @retried
    async def note(self, id: str, **changes: Any) -> bool:
        """Changes what is known of something; False where it is not ours any more."""
        async with self._database.writing() as connection:
            row = await self._mine(connection, id)
            if row is None:
                return False
            await self._change(connection, id, body={**row.body, **changes})
        return True

    @retried
    async def end(self, id: str, *, refund: bool = False) -> bool:
        """Forgets what is finished; False where it is not ours any more.

        Args:
            id: of what.
            refund: nothing came of it, so it does not count on anybody's usage.
        """
        async with self._database.writing() as connection:
            row = await self._mine(connection, id)
            if row is None:
                return False
            if refund:
                await uncharge(connection, row)
            await connection.execute(delete(t.unfinished).where(t.unfinished.c.id == id))
        await self._collector.collect([row.medium] if row.medium else [])
        return True

    @retried
    async def leave(self, id: str) -> None:
        """Leaves something to whoever comes next; this was no try that failed."""
        async with self._database.writing() as connection:
            row = await self._mine(connection, id)
            if row is not None:
                await self._change(connection, id, owner=None, tries=row.tries - 1)

    async def take_over(
        self, kind: Kind, platform: str, takes: Callable[[Unfinished], bool] | None = None
    ) -> builtins.list[Unfinished]:
        """Makes ours what ended processes have left, the oldest first.

        Of several processes that ask at once, one gets it.

        Args:
            kind: of what.
            platform: where, such as `discord`.
            takes: whether this process can go on with it; everything when None.
        """
        c = t.unfinished.c
        here = (c.kind == kind, c.channel.startswith(f"{platform}:", autoescape=True))
        async with self._database.reading() as connection:
            others = or_(c.owner.is_(None), c.owner != self._owners.id)
            query = select(c.id).where(*here, others).limit(1)
            if await connection.scalar(query) is None:
                return []
        await self._owners.bury_dead()
        async with self._database.reading() as connection:
            query = select(t.unfinished).where(*here, c.owner.is_(None))
            rows = (await connection.execute(query.order_by(c.created_at, c.id))).all()
        able = [row for row in rows if takes is None or takes(_unfinished(row))]
        ours = []
        for row in able[:_AT_ONCE]:
            async with self._database.writing() as connection:
                owner = await self._owners.hold(connection)
                # Whoever is later finds another owner, and changes nothing.
                free = (c.id == row.id, c.owner.is_(None), c.tries == row.tries)
                taken = update(t.unfinished).where(*free).values(owner=owner, tries=row.tries + 1)
                if (await connection.execute(taken)).rowcount:
                    ours.append(_unfinished(row).model_copy(update={"tries": row.tries + 1}))
        return ours

    async def _mine(self, connection: AsyncConnection, id: str) -> Row[Any] | None:
        c = t.unfinished.c
        query = select(t.unfinished).where(c.id == id, c.owner == self._owners.id)
        return (await connection.execute(query.with_for_update())).one_or_none()

    async def _change(self, connection: AsyncConnection, id: str, **values: Any) -> None:
        await connection.execute(
            update(t.unfinished).where(t.unfinished.c.id == id).values(**values)
        )


async def take_on(connection: AsyncConnection, channel: str, message: str) -> bool:
    """Takes a message on; False where somebody has, in this process or another."""
    row = {"channel": channel, "message": message, "created_at": datetime.now(UTC)}
    return await insert_missing(connection, t.handled, row)


async def said(connection: AsyncConnection, id: str, owner: str, turn_id: int) -> None:
    """Links unfinished work with what was said for it, as a part of the transaction that says it.

    Raises:
        NotFoundError: another process works on it by now.
    """
    c = t.unfinished.c
    mine = (c.id == id, c.owner == owner)
    body = await connection.scalar(select(c.body).where(*mine).with_for_update())
    if body is None:
        raise NotFoundError("Another process goes on with this answer.")
    changed = update(t.unfinished).where(*mine).values(body={**body, "turn": turn_id})
    await connection.execute(changed)


def without_messages(body: dict[str, Any]) -> dict[str, Any]:
    """A body in a channel that knows none of its messages, neither the question nor the answer."""
    return {**body, **{key: none for key, none in _NO_MESSAGES.items() if key in body}}


async def uncharge(connection: AsyncConnection, row: Row[Any]) -> None:
    """Takes back what something counts on the usage of who asked for it, if it does."""
    if row.charged is None:
        return
    u = t.usage.c
    counted = (
        u.gallery == row.gallery,
        u.member == row.member,
        u.kind == USAGE[row.kind],
        u.day == row.charged,
        u.count > 0,
    )
    await connection.execute(update(t.usage).where(*counted).values(count=u.count - 1))
    mine = t.unfinished.c.id == row.id
    await connection.execute(update(t.unfinished).where(mine).values(charged=None))


USAGE = {"creation": "creation", "answer": "message"}
"""What is counted, by kind."""


def _unfinished(row: Row[Any]) -> Unfinished:
    values = {name: row._mapping[name] for name in Unfinished.model_fields}
    return Unfinished(**{**values, "charged": row.charged is not None})
