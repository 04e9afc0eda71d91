"""Message in, answer out: text at once, then speech, then a clip."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import threading
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol
from weakref import WeakValueDictionary

from pydantic import BaseModel, ConfigDict, Field

from engine.character import in_character, tempts
from engine.context import ContextBuilder
from engine.events import (
    ClipFailed,
    ClipReady,
    ReplyEvent,
    ReplyFailed,
    SpeechReady,
    TextDelta,
    TextReady,
)
from engine.guard import WordGuard
from engine.heads import Heads
from engine.llm.base import LanguageModel, Message, Sampling
from engine.llm.failures import ContextOverflowError
from engine.portrait.base import Image
from engine.speech.base import Speech, SpeechSynthesizer
from engine.stopwatch import Stopwatch
from engine.talkinghead.base import Clip, TalkingHead
from personas.errors import ChatAnythingError, InvalidInputError
from personas.persona import Persona
from personas.prompts import REMINDER, SPEECHLESS
from personas.text import clean

if TYPE_CHECKING:
    from storage.conversations import Turn
    from storage.store import Storage

log = logging.getLogger(__name__)

Mode = Literal["text", "voice", "clip"]

_HISTORY_TURNS = 200
"""Turns that are looked at; more than any budget of tokens holds."""
_MAX_MESSAGE = 32_000
_RAMBLING = 2
"""Sentences after which the smallest models lose their thread."""
_SHARES = (1.0, 0.5, 0.25)
"""How much of the context is used, try by try, when an endpoint finds it too long."""
_UNEXPECTED = "Something went wrong in the program. The log says more."


class Encode(Protocol):
    """Frames and speech in, video out; `engine.talkinghead.video.encode` is one."""

    def __call__(
        self,
        frames: Iterable[Image],
        speech: Speech,
        *,
        fps: int,
        size: int,
        cancel: threading.Event | None = None,
    ) -> Clip:
        """Encodes while the frames are drawn; ends soon with an error once `cancel` is set."""


class ConversationSettings(BaseModel):
    """Options of the section `[conversation]`."""

    model_config = ConfigDict(extra="forbid")

    mode: Mode = Field(default="clip", description="what an answer is: text, voice or clip")
    reply_tokens: int = Field(default=220, ge=16, le=8192, description="longest answer, in tokens")
    history_tokens: int = Field(
        default=2000, ge=0, description="how much of the conversation the model is shown, in tokens"
    )
    temperature: float = Field(
        default=0.8, ge=0, le=2, description="how freely the model chooses its words"
    )
    clips_at_once: int = Field(default=1, ge=1, le=64, description="clips drawn at the same time")


@dataclass
class _Answer:
    """What has become of an answer so far."""

    shown: str = ""
    turn: Turn | None = None


class Conversations:
    """Answers messages in the name of personas.

    In one conversation one text is written at a time, in the order in which the messages came;
    clips follow when they are done and hold up no text.

    Args:
        model: writes.
        synthesizer: speaks.
        head: moves the face.
        encode: makes the video.
        storage: where it is all kept.
        settings: how answers are.
    """

    def __init__(
        self,
        model: LanguageModel,
        synthesizer: SpeechSynthesizer,
        head: TalkingHead[Any],
        encode: Encode,
        storage: Storage,
        settings: ConversationSettings,
    ) -> None:
        self._model = model
        self._synthesizer = synthesizer
        self._head = head
        self._encode = encode
        self._storage = storage
        self._settings = settings
        self._context = ContextBuilder(model, settings.history_tokens, settings.reply_tokens)
        self._heads = Heads(head, storage.media)
        self._ahead: set[asyncio.Task[None]] = set()
        self._writing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._clips = asyncio.Semaphore(settings.clips_at_once)

    async def begin(self, persona: Persona, channel: str) -> Turn | None:
        """Begins a conversation with the persona's greeting; None where it has begun before.

        Raises:
            NotFoundError: the persona is not stored.
        """
        async with self._lock(persona, channel):
            conversation = await self._storage.conversations.open(persona, channel)
            if await self._storage.conversations.history(conversation.id, limit=1):
                return None
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
        """
        mode = mode or self._settings.mode
        watch, answer = Stopwatch(), _Answer()
        getting_ready = asyncio.create_task(self._get_ready(persona, mode))
        self._ahead.add(getting_ready)
        getting_ready.add_done_callback(self._ahead.discard)
        try:
            text = clean(message[:_MAX_MESSAGE])
            if not text:
                raise InvalidInputError("There is nothing to answer in an empty message.")
            # The place in the queue is taken before anything is waited for.
            async with self._lock(persona, channel):
                conversation = await self._storage.conversations.open(persona, channel)
                writing = self._write(persona, conversation.id, text, clean(author), answer, watch)
                async with contextlib.aclosing(writing) as pieces:
                    async for piece in pieces:
                        yield TextDelta(piece)
        except ChatAnythingError as error:
            log.warning("No reply of %s: %s", persona.slug, error, exc_info=error)
            yield ReplyFailed(str(error))
            return
        except Exception:
            log.exception("No reply of %s", persona.slug)
            yield ReplyFailed(_UNEXPECTED)
            return
        assert answer.turn is not None
        yield TextReady(answer.turn.text, dict(watch.seconds))
        if mode == "text":
            return
        try:
            with watch.stage("speech"):
                speech = await asyncio.to_thread(
                    self._synthesizer.synthesize, answer.turn.text, persona.voice
                )
            yield SpeechReady(speech)
            if mode == "clip":
                yield await self._clip(persona, answer.turn, speech, watch)
        except ChatAnythingError as error:
            log.warning("No clip of %s: %s", persona.slug, error, exc_info=error)
            yield ClipFailed(str(error))
        except Exception:
            log.exception("No clip of %s", persona.slug)
            yield ClipFailed(_UNEXPECTED)

    def _lock(self, persona: Persona, channel: str) -> asyncio.Lock:
        """Lets one text be written at a time in a conversation; gone when nobody waits."""
        key = f"{persona.id}\n{channel}"
        lock = self._writing.get(key)
        if lock is None:
            lock = self._writing[key] = asyncio.Lock()
        return lock

    async def _get_ready(self, persona: Persona, mode: Mode) -> None:
        """Loads voice and head while the text is being written.

        What fails here fails again, and is told, where it is needed.
        """
        if mode != "text":
            with contextlib.suppress(Exception):
                await asyncio.to_thread(self._synthesizer.warm_up)
        if mode == "clip":
            with contextlib.suppress(Exception):
                await self._heads.get(persona.portrait)

    async def _write(
        self,
        persona: Persona,
        conversation_id: str,
        message: str,
        author: str,
        answer: _Answer,
        watch: Stopwatch,
    ) -> AsyncGenerator[str]:
        """The pieces of the answer; both turns are stored when it ends, however it ends."""
        kept = self._storage.conversations
        asked = _turn("user", message, author)
        history = await kept.history(conversation_id, limit=_HISTORY_TURNS)
        turns = [asked]
        if not history:
            turns.insert(0, _turn("persona", persona.personality.greeting))
            history = turns[:1]
        try:
            with watch.stage("text"):
                async with contextlib.aclosing(
                    self._say(persona, conversation_id, history, message, author, answer)
                ) as pieces:
                    async for piece in pieces:
                        yield piece
        except (GeneratorExit, asyncio.CancelledError):
            if answer.shown.strip():
                turns.append(_turn("persona", answer.shown.strip()))
                await asyncio.shield(self._keep(conversation_id, turns))
            raise
        turns.append(_turn("persona", answer.shown))
        with watch.stage("storing"):
            stored = await self._keep(conversation_id, turns)
        answer.turn = stored[-1]

    async def _say(
        self,
        persona: Persona,
        conversation_id: str,
        history: Sequence[Turn],
        message: str,
        author: str,
        answer: _Answer,
    ) -> AsyncGenerator[str]:
        """Asks the model, again if it says nothing; `answer.shown` is the whole at the end."""
        failure: ChatAnythingError | None = None
        personality = persona.personality
        # A model that is being talked out of its character is read first and shown then.
        tempted = tempts(message)
        if tempted:
            message = f"{message}\n{REMINDER.format(name=personality.name)}"
        for attempt in range(2):
            most = 0 if self._model.invents else _RAMBLING
            guard = WordGuard(personality.name, {author} - {""}, sentences=most)
            seed = _seed(persona, len(history), message, attempt)
            try:
                async with contextlib.aclosing(
                    self._stream(persona, conversation_id, history, message, author, seed)
                ) as pieces:
                    async for piece in pieces:
                        fresh = guard.feed(piece)
                        if not tempted:
                            answer.shown = guard.kept
                            if fresh:
                                yield fresh
                        if guard.done:
                            break
            except ChatAnythingError as error:
                # Half an answer is better than none, and it has been seen already.
                failure = error
                log.warning("The answer broke off: %s", error, exc_info=error)
            rest = guard.finish()
            text = in_character(guard.text(), personality)
            if rest and not tempted:
                yield rest
            if any(character.isalnum() for character in text):
                answer.shown = text
                if tempted:
                    yield text
                return
            answer.shown = ""
            if failure is not None:
                raise failure
        answer.shown = SPEECHLESS[personality.mood]
        if not personality.language.startswith("en"):
            answer.shown = personality.greeting
        yield answer.shown

    async def _stream(
        self,
        persona: Persona,
        conversation_id: str,
        history: Sequence[Turn],
        message: str,
        author: str,
        seed: int,
    ) -> AsyncGenerator[str]:
        """The model's own words; with less history if the endpoint cannot read so much."""
        sampling = Sampling(
            temperature=self._settings.temperature,
            max_tokens=self._settings.reply_tokens,
            seed=seed,
            stop=("\nUser:", "\nHuman:", "<|im_end|>"),
        )
        for share in _SHARES:
            messages: list[Message] = await self._context.build(
                persona, conversation_id, history, message, author, share=share
            )
            try:
                async with contextlib.aclosing(self._model.stream(messages, sampling)) as pieces:
                    async for piece in pieces:
                        yield piece
                return
            except ContextOverflowError:
                if share == _SHARES[-1]:
                    raise

    async def _keep(self, conversation_id: str, turns: Sequence[Turn]) -> list[Turn]:
        return [await self._storage.conversations.append(conversation_id, turn) for turn in turns]

    async def _clip(
        self, persona: Persona, turn: Turn, speech: Speech, watch: Stopwatch
    ) -> ClipReady:
        """Draws, encodes and stores the clip of a turn."""
        assert turn.id is not None
        cancel = threading.Event()
        capabilities = self._head.capabilities
        seed = _seed(persona, 0, turn.text, 0)

        def work(prepared: Any) -> Clip:
            frames = self._head.frames(prepared, speech, seed)
            return self._encode(
                frames, speech, fps=capabilities.fps, size=capabilities.size, cancel=cancel
            )

        async with self._clips:
            with watch.stage("head"):
                prepared = await self._heads.get(persona.portrait)
            try:
                with watch.stage("clip"):
                    clip = await asyncio.to_thread(work, prepared)
            except asyncio.CancelledError:
                cancel.set()
                raise
        with watch.stage("storing"):
            key = await self._storage.media.put(clip.data, ".mp4")
            try:
                await self._storage.conversations.attach_clip(turn.id, key)
            except BaseException:
                await asyncio.shield(self._storage.media.delete(key))
                raise
        return ClipReady(key, clip.data, clip.duration, dict(watch.seconds))


def _turn(role: Literal["user", "persona"], text: str, author: str = "") -> Turn:
    from storage.conversations import Turn

    return Turn(role=role, author=author[:100], text=text)


def _seed(persona: Persona, turns: int, message: str, attempt: int) -> int:
    """The same conversation with the same persona goes the same way again."""
    told = f"{persona.seed}\n{turns}\n{attempt}\n{message}"
    return int.from_bytes(hashlib.sha256(told.encode("utf-8", "replace")).digest()[:4]) >> 1
