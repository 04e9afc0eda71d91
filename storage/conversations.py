"""ConversationRepository: what was said, and the clips of it."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from personas.errors import InvalidInputError, NotFoundError
from personas.persona import Frozen, MediaKey, Persona
from storage import tables as t
from storage.claims import drop_claim
from storage.collector import Collector
from storage.database import Database, insert_missing
from storage.media import MediaStore
from storage.outages import retried
from storage.owners import Owners
from storage.unfinished import said

_MAX_CHANNEL = 400
_GONE = "{name} does not exist any more."


class Turn(Frozen):
    """One message of a conversation."""

    id: int | None = Field(default=None, description="given when it is stored; later is larger")
    role: Literal["user", "persona"]
    author: str = Field(default="", description="who wrote it, as the platform names them")
    text: str
    clip: MediaKey | None = None
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))


class Conversation(Frozen):
    """One persona in one channel or chat."""

    id: str
    persona_id: str
    channel: str
    created_at: datetime


def conversation_id(persona_id: str, channel: str) -> str:
    """The id of the conversation of a persona in a channel: always the same."""
    return hashlib.sha256(f"{persona_id}\n{channel}".encode()).hexdigest()[:32]


class ConversationRepository:
    """The conversations of all personas."""

    def __init__(
        self,
        database: Database,
        media: MediaStore,
        collector: Collector,
        owners: Owners,
        *,
        clips_per_conversation: int,
    ) -> None:
        self._database = database
        self._media = media
        self._collector = collector
        self._owners = owners
        self._clips_each = clips_per_conversation

    @retried
    async def open(self, persona: Persona, channel: str) -> Conversation:
        """The conversation of `persona` in `channel`; it begins when it is first opened.

        Raises:
            NotFoundError: the persona is not stored.
        """
        if len(channel) > _MAX_CHANNEL:
            raise InvalidInputError("The name of this channel is too long.")
        id = conversation_id(persona.id, channel)
        found = await self._find(id)
        if found is not None:
            return found
        row = {
            "id": id,
            "persona": persona.id,
            "channel": channel,
            "created_at": datetime.now(UTC),
        }
        async with self._database.writing() as connection:
            try:
                await insert_missing(connection, t.conversation, row)
            except IntegrityError as error:
                raise NotFoundError(_GONE.format(name=persona.personality.name)) from error
        found = await self._find(id)
        if found is None:
            raise NotFoundError(_GONE.format(name=persona.personality.name))
        return found

    @retried
    async def append(self, conversation_id: str, *turns: Turn, work: str = "") -> Turn:
        """Stores what was said, all of it or nothing; the last turn comes back with its id.

        Args:
            conversation_id: which conversation.
            turns: what was said, in order.
            work: id of the unfinished work for which it was said, which knows the last turn then.

        Raises:
            NotFoundError: the conversation was deleted, a clip is not there, or another process
                goes on with the work.
        """
        await self._media.require([turn.clip for turn in turns if turn.clip is not None])
        expired: set[MediaKey] = set()
        id: int | None = None
        async with self._database.writing() as connection:
            for turn in turns:
                try:
                    values = {"conversation": conversation_id, **turn.model_dump(exclude={"id"})}
                    result = await connection.execute(insert(t.turn).values(**values))
                except IntegrityError as error:
                    raise NotFoundError("This conversation does not exist any more.") from error
                id = result.inserted_primary_key[0] if result.inserted_primary_key else None
                expired |= await self._use_clip(connection, conversation_id, turn.clip)
            if work and id is not None:
                await said(connection, work, self._owners.id, id)
        await self._collector.collect(expired)
        return turns[-1].model_copy(update={"id": id})

    @retried
    async def history(
        self, conversation_id: str, limit: int | None = None, before: int | None = None
    ) -> list[Turn]:
        """What was said, newest last.

        Args:
            conversation_id: which conversation.
            limit: only the newest so many.
            before: only turns before the one with this id.
        """
        c = t.turn.c
        query = select(t.turn).where(c.conversation == conversation_id).order_by(c.id.desc())
        if before is not None:
            query = query.where(c.id < before)
        if limit is not None:
            query = query.limit(max(limit, 0))
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        return [_turn(row) for row in reversed(rows)]

    @retried
    async def turn(self, turn_id: int) -> Turn | None:
        """The turn with this id, in whatever conversation."""
        async with self._database.reading() as connection:
            query = select(t.turn).where(t.turn.c.id == turn_id)
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else _turn(row)

    @retried
    async def attach_clip(self, turn_id: int, key: MediaKey) -> None:
        """Gives a turn its clip, which has been put before; an older clip of it is deleted.

        Raises:
            NotFoundError: the turn was deleted, or the clip is not there.
        """
        await self._media.require([key])
        async with self._database.writing() as connection:
            row = await self._turn_row(connection, turn_id)
            await connection.execute(update(t.turn).where(t.turn.c.id == turn_id).values(clip=key))
            expired = await self._use_clip(connection, row.conversation, key)
        replaced = {row.clip} if row.clip else set()
        await self._collector.collect((expired | replaced) - {key})

    @retried
    async def replace(self, turn_id: int, text: str) -> Turn:
        """Changes what a turn says; its clip, which said something else, goes.

        Raises:
            NotFoundError: the turn was deleted.
        """
        async with self._database.writing() as connection:
            row = await self._turn_row(connection, turn_id)
            values: dict[str, Any] = {"text": text, "clip": None}
            await connection.execute(update(t.turn).where(t.turn.c.id == turn_id).values(**values))
        await self._collector.collect([row.clip] if row.clip else [])
        return _turn(row).model_copy(update=values)

    @retried
    async def delete(self, turn_id: int) -> None:
        """Deletes one turn and its clip. A turn that is not there is no error."""
        async with self._database.writing() as connection:
            clip = await connection.scalar(select(t.turn.c.clip).where(t.turn.c.id == turn_id))
            await connection.execute(delete(t.turn).where(t.turn.c.id == turn_id))
        await self._collector.collect([clip] if clip else [])

    @retried
    async def forget(self, conversation_id: str) -> None:
        """Deletes all that was said in a conversation, and its clips."""
        async with self._database.writing() as connection:
            mine = t.turn.c.conversation == conversation_id
            clips = select(t.turn.c.clip).where(mine, t.turn.c.clip.is_not(None)).distinct()
            keys = list(await connection.scalars(clips))
            await connection.execute(delete(t.turn).where(mine))
        await self._collector.collect(keys)

    @retried
    async def _find(self, id: str) -> Conversation | None:
        c = t.conversation.c
        query = select(c.id, c.persona.label("persona_id"), c.channel, c.created_at)
        async with self._database.reading() as connection:
            row = (await connection.execute(query.where(c.id == id))).one_or_none()
        return None if row is None else Conversation(**row._mapping)

    async def _turn_row(self, connection: AsyncConnection, turn_id: int) -> Row[Any]:
        query = select(t.turn).where(t.turn.c.id == turn_id).with_for_update()
        row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise NotFoundError("This message does not exist any more.")
        return row

    async def _use_clip(
        self, connection: AsyncConnection, conversation_id: str, key: MediaKey | None
    ) -> set[MediaKey]:
        """Ends the claim on a clip now in use, and expires old clips; returns those."""
        if key is None:
            return set()
        await drop_claim(connection, key, self._owners.id)
        old = await self._too_many(connection, conversation_id)
        turns = [turn for turn, clip in old if clip != key]
        await connection.execute(update(t.turn).where(t.turn.c.id.in_(turns)).values(clip=None))
        return {clip for _, clip in old if clip != key}

    async def _too_many(
        self, connection: AsyncConnection, conversation_id: str
    ) -> set[tuple[int, MediaKey]]:
        """The turns, with their clips, that are past the newest so many of a conversation."""
        if not self._clips_each:
            return set()
        c = t.turn.c
        with_clip = (c.conversation == conversation_id, c.clip.is_not(None))
        query = select(c.id, c.clip).where(*with_clip).order_by(c.id.desc())
        rows = await connection.execute(query.offset(self._clips_each))
        return {(row.id, row.clip) for row in rows}


def _turn(row: Row[Any]) -> Turn:
    return Turn(**{name: row._mapping[name] for name in Turn.model_fields})
