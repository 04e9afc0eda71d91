"""ChannelRepository: who lives in a channel, how answers are there, and what was posted."""

from __future__ import annotations

import builtins
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import Row, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from personas.errors import NotFoundError
from personas.persona import Frozen
from storage import tables as t
from storage.conversations import conversation_id
from storage.database import Database, insert_missing
from storage.outages import retried
from storage.unfinished import take_on, without_messages

_REMEMBERED = timedelta(days=2)
"""How long a message is known to have been handled; no platform delivers one again later."""


class Resident(Frozen):
    """A persona that lives in a channel."""

    persona_id: str
    triggers: tuple[str, ...] = Field(default=(), description="words it answers to")


class Post(Frozen):
    """A message of the platform that a persona's answer has become."""

    channel: str
    message: str
    persona_id: str
    kind: Literal["text", "file"] = Field(
        default="text", description="a file is a clip or a sound in a message of its own"
    )
    turn_id: int | None = Field(default=None, description="what was said; None once forgotten")
    question: str = Field(default="", description="the message that was answered")
    asked_by: str = Field(default="", description="who asked, as the platform names them")


class ChannelRepository:
    """Channels by their id, such as `discord:42`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @retried
    async def mode(self, channel: str) -> str | None:
        """How answers are in this channel; None where nobody has chosen."""
        return await self._chosen(channel, "mode")

    @retried
    async def set_mode(self, channel: str, mode: str | None) -> None:
        """Chooses how answers are; None leaves it open again."""
        await self._choose(channel, "mode", mode)

    @retried
    async def form(self, channel: str) -> str | None:
        """How clips look in this channel, in the adapter's words; None: as usual."""
        return await self._chosen(channel, "form")

    @retried
    async def set_form(self, channel: str, form: str | None) -> None:
        """Chooses how clips look; None leaves it open again."""
        await self._choose(channel, "form", form)

    @retried
    async def residents(self, channel: str) -> builtins.list[Resident]:
        """Who lives in a channel, first come first."""
        c = t.resident.c
        query = select(c.persona, c.triggers).where(c.channel == channel)
        async with self._database.reading() as connection:
            rows = await connection.execute(query.order_by(c.created_at, c.persona))
            return [Resident(persona_id=row.persona, triggers=row.triggers) for row in rows]

    @retried
    async def settle(self, channel: str, resident: Resident) -> None:
        """Lets a persona live in a channel, or changes what it answers to there.

        A thread that was quiet is not quiet any more.

        Raises:
            NotFoundError: the persona is not stored.
        """
        c = t.resident.c
        values = {"triggers": list(resident.triggers)}
        row = {
            "channel": channel,
            "persona": resident.persona_id,
            "created_at": datetime.now(UTC),
            **values,
        }
        async with self._database.writing() as connection:
            await _require_persona(connection, resident.persona_id)
            if not await insert_missing(connection, t.resident, row):
                mine = (c.channel == channel, c.persona == resident.persona_id)
                await connection.execute(update(t.resident).where(*mine).values(**values))
            spoken = t.channel.c.id == channel
            await connection.execute(update(t.channel).where(spoken).values(quiet=None))

    @retried
    async def leave(self, channel: str, persona_id: str | None = None) -> int:
        """Lets a persona, or everybody, leave a channel; how many left."""
        query = delete(t.resident).where(t.resident.c.channel == channel)
        if persona_id is not None:
            query = query.where(t.resident.c.persona == persona_id)
        async with self._database.writing() as connection:
            return (await connection.execute(query)).rowcount

    @retried
    async def quiet(self, channel: str) -> bool:
        """Whether those who live in the channel that this thread belongs to say nothing here."""
        query = select(t.channel.c.quiet).where(t.channel.c.id == channel)
        async with self._database.reading() as connection:
            return bool(await connection.scalar(query))

    @retried
    async def hush(self, channel: str) -> None:
        """Makes a thread quiet until somebody lives in it."""
        await self._choose(channel, "quiet", True)

    @retried
    async def handle(self, channel: str, message: str) -> bool:
        """Takes a message on; False where somebody has, in this process or another."""
        async with self._database.writing() as connection:
            return await take_on(connection, channel, message)

    @retried
    async def tidy(self) -> int:
        """Forgets messages that no platform delivers any more; how many."""
        old = t.handled.c.created_at < datetime.now(UTC) - _REMEMBERED
        async with self._database.writing() as connection:
            return (await connection.execute(delete(t.handled).where(old))).rowcount

    @retried
    async def posted(self, post: Post) -> None:
        """Remembers a message; posting it again replaces what was known of it.

        Raises:
            NotFoundError: the persona was deleted.
        """
        values = {
            "persona": post.persona_id,
            "turn": post.turn_id,
            "kind": post.kind,
            "question": post.question,
            "asked_by": post.asked_by,
        }
        key = {"channel": post.channel, "message": post.message}
        async with self._database.writing() as connection:
            await _require_persona(connection, post.persona_id)
            if post.turn_id is not None:
                turn = select(t.turn.c.id).where(t.turn.c.id == post.turn_id)
                values["turn"] = await connection.scalar(turn)
            row = {**key, **values, "created_at": datetime.now(UTC)}
            if not await insert_missing(connection, t.post, row):
                await connection.execute(update(t.post).where(*_is(**key)).values(**values))

    @retried
    async def post(self, channel: str, message: str) -> Post | None:
        """What is known of a message; None where no persona wrote it."""
        async with self._database.reading() as connection:
            query = select(t.post).where(*_is(channel=channel, message=message))
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else _post(row)

    @retried
    async def posts(
        self, channel: str, *, question: str = "", turn_id: int | None = None
    ) -> builtins.list[Post]:
        """The messages that answer a question, or that a turn has become, in their order."""
        c = t.post.c
        query = select(t.post).where(c.channel == channel)
        if question:
            query = query.where(c.question == question)
        if turn_id is not None:
            query = query.where(c.turn == turn_id)
        async with self._database.reading() as connection:
            rows = await connection.execute(query.order_by(c.created_at, c.message))
            return [_post(row) for row in rows]

    @retried
    async def last_post(self, channel: str) -> Post | None:
        """The newest message of any persona in a channel."""
        c = t.post.c
        query = select(t.post).where(c.channel == channel)
        async with self._database.reading() as connection:
            rows = await connection.execute(
                query.order_by(c.created_at.desc(), c.message.desc()).limit(1)
            )
            row = rows.one_or_none()
        return None if row is None else _post(row)

    @retried
    async def unpost(self, channel: str, message: str) -> None:
        """Forgets a message. One that is not known is no error."""
        async with self._database.writing() as connection:
            await connection.execute(delete(t.post).where(*_is(channel=channel, message=message)))

    @retried
    async def move(self, old: str, new: str) -> None:
        """Gives a channel, and the topics within it (`old:...`), another id.

        What the new channel has by then is kept; where both have the same, the old one's wins. The
        new one numbers its messages anew, so what is known of old messages by their ids is
        forgotten: it would be taken for something about new ones.
        """
        async with self._database.writing() as connection:
            for table, column in ((t.channel, t.channel.c.id), (t.resident, t.resident.c.channel)):
                for channel in await _within(connection, column, old):
                    await _rename(
                        connection, table, column.name, channel, new + channel[len(old) :]
                    )
            for table in (t.post, t.handled):
                await connection.execute(delete(table).where(_is_within(table.c.channel, old)))
            await _move_unfinished(connection, old, new)
            for channel in await _within(connection, t.conversation.c.channel, old):
                await _move_conversations(connection, channel, new + channel[len(old) :])

    @retried
    async def _chosen(self, channel: str, what: str) -> str | None:
        query = select(t.channel.c[what]).where(t.channel.c.id == channel)
        async with self._database.reading() as connection:
            return await connection.scalar(query)

    @retried
    async def _choose(self, channel: str, what: str, value: str | bool | None) -> None:
        row = {"id": channel, what: value, "created_at": datetime.now(UTC)}
        async with self._database.writing() as connection:
            if not await insert_missing(connection, t.channel, row):
                mine = t.channel.c.id == channel
                await connection.execute(update(t.channel).where(mine).values({what: value}))


