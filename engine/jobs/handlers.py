"""Handlers: what a kind of job is made by, in this process or on a worker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from engine.jobs.base import Job, JobDone, JobProgress

Tell = Callable[[JobProgress], None]
"""Tells those who listen how far a job is. Returns at once; call it on the event loop."""


@dataclass(frozen=True)
class Lane:
    """Work that shares the same hands.

    Attributes:
        name: heavy work of one device has one lane, whatever its kind.
        at_once: how many jobs of it are worked on at the same time.
    """

    name: str
    at_once: int = 1


class Handler(Protocol):
    """Makes one kind of job."""

    @property
    def kind(self) -> str:
        """Which."""

    @property
    def lane(self) -> Lane:
        """What it keeps busy."""

    async def make(self, job: Job, tell: Tell) -> JobDone:
        """Makes it; the same job gives the same again. Cancelling it ends the work soon.

        Args:
            job: what is to be made. It may come from another machine and another version of the
                program: nothing in it is trusted.
            tell: told how far it is.

        Raises:
            InvalidInputError: it cannot be made, by nobody.
            NotFoundError: what it is made of is not there any more.
            UnavailableError: it cannot be made here and now; another time or place may do.
        """
