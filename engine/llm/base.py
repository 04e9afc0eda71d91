"""LanguageModel: the one way the engine speaks to a language model."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

from pydantic import BaseModel

Schema = TypeVar("Schema", bound=BaseModel)


@dataclass(frozen=True)
class Message:
    """One message of a chat completion."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class Sampling:
    """How the model chooses its words. `None` leaves it to the backend."""

    temperature: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()


@dataclass
class Usage:
    """Tokens spent since the model was made."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    requests: int = 0


class LanguageModel(Protocol):
    """A chat model. Safe to use from many tasks at once."""

    @property
    def name(self) -> str:
        """What it is, for records: the same name and seed give the same answers."""

    @property
    def context_tokens(self) -> int:
        """How many tokens one request and its answer may take together."""

    @property
    def usage(self) -> Usage:
        """Tokens spent so far."""

    def stream(
        self, messages: Sequence[Message], sampling: Sampling = Sampling()
    ) -> AsyncIterator[str]:
        """The answer, piece by piece as it is written.

        Raises:
            UnavailableError: the model does not answer, or refuses.
        """

    async def parse(
        self, messages: Sequence[Message], schema: type[Schema], sampling: Sampling = Sampling()
    ) -> Schema:
        """An answer that is valid by `schema`, repaired once if need be.

        Raises:
            UnavailableError: the model does not answer, or not in the form asked for.
        """

    async def count_tokens(self, text: str) -> int:
        """How many tokens `text` takes; an estimate where the backend cannot tell."""

    async def aclose(self) -> None:
        """Ends what was started for it. Safe to call twice."""
