"""LanguageModel: the one way the engine speaks to a language model."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

from pydantic import BaseModel

from personas.errors import UnavailableError

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


DEFAULT_SAMPLING = Sampling()


@dataclass
class Usage:
    """Tokens spent since the model was made."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    requests: int = 0


class UnusableAnswerError(UnavailableError):
    """The model answers, but not in the form asked for, not even when shown its error."""


class RefusedError(UnavailableError):
    """The model, or a filter before it, will not answer this."""


class LanguageModel(Protocol):
    """A chat model. Safe to use from many tasks at once."""

    @property
    def name(self) -> str:
        """What it is, for records: the same name and seed give the same answers."""

    @property
    def context_tokens(self) -> int:
        """How many tokens one request and its answer may take together."""

    @property
    def invents(self) -> bool:
        """Whether it can invent a character and hold it; the smallest models cannot."""

    @property
    def usage(self) -> Usage:
        """Tokens spent so far."""

    async def read_ahead(self, messages: Sequence[Message] = ()) -> None:
        """Gets ready for requests that begin with `messages`, as far as that can be.

        A local model is loaded, and reads them now instead of when somebody waits. Nothing is
        raised: what fails here fails again, and is told, where it is needed.
        """

    def stream(
        self,
        messages: Sequence[Message],
        sampling: Sampling = DEFAULT_SAMPLING,
        *,
        conversation: str = "",
    ) -> AsyncGenerator[str]:
        """The answer, piece by piece as it is written; closing the iterator ends the writing.

        Args:
            messages: what was said.
            sampling: how words are chosen.
            conversation: the id of the one that goes on here, for `forget`.

        Raises:
            UnavailableError: the model does not answer.
            RefusedError: it will not answer this.
        """

    async def parse(
        self,
        messages: Sequence[Message],
        schema: type[Schema],
        sampling: Sampling = DEFAULT_SAMPLING,
    ) -> Schema:
        """An answer that is valid by `schema`, repaired once if need be.

        Raises:
            UnavailableError: the model does not answer.
            UnusableAnswerError: not in the form asked for.
            RefusedError: it will not answer this.
        """

    async def count_tokens(self, text: str) -> int:
        """How many tokens `text` takes; an estimate where the backend cannot tell."""

    async def forget(self, conversation: str) -> None:
        """Drops what is kept of a conversation so that it can be gone on with quickly."""

    async def aclose(self) -> None:
        """Ends what was started for it. Safe to call twice."""
