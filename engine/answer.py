"""AnswerWriter: the words of an answer, as the persona would say them."""

from __future__ import annotations

import contextlib
import hashlib
import logging
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.character import in_character, tempts
from engine.context import ContextBuilder, shared_beginning
from engine.guard import WordGuard
from engine.llm.base import LanguageModel, Message, Sampling
from engine.llm.failures import ContextOverflowError
from personas.errors import ChatAnythingError
from personas.persona import Persona
from personas.prompts import REMINDER, SPEECHLESS

if TYPE_CHECKING:
    from storage.conversations import Turn

log = logging.getLogger(__name__)

_RAMBLING = 2
"""Sentences after which the smallest models lose their thread."""
_SHARES = (1.0, 0.5, 0.25)
"""How much of the context is used, try by try, when an endpoint finds it too long."""


@dataclass(frozen=True)
class Question:
    """What is to be answered, and what was said before.

    Attributes:
        conversation_id: where it was asked.
        text: the message.
        author: who wrote it; may be empty.
        history: the turns before it, oldest first.
        instead_of: an answer that was given before and is not wanted; may be empty.
    """

    conversation_id: str
    text: str
    author: str
    history: Sequence[Turn]
    instead_of: str = ""


@dataclass
class Answer:
    """What has become of an answer so far.

    Attributes:
        shown: the words that people have seen; the whole answer at the end.
        turn: as it was stored.
    """

    shown: str = ""
    turn: Turn | None = None


class AnswerWriter:
    """Asks the language model in a persona's name, and keeps its words the persona's own.

    Args:
        model: writes.
        history_tokens: how much of the conversation it is shown.
        reply_tokens: the longest answer.
        temperature: how freely it chooses its words.
    """

    def __init__(
        self, model: LanguageModel, history_tokens: int, reply_tokens: int, temperature: float
    ) -> None:
        self._model = model
        self._reply_tokens = reply_tokens
        self._temperature = temperature
        self._context = ContextBuilder(model, history_tokens, reply_tokens)

    async def read_ahead(self, persona: Persona) -> None:
        """Has the model read who the persona is, before anybody waits for an answer."""
        await self._model.read_ahead(await self._context.opening(persona.personality))

    async def forget(self, conversation_id: str) -> None:
        """Has the model let go of what was said in a conversation."""
        await self._model.forget(conversation_id)

    async def write(
        self, persona: Persona, question: Question, answer: Answer
    ) -> AsyncGenerator[str]:
        """The pieces of the answer; the model is asked again if it says nothing.

        Raises:
            ChatAnythingError: there is no answer, with the reason.
        """
        message, author = question.text, question.author
        failure: ChatAnythingError | None = None
        personality = persona.personality
        # A model that is being talked out of its character is read first and shown then.
        tempted = tempts(message)
        if tempted:
            message = f"{message}\n{REMINDER.format(name=personality.name)}"
        for attempt in range(2):
            most = 0 if self._model.invents else _RAMBLING
            guard = WordGuard(personality.name, {author} - {""}, sentences=most)
            seed = _seed(persona, question, attempt)
            try:
                async with contextlib.aclosing(
                    self._stream(persona, question, message, seed)
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
        self, persona: Persona, question: Question, message: str, seed: int
    ) -> AsyncGenerator[str]:
        """The model's own words; with less history if the endpoint cannot read so much."""
        sampling = Sampling(
            temperature=self._temperature,
            max_tokens=self._reply_tokens,
            seed=seed,
            stop=("\nUser:", "\nHuman:", "<|im_end|>"),
        )
        for share in _SHARES:
            messages: list[Message] = await self._context.build(
                persona,
                question.conversation_id,
                question.history,
                message,
                question.author,
                share=share,
            )
            opening = await self._context.opening(persona.personality)
            begins = shared_beginning(messages, opening)
            try:
                await self._model.read_ahead(begins)
                stream = self._model.stream(
                    messages, sampling, conversation=question.conversation_id
                )
                async with contextlib.aclosing(stream) as pieces:
                    async for piece in pieces:
                        yield piece
                return
            except ContextOverflowError:
                if share == _SHARES[-1]:
                    raise


def _seed(persona: Persona, question: Question, attempt: int) -> int:
    """The same conversation with the same persona goes the same way again."""
    told = f"{persona.seed}\n{len(question.history)}\n{attempt}\n{question.text}"
    if question.instead_of:
        told += f"\n{question.instead_of}"
    return int.from_bytes(hashlib.sha256(told.encode("utf-8", "replace")).digest()[:4]) >> 1
