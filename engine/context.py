"""ContextBuilder: what a language model is shown of a conversation, within its tokens."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.llm.base import LanguageModel, Message
from personas.persona import Persona, Personality
from personas.prompts import CUT_NOTICE, GREETED, Line, example_lines, system_line
from personas.text import plain_name

if TYPE_CHECKING:
    from storage.conversations import Turn

_PER_MESSAGE = 6
"""Tokens around each message in a chat template, about."""
_MARGIN = 48
_CACHED_COUNTS = 4_096
_KNOWN_STARTS = 1_024
_KEPT_SHARE = 0.6
"""How much of the budget is kept when history is dropped: dropping a lot at once and seldom
leaves the beginning of the prompt as it was, so that its cached work stays of use."""


class ContextBuilder:
    """Puts together who the persona is, its examples, the history and the message.

    Args:
        model: counts the tokens.
        history_tokens: of the history at most.
        reply_tokens: kept free for the answer.
    """

    def __init__(self, model: LanguageModel, history_tokens: int, reply_tokens: int) -> None:
        self._model = model
        self._history_tokens = history_tokens
        self._reply_tokens = reply_tokens
        self._counts: OrderedDict[str, int] = OrderedDict()
        self._starts: OrderedDict[str, tuple[int, int]] = OrderedDict()

    async def build(
        self,
        persona: Persona,
        conversation_id: str,
        history: Sequence[Turn],
        message: str,
        author: str = "",
        *,
        share: float = 1.0,
    ) -> list[Message]:
        """The messages to send; the message itself is always among them.

        Args:
            persona: who answers.
            conversation_id: of which conversation, to drop history steadily.
            history: what was said before, oldest first.
            message: what is to be answered.
            author: who wrote it.
            share: of the tokens that may be used, for a second try when they were too many.
        """
        personality = persona.personality
        system = await self._sized([await self._system(personality, share)])
        room = (
            int(share * self._model.context_tokens) - self._reply_tokens - _MARGIN - _cost(system)
        )
        named = len({turn.author for turn in history if turn.role == "user"} | {author}) > 1
        current = await self._fitted(_said(message, author, named), max(64, room * 2 // 3))
        room -= await self._count(current) + _PER_MESSAGE
        examples = await self._sized(example_lines(personality.examples))
        if _cost(examples) > room // 2:
            examples = []
        room -= _cost(examples)
        budget = min(int(share * self._history_tokens), room)
        past = await self._past(conversation_id, history, budget, named)
        lines = [line for line, _ in (*system, *examples)]
        lines += past
        lines.append(Line("user", current))
        return _alternating(lines)

    async def opening(self, personality: Personality) -> list[Message]:
        """How every conversation with a persona begins, before anybody has said anything to it."""
        lines = [await self._system(personality), *example_lines(personality.examples)]
        return _alternating([*lines, Line("assistant", personality.greeting)])

    async def _system(self, personality: Personality, share: float = 1.0) -> Line:
        """Who the persona is, in half of what the model can read at most."""
        line = system_line(personality)
        # The first count loads a local model, which then knows how much it can read.
        await self._count(line.content)
        room = int(share * self._model.context_tokens) // 2
        return Line(line.role, await self._fitted(line.content, room, "…"))

    async def _past(
        self, conversation_id: str, history: Sequence[Turn], budget: int, named: bool
    ) -> list[Line]:
        """The newest of the history that fits, from the same turn on as last time if it does.

        A history that ends before older turns were last dropped is a look back: it has a beginning
        of its own, and the next message goes on from where the others did.
        """
        sized: list[tuple[int, Line, int]] = []
        for turn in history:
            role = "assistant" if turn.role == "persona" else "user"
            text = turn.text if turn.role == "persona" else _said(turn.text, turn.author, named)
            line = Line(role, text)  # type: ignore[arg-type]
            sized.append((turn.id or 0, line, await self._count(text) + _PER_MESSAGE))
        start, dropped_at = self._starts.get(conversation_id, (0, 0))
        newest = sized[-1][0] if sized else 0
        looks_back = newest < dropped_at
        kept = [entry for entry in sized if looks_back or entry[0] >= start]
        if sum(size for *_, size in kept) > budget:
            kept = _newest(kept, int(budget * _KEPT_SHARE))
            if not looks_back:
                self._starts[conversation_id] = kept[0][0] if kept else newest + 1, newest
                self._starts.move_to_end(conversation_id)
                if len(self._starts) > _KNOWN_STARTS:
                    self._starts.popitem(last=False)
        return [line for _, line, _ in kept]

    async def _fitted(self, text: str, room: int, notice: str = CUT_NOTICE) -> str:
        """A text in at most `room` tokens: its beginning and its end if it has to be cut.

        Args:
            text: the whole.
            room: tokens that it may take.
            notice: stands for what was cut out.
        """
        length = len(text)
        fitted = text
        while (size := await self._count(fitted)) > room and length > 32:
            length = max(32, int(length * min(0.9, room / size)))
            half = max(1, (length - len(notice)) // 2)
            fitted = f"{text[:half]} {notice} {text[-half:]}"
        return fitted

    async def _sized(self, lines: Sequence[Line]) -> list[tuple[Line, int]]:
        return [(line, await self._count(line.content) + _PER_MESSAGE) for line in lines]

    async def _count(self, text: str) -> int:
        known = self._counts.get(text)
        if known is None:
            known = await self._model.count_tokens(text)
            if len(text) <= 4_000:
                self._counts[text] = known
                if len(self._counts) > _CACHED_COUNTS:
                    self._counts.popitem(last=False)
        return known


def shared_beginning(messages: Sequence[Message], other: Sequence[Message]) -> list[Message]:
    """The first of `messages`, as far as they are those of `other`."""
    pairs = zip(messages, other, strict=False)
    return [mine for mine, theirs in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)]


def _cost(sized: Sequence[tuple[Line, int]]) -> int:
    return sum(size for _, size in sized)


def _newest(entries: Sequence[tuple[int, Line, int]], budget: int) -> list[tuple[int, Line, int]]:
    """The newest entries within the budget, beginning with somebody else's words."""
    kept: list[tuple[int, Line, int]] = []
    spent = 0
    for entry in reversed(entries):
        spent += entry[2]
        if spent > budget:
            break
        kept.insert(0, entry)
    while kept and kept[0][1].role == "assistant":
        kept.pop(0)
    return kept


def _said(text: str, author: str, named: bool) -> str:
    """A message as the model reads it; with its author where several take part."""
    name = plain_name(author, 32) if named else ""
    return f"{name}: {text}" if name else text


def _alternating(lines: Sequence[Line]) -> list[Message]:
    """Messages whose roles alternate after the system's, as many chat templates demand."""
    messages: list[Message] = []
    for line in lines:
        last = messages[-1].role if messages else "system"
        if line.role == "assistant" and last in ("system", "assistant"):
            messages.append(Message("user", GREETED))
        elif line.role == last == "user":
            messages[-1] = Message("user", f"{messages[-1].content}\n{line.content}")
            continue
        messages.append(Message(line.role, line.content))
    return messages
