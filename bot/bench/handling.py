"""Jobs that only take their time, and products that are nowhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from engine.jobs.base import Job, JobDone
from engine.jobs.handlers import Lane, Tell
from personas.errors import NotFoundError
from personas.persona import MediaKey

KIND: Final = "pause"


class PauseHandler:
    """A Handler whose jobs take so many seconds, and make nothing.

    Args:
        seconds: how long each takes that does not say so itself.
        begun: told the name of each that is begun.
        at_once: how many, in one process.
    """

    kind = KIND

    def __init__(
        self, seconds: float, begun: Callable[[str], None] | None = None, at_once: int = 64
    ) -> None:
        self._seconds = seconds
        self._begun = begun
        self.lane = Lane(KIND, at_once)

    async def make(self, job: Job, tell: Tell) -> JobDone:
        """Takes its time."""
        if self._begun is not None:
            self._begun(str(job.payload.get("name", "")))
        if seconds := job.payload.get("seconds", self._seconds):
            await asyncio.sleep(seconds)
        return JobDone({})


class Nowhere:
    """Products for jobs that have none."""

    async def put(self, data: bytes, suffix: str) -> MediaKey:
        """Nothing is kept."""
        return ""

    async def get(self, key: MediaKey) -> bytes:
        """Nothing is kept.

        Raises:
            NotFoundError: always.
        """
        raise NotFoundError("The bench keeps nothing.")

    async def has(self, key: MediaKey) -> bool:
        """Nothing is here."""
        return False

    async def take(self, key: MediaKey) -> None:
        """There is nothing to take."""

    async def give_up(self, key: MediaKey) -> None:
        """There is nothing to give up."""
