"""What happens to a job, told to everybody who listens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from personas.errors import (
    ChatAnythingError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
)
from personas.persona import MediaKey


@dataclass(frozen=True)
class JobQueued:
    """It waits.

    Attributes:
        tries: how often it was tried before; it waits again after a worker failed or died.
    """

    tries: int = 0


@dataclass(frozen=True)
class JobStarted:
    """Somebody works on it.

    Attributes:
        tries: how often it was begun, with this time.
        worker: by whom.
    """

    tries: int
    worker: str


@dataclass(frozen=True)
class JobProgress:
    """How far it is. Who listens late, or slowly, is told the newest only.

    Attributes:
        fraction: 0 to 1.
        doing: what is being done, for people to read.
        data: what is there already, such as the key of a clip's sound; nothing of it is lost
            between two events.
    """

    fraction: float = 0.0
    doing: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class JobDone:
    """It is made. An ending.

    Attributes:
        result: what the handler answered, as JSON.
        media: the keys of its products; without one of them it counts as not made.
        seconds: by stage, as the handler measured them.
    """

    result: Mapping[str, Any]
    media: tuple[MediaKey, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class JobFailed:
    """It cannot be made. An ending.

    Attributes:
        reason: a sentence for the person.
        error: which of our errors it was; see `failure`.
    """

    reason: str
    error: str = ""


@dataclass(frozen=True)
class JobCancelled:
    """Nobody wants it any more. An ending."""


@dataclass(frozen=True)
class JobExpired:
    """It was not begun while somebody was still waiting for it. An ending."""


JobEvent = JobQueued | JobStarted | JobProgress | JobDone | JobFailed | JobCancelled | JobExpired
ENDINGS: Final = (JobDone, JobFailed, JobCancelled, JobExpired)


def failure(event: JobFailed) -> ChatAnythingError:
    """The error that a failed job stands for, as it was raised where it happened."""
    known = {error.__name__: error for error in (InvalidInputError, NotFoundError)}
    return known.get(event.error, UnavailableError)(event.reason)
