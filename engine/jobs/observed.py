"""ObservedHandler: whose job it is, how it goes, and what it cost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from engine.jobs.base import Job, JobDone
from engine.jobs.handlers import Handler, Lane, Tell
from engine.observing import Observer, Request, current, during

Keep = Callable[[Request], Awaitable[None]]
"""Writes down what a request has cost; never fails."""


class ObservedHandler:
    """A handler that works for the request in a job's `meta`: in the log, in traces, in accounts.

    Where the request is of this process, what the job cost is added to it, and written down with
    all else that it cost. On a worker the job writes it down itself.

    Args:
        inner: makes the job.
        observer: told of it.
        keep: writes down what it cost, where whoever asked is in another process.
    """

    def __init__(self, inner: Handler, observer: Observer, keep: Keep | None = None) -> None:
        self._inner = inner
        self._observer = observer
        self._keep = keep

    @property
    def kind(self) -> str:
        """Which jobs."""
        return self._inner.kind

    @property
    def lane(self) -> Lane:
        """What it keeps busy."""
        return self._inner.lane

    async def make(self, job: Job, tell: Tell) -> JobDone:
        """Makes it. See `Handler`."""
        asked_here = current()  # the task of a job begins where it was submitted
        request = Request.arrived(job.meta)
        with self._observer.serving(f"{job.kind} job", request), during(request):
            try:
                done = await self._inner.make(job, tell)
                request.outcome = "done"
                return done
            except asyncio.CancelledError:
                request.outcome = "stopped"
                raise
            except Exception:
                request.outcome = "failed"
                raise
            finally:
                if asked_here is not None and asked_here.id == request.id:
                    for kind, amount in request.settle().items():
                        asked_here.spend(kind, amount)
                elif self._keep is not None:
                    await asyncio.shield(self._keep(request))


def observed(
    handlers: Iterable[Handler], observer: Observer, keep: Keep | None = None
) -> list[Handler]:
    """The same handlers, observed."""
    return [ObservedHandler(handler, observer, keep) for handler in handlers]
