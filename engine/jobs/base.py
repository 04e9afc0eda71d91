"""JobQueue: heavy work waits here until somebody has hands free for it.

How work flows. Who needs a portrait, a speech or a clip describes it as a `Job` and submits it.
The queue gives it to a handler (`engine.jobs.handlers`), in this process or on a worker far away;
the handler puts what it makes among the products (`engine.jobs.products`) and answers with their
keys. Whoever submitted listens to `events` meanwhile, and so may any other process.

    job = Job("clip", {...})
    id = await queue.submit(job, community="discord:1", priority=Priority.CLIP, patience=300)
    async for event in queue.events(id):
        ...                     # JobQueued, JobStarted, JobProgress ..., at last one of ENDINGS

Only ids, media keys and small JSON cross the queue, never bytes. A job's id is the hash of what
it makes, so that the same job asked for twice is made once, and a job that is delivered twice,
because a worker died with it in hand, is harmless: it makes the same again.

`engine.jobs.asking.ask` does all of the above for those who only want the result.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from typing import Any, Final, Protocol

from engine.jobs.events import (
    ENDINGS,
    JobCancelled,
    JobDone,
    JobEvent,
    JobExpired,
    JobFailed,
    JobProgress,
    JobQueued,
    JobStarted,
    failure,
)
from engine.jobs.views import JobState, JobView, KindStats, WorkerView
from personas.errors import InvalidInputError

__all__ = [
    "ENDINGS",
    "MAX_PAYLOAD",
    "Job",
    "JobCancelled",
    "JobDone",
    "JobEvent",
    "JobExpired",
    "JobFailed",
    "JobProgress",
    "JobQueue",
    "JobQueued",
    "JobStarted",
    "JobState",
    "JobView",
    "KindStats",
    "Priority",
    "QueueCapabilities",
    "WorkerView",
    "failure",
    "named",
    "to_json",
]

MAX_PAYLOAD: Final = 256_000
"""Bytes of JSON that a job, its hints or its result may have: what is larger is a medium."""


class Priority(IntEnum):
    """What goes first where there is more work than hands. Smaller is sooner.

    Within a priority, communities take turns; see `JobQueue.submit`.
    """

    SPEECH = 10
    """The sound of an answer: somebody waits for it, and it takes little."""
    CLIP = 20
    """The clip of an answer."""
    PORTRAIT = 30
    """The portrait of a new persona."""
    AGAIN = 40
    """What is there already and is wanted otherwise: another portrait, another answer."""
    BULK = 50
    """What nobody waits for just now."""


@dataclass(frozen=True)
class Job:
    """A piece of work, told by what comes of it.

    Attributes:
        kind: which handler makes it: portrait, speech or clip.
        payload: all that decides what comes of it, as JSON. Nothing else may: it is hashed.
        hints: what only helps in making it, such as where a speech of it lies already. As JSON;
            no part of its identity.
        affinity: what a worker must load for it, such as a style; those that have it loaded
            prefer it. Empty: nothing worth telling.
        meta: whom it is for, in short words for logs and traces: it comes along to whoever makes
            it. No part of its identity.
    """

    kind: str
    payload: Mapping[str, Any]
    hints: Mapping[str, Any] = field(default_factory=dict)
    affinity: str = ""
    meta: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def id(self) -> str:
        """64 hexadecimal digits, the same for the same work everywhere.

        Raises:
            InvalidInputError: the payload is no JSON, or too large.
        """
        told = to_json([self.kind, self.payload])
        return hashlib.sha256(told.encode()).hexdigest()


def named(text: str) -> str:
    """Who somebody is, as every database takes it."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")[:200]


def to_json(value: Any) -> str:
    """JSON in its one canonical form: keys in order, no spaces.

    Raises:
        InvalidInputError: it is not JSON, or too large for a queue.
    """
    try:
        told = json.dumps(
            value, ensure_ascii=True, sort_keys=True, separators=(",", ":"), allow_nan=False
        )
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInputError("This work cannot be told to those who would do it.") from error
    if len(told) > MAX_PAYLOAD:
        raise InvalidInputError("This is too long to be worked on in one piece.")
    return told


@dataclass(frozen=True)
class QueueCapabilities:
    """What a queue can do; the engine chooses by these words.

    Attributes:
        shared: other processes work on its jobs and hear of them.
        durable: all kinds of jobs survive the end of this process; else only those that are
            recorded do.
        retries: what fails for want of something is tried again, by somebody else if there is.
        limit: how many may wait; 0 for as many as come.
    """

    shared: bool
    durable: bool
    retries: bool
    limit: int


class JobQueue(Protocol):
    """Where work waits. All calls are safe from many tasks at once."""

    @property
    def capabilities(self) -> QueueCapabilities:
        """What it can do."""

    async def submit(
        self,
        job: Job,
        *,
        community: str,
        priority: Priority,
        person: str = "",
        patience: float | None = None,
    ) -> str:
        """Asks for a job; what waits, runs or was done lately under its id is joined.

        Priorities come first. Within one, communities take turns, so that a flood of one delays
        no other by more than a job, while a community that is alone may have all hands. Where
        the queue knows the people of a community, they take turns in the same way.

        Args:
            job: what is to be made.
            community: for whom; never empty.
            priority: how soon.
            person: who of the community asks.
            patience: seconds until nobody waits for it any more; it is not begun after that.
                None: somebody always does. What joins a job can only prolong it.

        Returns:
            The id of the job.

        Raises:
            InvalidInputError: the job is no JSON, too large, or for nobody.
            BusyError: too much waits already.
            UnavailableError: the queue cannot be reached.
        """

    def events(self, id: str) -> AsyncGenerator[JobEvent]:
        """What happens to a job, from how it stands now to one of `ENDINGS`.

        Anybody may listen, in any process, as often as they like, and late: an ending that has
        come lately is told again. A listener that stops listening changes nothing.

        Raises:
            NotFoundError: there is no such job, or it ended too long ago.
            UnavailableError: the queue cannot be reached, for long.
        """

    async def cancel(self, id: str) -> None:
        """Takes one submission back. A job that nobody else asked for ends, running or not.

        Nothing happens to one that has ended, or that is not there.
        """

    async def find(self, id: str) -> JobView | None:
        """One job, by its id or how that begins; None where there is none, or several."""

    async def jobs(
        self, state: JobState | None = None, kind: str = "", limit: int = 100
    ) -> Sequence[JobView]:
        """Jobs, those that are next first.

        Args:
            state: only those that stand so; None: all that wait, run or were set aside.
            kind: only of this kind; empty: of all.
            limit: at most so many.
        """

    async def stats(self) -> Sequence[KindStats]:
        """Depth and age by kind."""

    async def workers(self) -> Sequence[WorkerView]:
        """Who works for it from elsewhere."""

    async def retry(self, id: str) -> bool:
        """Has a job tried anew that has failed or was set aside; whether there was one.

        Where the queue is not shared, what was of another process is tried by the next `resume`.
        """

    async def drop(self, id: str) -> bool:
        """Ends a job, whoever asked for it, and forgets it; whether there was one.

        What it made is given up with it, unless somebody has taken it. Where the queue is not
        shared, what another process has in hand stays with that: False.
        """

    async def resume(self) -> int:
        """Takes up what ended processes have left here; how many jobs that are.

        Where others work, others do that, at all times.

        Raises:
            UnavailableError: it cannot be found out what was left.
        """

    async def aclose(self) -> None:
        """Stops using the queue. Safe to call twice."""
