"""Exchange: a message, and one persona who answers it; also where a killed process began to."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from bot.chat.base import Before, IncomingMessage, OpenOutlet, Outlet
from bot.chat.ears import Ears
from bot.chat.pending import Pending
from bot.chat.works import Work, Works
from engine.conversation import Conversations, Mode
from engine.events import ReplyEvent
from personas.errors import InvalidInputError
from personas.persona import Persona
from personas.text import clean

if TYPE_CHECKING:
    from storage.store import Storage

_MISSED = "I was switched off when you wrote this. Say it again, and you will get an answer."


class Exchanges:
    """Has messages answered.

    Args:
        storage: knows the personas.
        conversations: make the answers.
        ears: understand voice messages.
        works: makes the answers.
        longest_message: characters of a message that are read.
    """

    def __init__(
        self,
        storage: Storage,
        conversations: Conversations,
        ears: Ears,
        works: Works,
        longest_message: int,
    ) -> None:
        self.conversations = conversations
        self.ears = ears
        self._storage = storage
        self._works = works
        self._longest_message = longest_message

    def readable(self, text: str) -> str:
        """As much of a message as is read.

        Raises:
            InvalidInputError: it is empty.
        """
        text = self.as_read(text)
        if not text:
            raise InvalidInputError("Say something, and you will get an answer.")
        return text

    def as_read(self, text: str) -> str:
        """A message as it is read and remembered; empty where nothing is left of it."""
        text, longest = clean(text), self._longest_message
        return text if len(text) <= longest else clean(f"{text[:longest]} …")

    async def begin(
        self,
        message: IncomingMessage,
        persona: Persona,
        open_outlet: OpenOutlet,
        pending: Pending | None,
        *,
        silent: bool,
    ) -> Work:
        """Begins an answer; returns once its place in the order of answers is settled.

        Args:
            message: what is answered.
            persona: who answers.
            open_outlet: where the answer goes.
            pending: the answer as it is written down, if it is.
            silent: what was said is only written down.
        """
        exchange = Exchange(self, message, persona, open_outlet, pending)
        work = Work(
            message.place,
            message.id,
            message.author.id,
            persona,
            self.as_read(message.text),
            pending.before if pending is not None else Before(),
            pending,
        )
        say = None if silent else exchange.say
        await self._works.start(work, message.author, say, exchange.open)
        return work

    async def resume(
        self, pending: Pending, message: IncomingMessage, open_outlet: OpenOutlet
    ) -> None:
        """Brings an answer that a killed process has begun to its end; returns then.

        What nobody waits for any more is ended: who asked is told, if they have seen nothing.

        Raises:
            ChatAnythingError: there is no answer; the sentence is for who wrote.
        """
        question = pending.question
        if self._works.closed:
            await pending.leave()
            return
        persona = await self._storage.personas.by_id(question.persona_id)
        if persona is None or pending.is_hopeless:
            await pending.end(refund=not pending.is_begun)
            return
        if pending.is_late and not pending.is_begun:
            if not question.silent:
                await (await open_outlet(persona, Before())).tell(_MISSED)
            await pending.end(refund=True)
            return
        work = await self.begin(message, persona, open_outlet, pending, silent=question.silent)
        await self._works.finish(work)


class Exchange:
    """A message and who answers it; what was spoken becomes text before it is answered."""

    def __init__(
        self,
        exchanges: Exchanges,
        message: IncomingMessage,
        persona: Persona,
        open_outlet: OpenOutlet,
        pending: Pending | None,
    ) -> None:
        self._exchanges = exchanges
        self._message = message
        self._persona = persona
        self._open = open_outlet
        self._pending = pending
        self._heard = ""

    async def open(self, persona: Persona, before: Before) -> Outlet:
        """The outlet, on which what was understood of a recording is quoted, once."""
        outlet = await self._open(persona, before)
        pending, sound = self._pending, self._message.sound
        if pending is not None:
            self._heard = pending.question.heard
        if sound is not None and not self._heard:
            language = persona.personality.language
            self._heard = await self._exchanges.ears.understand(sound, language)
            if pending is not None:
                await pending.note(heard=self._heard)
            await outlet.heard(self._heard)
        return outlet

    def say(self, mode: Mode, seconds: float | None) -> AsyncGenerator[ReplyEvent]:
        """The answer; what is stored of it is not thought of anew."""
        conversations, pending = self._exchanges.conversations, self._pending
        if pending is not None and pending.question.turn is not None:
            return conversations.go_on(
                self._persona, pending.question.turn, mode=mode, max_seconds=seconds
            )
        message = self._message
        return conversations.reply(
            self._persona,
            message.place.channel,
            self._exchanges.readable(f"{message.text}\n{self._heard}"),
            message.author.name,
            mode=mode,
            max_seconds=seconds,
            work=pending.id if pending is not None else "",
        )
