"""Message in, answer out: text at once, then speech, then a clip."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakValueDictionary

from engine.answer import Answer, AnswerWriter, Question
from engine.events import (
    ReplyEvent,
    ReplyFailed,
    TextDelta,
    TextReady,
)
from engine.jobs.asking import Asker
from engine.jobs.base import Priority
from engine.jobs.factory import local_studio
from engine.llm.base import LanguageModel
from engine.newest import Newest
from engine.observing import NOBODY, Observer
from engine.performing import UNEXPECTED, Performer
from engine.settings import ConversationSettings, Mode
from engine.speaking import Encode, Speaking
from engine.speech.base import SpeechSynthesizer
from engine.stopwatch import Stopwatch
from engine.studio import Studio
from engine.talkinghead.base import TalkingHead
from personas.errors import ChatAnythingError, InvalidInputError, NotFoundError
from personas.persona import Persona
from personas.text import clean, within

if TYPE_CHECKING:
    from storage.conversations import Turn
    from storage.store import Storage

__all__ = ["ConversationSettings", "Conversations", "Mode"]

log = logging.getLogger(__name__)

_HISTORY_TURNS = 200
"""Turns that are looked at; more than any budget of tokens holds."""
_MAX_MESSAGE = 32_000
_CHARACTERS_A_SECOND = 15
"""Of speech, about."""


class Conversations:
    """Answers messages in the name of personas.

    In one conversation one text is written at a time, in the order in which the messages came;
    clips follow when they are done and hold up no text. A clip that nobody has begun when who asked
    for it says something newer is not made.

    Args:
        model: writes.
        synthesizer: speaks, where no `studio` has it done.
        head: moves the face, likewise.
        encode: makes the video, likewise.
        storage: where it is all kept.
        settings: how answers are.
        observer: told how long each stage takes, and how the machines work.
        studio: has speeches and clips made, here or elsewhere; one of this process when None.
    """

    def __init__(
        self,
        model: LanguageModel,
        synthesizer: SpeechSynthesizer | None,
        head: TalkingHead[Any] | None,
        encode: Encode | None,
        storage: Storage,
        settings: ConversationSettings,
        *,
        observer: Observer = NOBODY,
        studio: Studio | None = None,
    ) -> None:
        self._observer = observer
        self._storage = storage
        self._settings = settings
        self._writer = AnswerWriter(
            model, settings.history_tokens, settings.reply_tokens, settings.temperature
        )
        if studio is None:
            assert synthesizer is not None and head is not None and encode is not None
            speaking = Speaking(synthesizer, head, encode, storage.media, observer=observer)
            studio = local_studio(
                storage,
                speaking=speaking,
                clips_at_once=settings.clips_at_once,
                observer=observer,
            )
        self._studio = studio
        self._performer = Performer(studio, storage)
        self._ahead: set[asyncio.Task[None]] = set()
        self._writing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._newest = Newest()

    @property
    def devices(self) -> dict[str, str]:
        """What voices and clips keep busy: cpu, cuda; empty for what is done elsewhere."""
        return self._studio.devices

    async def begin(self, persona: Persona, channel: str) -> Turn | None:
        """Begins a conversation with the persona's greeting; None where it has begun before.

        Raises:
            NotFoundError: the persona is not stored.
        """
        async with self._lock(persona, channel):
            conversation = await self._storage.conversations.open(persona, channel)
            if await self._storage.conversations.history(conversation.id, limit=1):
                return None
            self._in_background(self._writer.read_ahead(persona))
            greeting = _turn("persona", persona.personality.greeting)
            return await self._storage.conversations.append(conversation.id, greeting)

    async def reply(
        self,
        persona: Persona,
        channel: str,
        message: str,
        author: str = "",
        *,
        mode: Mode | None = None,
        max_seconds: float | None = None,
        work: str = "",
    ) -> AsyncGenerator[ReplyEvent]:
        """Answers `message`; text never waits for the clip.

        The last event is `ReplyFailed`, or else by mode: `TextReady`; `SpeechReady` or
        `ClipFailed`; `ClipReady` or `ClipFailed`. Closing the iterator stops everything at
        once; what was shown by then is kept as the answer.

        Args:
            persona: who answers.
            channel: where, as the platform names it: one persona has one conversation in each.
            message: what was said to it.
            author: by whom.
            mode: what the answer is; as set when None.
            max_seconds: about how much of it is spoken, in whole sentences; as set when None.
            work: id of the unfinished work that this is, which knows the answer's turn as soon as
                there is one.
        """
        kept = self._storage.conversations

        async def ask() -> tuple[Question, Callable[[str], Awaitable[Turn]]]:
            text = clean(message[:_MAX_MESSAGE])
            if not text:
                raise InvalidInputError("There is nothing to answer in an empty message.")
            conversation = await kept.open(persona, channel)
            history = await kept.history(conversation.id, limit=_HISTORY_TURNS)
            new: list[Turn] = []
            if not history:
                new = history = [_turn("persona", persona.personality.greeting)]
            said_by = clean(author)
            new = [*new, _turn("user", text, said_by)]

            async def keep(answer: str) -> Turn:
                turns = (*new, _turn("persona", answer))
                return await kept.append(conversation.id, *turns, work=work)

            return Question(conversation.id, text, said_by, history), keep

        person = clean(author)[:100]
        with self._newest.of(f"{persona.id}\n{channel}\n{person}") as overtaken:
            asker = Asker(persona.gallery, person, moved_on=overtaken)
            async with contextlib.aclosing(
                self._answer(persona, channel, ask, mode, max_seconds, asker)
            ) as events:
                async for event in events:
                    yield event

    async def regenerate(
        self,
        persona: Persona,
        channel: str,
        turn_id: int,
        *,
        message: str | None = None,
        mode: Mode | None = None,
        max_seconds: float | None = None,
    ) -> AsyncGenerator[ReplyEvent]:
        """Answers again in place of an answer; what is said from now on follows the new one.

        The events are those of `reply`; `ReplyFailed` leaves the old answer as it was.

        Args:
            persona: whose answer it is.
            channel: where it was given.
            turn_id: the answer.
            message: what is asked instead of what was asked; the same when None.
            mode: what the answer is; as set when None.
            max_seconds: about how much of it is spoken; as set when None.
        """
        kept = self._storage.conversations

        async def ask() -> tuple[Question, Callable[[str], Awaitable[Turn]]]:
            conversation = await kept.open(persona, channel)
            turns = await kept.history(
                conversation.id, limit=_HISTORY_TURNS + 2, before=turn_id + 1
            )
            if len(turns) < 2 or turns[-1].id != turn_id or turns[-1].role != "persona":
                raise NotFoundError("This answer is not remembered any more.")
            *history, asked, old = turns
            if asked.role != "user":
                raise InvalidInputError("Nobody asked for this, so there is no other answer.")

            text = asked.text if message is None else clean(message[:_MAX_MESSAGE])

            async def keep(answer: str) -> Turn:
                if text != asked.text and asked.id is not None:
                    await kept.replace(asked.id, text)
                return await kept.replace(turn_id, answer)

            question = Question(conversation.id, text, asked.author, history, old.text)
            return question, keep

        asker = Asker(persona.gallery, priority=Priority.AGAIN)
        async with contextlib.aclosing(
            self._answer(persona, channel, ask, mode, max_seconds, asker)
        ) as events:
            async for event in events:
                yield event

    async def go_on(
        self,
        persona: Persona,
        turn_id: int,
        *,
        mode: Mode | None = None,
        max_seconds: float | None = None,
    ) -> AsyncGenerator[ReplyEvent]:
        """Goes on with an answer whose text is stored: the events of `reply` from its end on.

        Args:
            persona: whose answer it is.
            turn_id: the answer.
            mode: what the answer is; as set when None.
            max_seconds: about how much of it is spoken; as set when None.
        """
        turn = await self._storage.conversations.turn(turn_id)
        if turn is None:
            yield ReplyFailed("This answer is not remembered any more.")
            return
        yield TextReady(turn.text, {}, turn_id)
        text = _spoken(turn.text, max_seconds)
        mode, watch = mode or self._settings.mode, Stopwatch(self._observer)
        asker = Asker(persona.gallery)
        async with contextlib.aclosing(
            self._performer.perform(persona, text, mode, watch, turn_id, asker)
        ) as events:
            async for event in events:
                yield event

    async def perform(
        self, persona: Persona, text: str, *, mode: Mode = "clip"
    ) -> AsyncGenerator[ReplyEvent]:
        """Says `text` as it is, in no conversation: `SpeechReady`, then `ClipReady`.

        A `ClipFailed` says what went wrong instead.
        """
        watch = Stopwatch(self._observer)
        asker = Asker(persona.gallery)
        async with contextlib.aclosing(
            self._performer.perform(persona, text, mode, watch, None, asker)
        ) as events:
            async for event in events:
                yield event

    async def last_answer(self, persona: Persona, channel: str) -> int | None:
        """The newest turn of a conversation, if it is the persona's."""
        from storage.conversations import conversation_id

        id = conversation_id(persona.id, channel)
        turns = await self._storage.conversations.history(id, limit=1)
        return turns[0].id if turns and turns[0].role == "persona" else None

    async def asked(self, persona: Persona, channel: str, turn_id: int) -> str | None:
        """What was said that a turn answers; None where nobody said anything."""
        from storage.conversations import conversation_id

        id = conversation_id(persona.id, channel)
        turns = await self._storage.conversations.history(id, limit=2, before=turn_id + 1)
        if len(turns) < 2 or turns[1].id != turn_id or turns[0].role != "user":
            return None
        return turns[0].text

    async def take_back(self, persona: Persona, channel: str, turn_id: int) -> None:
        """Deletes an answer and the message that it answers, as if they had not been said."""
        kept = self._storage.conversations
        async with self._lock(persona, channel):
            conversation = await kept.open(persona, channel)
            turns = await kept.history(conversation.id, limit=2, before=turn_id + 1)
            if not turns or turns[-1].id != turn_id:
                return
            if len(turns) == 2 and turns[0].role == "user" and turns[0].id is not None:
                await kept.delete(turns[0].id)
            await kept.delete(turn_id)

    async def forget(self, persona: Persona, channel: str) -> None:
        """Deletes all that was said with a persona in a channel, and the model's memory of it.

        Raises:
            NotFoundError: the persona is not stored.
        """
        async with self._lock(persona, channel):
            conversation = await self._storage.conversations.open(persona, channel)
            await self._storage.conversations.forget(conversation.id)
            await self._writer.forget(conversation.id)

    async def _answer(
        self,
        persona: Persona,
        channel: str,
        ask: Callable[[], Awaitable[tuple[Question, Callable[[str], Awaitable[Turn]]]]],
        mode: Mode | None,
        max_seconds: float | None,
        asker: Asker,
    ) -> AsyncGenerator[ReplyEvent]:
        """The events of an answer to what `ask` gives once it is this message's turn."""
        mode = mode or self._settings.mode
        watch, answer = Stopwatch(self._observer), Answer()
        begun = asyncio.Event()
        if mode != "text":
            self._in_background(self._get_ready(persona, mode, begun))
        try:
            # The place in the queue is taken before anything is waited for.
            async with self._lock(persona, channel):
                question, keep = await ask()
                writing = self._write(persona, question, keep, answer, watch)
                async with contextlib.aclosing(writing) as pieces:
                    async for piece in pieces:
                        begun.set()
                        yield TextDelta(piece)
        except ChatAnythingError as error:
            log.warning("No reply of %s: %s", persona.slug, error, exc_info=error)
            yield ReplyFailed(str(error))
            return
        except Exception:
            log.exception("No reply of %s", persona.slug)
            yield ReplyFailed(UNEXPECTED)
            return
        finally:
            begun.set()
        assert answer.turn is not None
        text, turn = answer.turn.text, answer.turn
        yield TextReady(text, dict(watch.seconds), turn.id)
        text = _spoken(text, max_seconds)
        async with contextlib.aclosing(
            self._performer.perform(persona, text, mode, watch, turn.id, asker)
        ) as events:
            async for event in events:
                yield event

    async def _get_ready(self, persona: Persona, mode: Mode, begun: asyncio.Event) -> None:
        """Loads voice and head once the first words are there: until then, all power to them."""
        await begun.wait()
        await self._studio.get_ready(persona, face=mode == "clip")

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._ahead.add(task)
        task.add_done_callback(self._ahead.discard)

    def _lock(self, persona: Persona, channel: str) -> asyncio.Lock:
        """Lets one text be written at a time in a conversation; gone when nobody waits."""
        key = f"{persona.id}\n{channel}"
        lock = self._writing.get(key)
        if lock is None:
            lock = self._writing[key] = asyncio.Lock()
        return lock

    async def _write(
        self,
        persona: Persona,
        question: Question,
        keep: Callable[[str], Awaitable[Turn]],
        answer: Answer,
        watch: Stopwatch,
    ) -> AsyncGenerator[str]:
        """The pieces of the answer; it is kept when it ends, however it ends."""
        try:
            with watch.stage("text"):
                async with contextlib.aclosing(
                    self._writer.write(persona, question, answer)
                ) as pieces:
                    async for piece in pieces:
                        yield piece
        except (GeneratorExit, asyncio.CancelledError):
            if shown := answer.shown.strip():
                # Nothing can be told any more to who has gone.
                with contextlib.suppress(ChatAnythingError):
                    await asyncio.shield(keep(shown))
            raise
        with watch.stage("storing"):
            answer.turn = await keep(answer.shown)


def _spoken(text: str, max_seconds: float | None) -> str:
    """How much of a text is spoken, in whole sentences."""
    if max_seconds is None:
        return text
    return within(text, round(max_seconds * _CHARACTERS_A_SECOND))


def _turn(role: Literal["user", "persona"], text: str, author: str = "") -> Turn:
    from storage.conversations import Turn

    return Turn(role=role, author=author[:100], text=text)