async def _require_persona(connection: AsyncConnection, persona_id: str) -> None:
    query = select(t.persona.c.id).where(t.persona.c.id == persona_id)
    if await connection.scalar(query) is None:
        raise NotFoundError("This persona does not exist any more.")


def _is_within(column: Any, channel: str) -> Any:
    return (column == channel) | column.startswith(f"{channel}:", autoescape=True)


async def _within(connection: AsyncConnection, column: Any, channel: str) -> set[str]:
    return set(await connection.scalars(select(column).where(_is_within(column, channel))))


async def _rename(connection: AsyncConnection, table: Any, column: str, old: str, new: str) -> None:
    """Moves the rows of one channel, over what the new one has under the same keys."""
    rows = (await connection.execute(select(table).where(table.c[column] == old))).all()
    await connection.execute(delete(table).where(table.c[column] == old))
    for row in rows:
        moved = {**row._mapping, column: new}
        same = [table.c[key.name] == moved[key.name] for key in table.primary_key]
        await connection.execute(delete(table).where(*same))
        await connection.execute(table.insert().values(**moved))


async def _move_unfinished(connection: AsyncConnection, old: str, new: str) -> None:
    """What is unfinished goes on in the new channel, in messages of its own."""
    c = t.unfinished.c
    query = select(c.id, c.channel, c.body).where(_is_within(c.channel, old)).with_for_update()
    for row in (await connection.execute(query)).all():
        moved = {"channel": new + row.channel[len(old) :], "body": without_messages(row.body)}
        await connection.execute(update(t.unfinished).where(c.id == row.id).values(**moved))


async def _move_conversations(connection: AsyncConnection, old: str, new: str) -> None:
    """A conversation's id is made of its channel, so its turns go to a new conversation."""
    c = t.conversation.c
    for row in (await connection.execute(select(t.conversation).where(c.channel == old))).all():
        id = conversation_id(row.persona, new)
        await insert_missing(connection, t.conversation, {**row._mapping, "id": id, "channel": new})
        mine = t.turn.c.conversation == row.id
        await connection.execute(update(t.turn).where(mine).values(conversation=id))
        await connection.execute(delete(t.conversation).where(c.id == row.id))


def _is(channel: str, message: str) -> tuple[Any, Any]:
    return t.post.c.channel == channel, t.post.c.message == message


def _post(row: Row[Any]) -> Post:
    return Post(
        channel=row.channel,
        message=row.message,
        persona_id=row.persona,
        turn_id=row.turn,
        kind=row.kind,
        question=row.question,
        asked_by=row.asked_by,
    )
