"""A language model that says what a test wrote for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from dataclasses import dataclass, field

from engine.llm.base import (
    DEFAULT_SAMPLING,
    Message,
    Sampling,
    Schema,
    UnusableAnswerError,
    Usage,
)
from engine.llm.structured import read_answer

Script = str | Exception | Callable[[Sequence[Message]], "Script"]


@dataclass(frozen=True)
class Asked:
    """One request that the model got."""

    messages: tuple[Message, ...]
    sampling: Sampling
    conversation: str = ""

    @property
    def last(self) -> str:
        return self.messages[-1].content


@dataclass
class BrokenOff:
    """Pieces of an answer, and then an error."""

    pieces: list[str]
    error: Exception


@dataclass
class ScriptedModel:
    """Answers with the scripts in turn; the last one again and again.

    A script is a text, an error to raise, or a function of the messages that gives one of these.
    Structured answers are read as a real endpoint's are, but are not asked for a second time.
    """

    scripts: Iterable[Script | BrokenOff] = ("Hello.",)
    context_tokens: int = 4096
    name: str = "scripted"
    invents: bool = True
    piece: int = 3
    pause: float = 0.0
    usage: Usage = field(default_factory=Usage)
    asked: list[Asked] = field(default_factory=list)
    read: list[tuple[Message, ...]] = field(default_factory=list)
    closed: int = 0
    unfinished: int = 0
    forgotten: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._left = list(self.scripts)

    async def read_ahead(self, messages: Sequence[Message] = ()) -> None:
        self.read.append(tuple(messages))

    async def stream(
        self,
        messages: Sequence[Message],
        sampling: Sampling = DEFAULT_SAMPLING,
        *,
        conversation: str = "",
    ) -> AsyncGenerator[str]:
        script = self._next(messages, sampling, conversation)
        pieces = script.pieces if isinstance(script, BrokenOff) else self._pieces(script)
        self.unfinished += 1
        for piece in pieces:
            await asyncio.sleep(self.pause)
            yield piece
        self.unfinished -= 1
        if isinstance(script, BrokenOff):
            raise script.error

    async def parse(
        self,
        messages: Sequence[Message],
        schema: type[Schema],
        sampling: Sampling = DEFAULT_SAMPLING,
    ) -> Schema:
        script = self._next(messages, sampling)
        await asyncio.sleep(self.pause)
        if isinstance(script, BrokenOff):
            raise script.error
        try:
            return read_answer(script, schema)
        except UnusableAnswerError as error:
            raise UnusableAnswerError("The model does not answer in the form.") from error

    async def count_tokens(self, text: str) -> int:
        return (len(text) + 3) // 4

    async def forget(self, conversation: str) -> None:
        self.forgotten.append(conversation)

    async def aclose(self) -> None:
        self.closed += 1

    def _pieces(self, text: str) -> list[str]:
        return [text[i : i + self.piece] for i in range(0, len(text), self.piece)]

    def _next(
        self, messages: Sequence[Message], sampling: Sampling, conversation: str = ""
    ) -> str | BrokenOff:
        self.asked.append(Asked(tuple(messages), sampling, conversation))
        self.usage.requests += 1
        script = self._left.pop(0) if len(self._left) > 1 else self._left[0]
        while callable(script):
            script = script(messages)
        if isinstance(script, Exception):
            raise script
        return script
