"""Pending answers: written down until they are delivered whole, so that none is lost or doubled."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from bot.chat.base import Before, GoneError, IncomingMessage, Person, Place
from bot.chat.settings import ChatSettings
from personas.persona import Frozen, Persona

if TYPE_CHECKING:
    from storage.store import Storage
    from storage.unfinished import Unfinished, UnfinishedRepository

log = logging.getLogger(__name__)


class Question(Frozen):
    """A message that one persona answers, and how far the answer is, as it is written down."""

    place: Place
    person: Person
    text: str
    message: str = Field(description="its id; empty where its channel has another id since")
    persona_id: str
    sound: str = Field(default="", description="the adapter's word for the recording")
    sound_seconds: float = 0.0
    sound_size: int = 0
    silent: bool = Field(default=False, description="a recording is written down, not answered")
    heard: str = Field(default="", description="what was understood; quoted by now")
    messages: tuple[str, ...] = Field(
        default=(), description="what the text has become; empty where an id is not known"
    )
    files: tuple[str, ...] = Field(default=(), description="messages with a clip or sound alone")
    sending: Literal["", "text", "file"] = Field(
        default="", description="is on its way, and can be asked for by nobody"
    )
    turn: int | None = Field(default=None, description="the answer, once its text is stored")


class Pending:
    """An answer that is written down; the `Journal` of its outlet.

    Args:
        unfinished: where it is written down.
        row: as it is there.
        settings: how long, and how often, an answer is tried.
        again: another process has begun it.

    Attributes:
        id: the same for each process that works on it.
        question: what is answered, and how far that is.
        again: another process has begun it.
    """

    def __init__(
        self,
        unfinished: UnfinishedRepository,
        row: Unfinished,
        settings: ChatSettings,
        *,
        again: bool = False,
    ) -> None:
        self._unfinished = unfinished
        self._row = row
        self._settings = settings
        self.id = row.id
        self.again = again
        self.question = _question(row)

    @property
    def before(self) -> Before:
        """What is there of it already."""
        asked = self.question
        lost = ("",) if asked.sending == "text" else ()
        return Before((*asked.messages, *lost), answer=self.id, journal=self, again=self.again)

    @property
    def is_begun(self) -> bool:
        """Whether people have seen something of it."""
        asked = self.question
        return bool(asked.messages or asked.turn or asked.sending)

    @property
    def is_text_only(self) -> bool:
        """Whether it needs no clip: that is there, or may be, or nobody waits for it any more."""
        sent = bool(self.question.files) or self.question.sending == "file"
        return self.again and (sent or self.is_late)

    @property
    def is_late(self) -> bool:
        """Whether nobody waits for it any more."""
        return self._age > timedelta(minutes=self._settings.answer_minutes)

    @property
    def is_hopeless(self) -> bool:
        """Whether it was tried too often, or is too old for anything."""
        hours = self._settings.unfinished_hours
        return self._row.tries > self._settings.unfinished_tries or self._age > timedelta(
            hours=hours
        )

    @property
    def _age(self) -> timedelta:
        return datetime.now(UTC) - self._row.created_at

    async def sending(self, kind: Literal["", "text", "file"]) -> None:
        """Something is on its way that nobody can ask the platform for."""
        await self.note(sending=kind)

    async def sent(self, kind: Literal["text", "file"], message: str) -> None:
        """A message is there; its id is empty where it is not known."""
        asked = self.question
        where = "messages" if kind == "text" else "files"
        known: tuple[str, ...] = getattr(asked, where)
        await self.note(sending="", **{where: (*known, message)})

    async def note(self, **changes: Any) -> None:
        """Writes down how far it is.

        Raises:
            GoneError: another process goes on with it.
        """
        self.question = self.question.model_copy(update=changes)
        plain = {key: list(one) if isinstance(one, tuple) else one for key, one in changes.items()}
        if not await self._unfinished.note(self.id, **plain):
            raise GoneError("Another process goes on with this answer.")

    async def end(self, *, refund: bool = False) -> None:
        """It is delivered, or never will be."""
        await self._unfinished.end(self.id, refund=refund)

    async def leave(self) -> None:
        """Leaves it to whoever comes next, or to a later look."""
        await self._unfinished.leave(self.id)


class Pendings:
    """The answers that are written down.

    Args:
        storage: where.
        settings: how long, and how often, an answer is tried.
    """

    def __init__(self, storage: Storage, settings: ChatSettings) -> None:
        self._unfinished = storage.unfinished
        self._settings = settings

    async def begin(
        self, message: IncomingMessage, personas: Iterable[Persona], *, silent: bool
    ) -> list[Pending]:
        """Takes a message on, for each persona that answers; nothing where somebody has."""
        from storage.unfinished import Unfinished

        rows, place, sound = [], message.place, message.sound
        for persona in personas:
            question = Question(
                place=place,
                person=message.author,
                text=message.text,
                message=message.id,
                persona_id=persona.id,
                sound=sound.name if sound is not None else "",
                sound_seconds=sound.seconds if sound is not None else 0.0,
                sound_size=sound.size if sound is not None else 0,
                silent=silent,
            )
            told = f"{place.channel}\n{message.id}\n{persona.id}".encode()
            rows.append(
                Unfinished(
                    id=hashlib.sha256(told).hexdigest()[:32],
                    kind="answer",
                    gallery=place.gallery,
                    channel=place.channel,
                    member=message.author.id,
                    body=question.model_dump(mode="json"),
                )
            )
        if not await self._unfinished.begin(*rows, asked=message.id):
            return []
        return [Pending(self._unfinished, row, self._settings) for row in rows]

    async def take_over(
        self, platform: str, takes: Callable[[Place], bool] | None = None
    ) -> list[Pending]:
        """What processes that have ended were answering on a platform; ours from now on.

        Args:
            platform: such as `discord`.
            takes: whether this process can answer there; everything when None.
        """

        def fits(row: Unfinished) -> bool:
            return takes is None or takes(_question(row).place)

        rows = await self._unfinished.take_over("answer", platform, fits)
        return [Pending(self._unfinished, row, self._settings, again=True) for row in rows]


def _question(row: Unfinished) -> Question:
    """The question of a row. Where it was asked may have moved since."""
    question = Question.model_validate(row.body)
    place = replace(question.place, gallery=row.gallery, channel=row.channel)
    return question.model_copy(update={"place": place})
