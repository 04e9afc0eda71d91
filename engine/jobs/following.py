"""Following: how a job stands, and what of it is news to somebody who listens."""

from __future__ import annotations

from dataclasses import dataclass

from engine.jobs.base import (
    ENDINGS,
    JobEvent,
    JobProgress,
    JobQueued,
    JobStarted,
)


@dataclass(frozen=True)
class Standing:
    """How a job stands at one moment.

    Attributes:
        tries: how often it was begun.
        worker: who works on it; empty: nobody does.
        progress: the newest; None before the first.
        ending: how it ended; None while it has not.
    """

    tries: int = 0
    worker: str = ""
    progress: JobProgress | None = None
    ending: JobEvent | None = None


class Follower:
    """Remembers what somebody has been told of a job."""

    def __init__(self) -> None:
        """They have been told nothing."""
        self._told: Standing | None = None

    def news(self, standing: Standing) -> list[JobEvent]:
        """What they have not been told yet; an ending is always the last, and the only one."""
        told, self._told = self._told, standing
        if standing.ending is not None:
            assert isinstance(standing.ending, ENDINGS)
            news: list[JobEvent] = []
            # What was there before the end is of use: the sound of a clip that failed.
            if _data(standing) != _data(told):
                assert standing.progress is not None
                news.append(standing.progress)
            return [*news, standing.ending]
        news = []
        place = (standing.tries, standing.worker)
        if told is None or place != (told.tries, told.worker):
            news.append(
                JobStarted(standing.tries, standing.worker)
                if standing.worker
                else JobQueued(standing.tries)
            )
        if standing.progress is not None and (told is None or standing.progress != told.progress):
            news.append(standing.progress)
        return news


def _data(standing: Standing | None) -> dict[str, object]:
    progress = standing.progress if standing else None
    return dict(progress.data) if progress else {}
