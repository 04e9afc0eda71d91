"""LocalQueue: jobs that are done in this process, beside everything else it does."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final

from engine.fairness import BusyError, FairQueue
from engine.jobs.base import (
    Job,
    JobCancelled,
    JobDone,
    JobEvent,
    JobExpired,
    JobFailed,
    JobProgress,
    JobState,
    JobView,
    KindStats,
    Priority,
    QueueCapabilities,
    WorkerView,
    named,
    to_json,
)
from engine.jobs.entries import Entries, Entry
from engine.jobs.following import Follower
from engine.jobs.handlers import Handler
from engine.jobs.products import Products
from engine.jobs.records import Records
from personas.errors import ChatAnythingError, InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from storage.jobs import JobRepository

log = logging.getLogger(__name__)

FULL: Final = (
    "So many portraits and clips are wanted already that no more can be taken. "
    "Try again in a minute."
)
UNEXPECTED: Final = "Something went wrong in the program. The log says more."
NO_JOB: Final = "There is no such job, or it ended too long ago."
_WORKER: Final = "here"


class LocalQueue:
    """Bounded, by priority, fair between communities and people; heavy work of a device in turn.

    Kinds in `recorded` are written down while they wait and are worked on, so that the next
    process goes on where this one is killed. One that ends the process again and again is set
    aside.

    Args:
        handlers: who makes what.
        products: where they leave what they make.
        waiting: how many jobs may wait.
        records: where recorded kinds are written down; None: nowhere.
        recorded: those kinds.
        tries: how often a recorded job may end the process.
    """

    def __init__(
        self,
        handlers: Iterable[Handler],
        products: Products,
        *,
        waiting: int = 1000,
        records: JobRepository | None = None,
        recorded: Iterable[str] = ("portrait",),
        tries: int = 3,
    ) -> None:
        self._handlers = {handler.kind: handler for handler in handlers}
        self._products = products
        self._most = waiting
        self._records = Records(records, frozenset(recorded), tries)
        self._entries = Entries()
        self._lanes: dict[str, FairQueue] = {}
        self._closed = False

    @property
    def capabilities(self) -> QueueCapabilities:
        """It is here and nowhere else."""
        return QueueCapabilities(shared=False, durable=False, retries=False, limit=self._most)

    async def resume(self) -> int:
        """Takes up what ended processes have left; how many jobs that are.

        Raises:
            UnavailableError: the storage cannot be used.
        """
        left = [entry for entry in await self._records.adopt() if entry.job.kind in self._handlers]
        for entry in left:
            if self._entries.get(entry.job.id) is None:
                self._entries.add(entry)
                self._start(entry)
        return len(left)

    async def submit(
        self,
        job: Job,
        *,
        community: str,
        priority: Priority,
        person: str = "",
        patience: float | None = None,
    ) -> str:
        """See `JobQueue`."""
        if not community:
            raise InvalidInputError("Nobody asks for this work.")
        to_json([job.hints, job.meta])
        if job.kind not in self._handlers:
            raise InvalidInputError(f"Nobody here knows how to make a {job.kind}.")
        until = None if patience is None else time.monotonic() + patience
        if await self._joined(job.id, until):
            return job.id
        if self._entries.waiting >= self._most:
            raise BusyError(FULL)
        entry = Entry(job, named(community), named(person)[:100], priority, until)
        self._entries.add(entry)
        try:
            refusal = await self._records.record(entry, patience)
        except BaseException:
            self._entries.end(entry, JobFailed(UNEXPECTED))
            raise
        if refusal is not None:
            entry.poisoned = True
            self._entries.end(entry, refusal)
        elif entry.wanted <= 0:  # taken back meanwhile
            await self._finish(entry, JobCancelled())
        else:
            self._start(entry)
        return job.id

    async def events(self, id: str) -> AsyncGenerator[JobEvent]:
        """See `JobQueue`."""
        entry = self._entries.get(id)
        if entry is None:
            raise NotFoundError(NO_JOB)
        follower = Follower()
        while True:
            changed = entry.changed
            for event in follower.news(entry.standing()):
                yield event
            if entry.ending is not None:
                return
            await changed.wait()

    async def cancel(self, id: str) -> None:
        """See `JobQueue`."""
        entry = self._entries.get(id)
        if entry is None or entry.ending is not None:
            return
        entry.wanted -= 1
        if entry.wanted <= 0:
            await self._stop(entry)

    async def find(self, id: str) -> JobView | None:
        """See `JobQueue`."""
        found = [view for view in await self._views() if view.id.startswith(id)]
        return found[0] if len(found) == 1 else None

    async def jobs(
        self, state: JobState | None = None, kind: str = "", limit: int = 100
    ) -> Sequence[JobView]:
        """See `JobQueue`. Of other processes, what is recorded is seen."""
        open_states = (JobState.WAITING, JobState.RUNNING, JobState.POISONED)
        wanted = (state,) if state is not None else open_states
        views = [
            view for view in await self._views() if view.state in wanted and kind in ("", view.kind)
        ]
        return views[:limit]

    async def stats(self) -> Sequence[KindStats]:
        """See `JobQueue`."""
        views = await self._views()
        found = []
        for kind in sorted({*self._handlers, *(view.kind for view in views)}):
            of_kind = [view for view in views if view.kind == kind]
            waiting = [view for view in of_kind if view.state is JobState.WAITING]
            found.append(
                KindStats(
                    kind=kind,
                    waiting=len(waiting),
                    oldest=max((view.waited for view in waiting), default=0.0),
                    running=sum(view.state is JobState.RUNNING for view in of_kind),
                    poisoned=sum(view.state is JobState.POISONED for view in of_kind),
                    communities=len({view.community for view in waiting}),
                )
            )
        return found

    async def workers(self) -> Sequence[WorkerView]:
        """Nobody does."""
        return ()

    async def retry(self, id: str) -> bool:
        """See `JobQueue`."""
        released = await self._records.release(id)
        entry = self._entries.get(id)
        if entry is None or isinstance(entry.ending, JobDone | None):
            return released
        again = entry.again()
        self._entries.add(again)
        await self._records.record(again, None)
        self._start(again)
        return True

    async def drop(self, id: str) -> bool:
        """See `JobQueue`."""
        entry = self._entries.get(id)
        recorded = await self._records.drop(id)
        if entry is None:
            return recorded
        await self._stop(entry)
        self._entries.remove(entry)
        if isinstance(entry.ending, JobDone):
            for key in entry.ending.media:
                await self._products.give_up(key)
        return True

    async def aclose(self) -> None:
        """Stops all work; what is recorded is left to the next process. Safe to call twice."""
        self._closed = True
        tasks = [entry.task for entry in self._entries.open() if entry.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _joined(self, id: str, until: float | None) -> bool:
        """Joins what is there already; False where it has to be made anew."""
        while (entry := self._entries.get(id)) is not None:
            if entry.ending is None and entry.wanted > 0:
                entry.wanted += 1
                entry.prolong(until)
                return True
            if entry.ending is None:  # it is being stopped, and is made anew after that
                await entry.changed.wait()
            elif not isinstance(entry.ending, JobDone):
                return entry.poisoned
            elif await self._is_whole(entry.ending):
                return True
            elif self._entries.get(id) is entry:  # nobody else has begun it meanwhile
                return False
        return False

    async def _is_whole(self, done: JobDone) -> bool:
        for key in done.media:
            if not await self._products.has(key):
                return False
        return True

    def _start(self, entry: Entry) -> None:
        entry.task = asyncio.create_task(self._work(entry), name=f"{entry.job.kind} job")

    async def _stop(self, entry: Entry) -> None:
        entry.wanted = 0
        if entry.task is not None and not entry.task.done():
            entry.task.cancel()
            await asyncio.wait({entry.task})
            if entry.ending is None:  # it had not even begun to wait
                await self._finish(entry, JobCancelled())

    async def _work(self, entry: Entry) -> None:
        """A job from its place in the queue to its end."""
        handler = self._handlers[entry.job.kind]
        lane = handler.lane
        if lane.name not in self._lanes:
            self._lanes[lane.name] = FairQueue(lane.at_once, self._most + 1, self._most + 1)
        turn = self._lanes[lane.name].turn(entry.community, entry.person, priority=entry.priority)
        ending: JobEvent | None = None
        try:
            async with AsyncExitStack() as stack:
                try:
                    async with asyncio.timeout_at(entry.loop_until()) as entry.timer:
                        await stack.enter_async_context(turn)
                except TimeoutError:
                    ending = JobExpired()
                    return
                finally:
                    entry.timer = None
                entry.begin(await self._records.begun(entry), _WORKER)
                ending = await self._make(handler, entry)
        except asyncio.CancelledError:
            ending = JobCancelled()
        except ChatAnythingError as error:
            log.warning("A %s job broke off: %s", entry.job.kind, error, exc_info=error)
            ending = JobFailed(str(error), type(error).__name__)
        except Exception:
            log.exception("A %s job broke off", entry.job.kind)
            ending = JobFailed(UNEXPECTED)
        finally:
            if ending is not None:  # else the program ends, and the next one goes on with it
                await self._finish(entry, ending)

    async def _finish(self, entry: Entry, ending: JobEvent) -> None:
        if not (self._closed and isinstance(ending, JobCancelled)):
            await self._records.forget_quietly(entry)
        self._entries.end(entry, ending)

    async def _make(self, handler: Handler, entry: Entry) -> JobEvent:
        def tell(progress: JobProgress) -> None:
            entry.tell(progress)

        try:
            done = await handler.make(entry.job, tell)
            to_json(done.result)
            return done
        except ChatAnythingError as error:
            log.warning("No %s: %s", entry.job.kind, error, exc_info=error)
            return JobFailed(str(error), type(error).__name__)
        except Exception:
            log.exception("No %s", entry.job.kind)
            return JobFailed(UNEXPECTED)

    async def _views(self) -> list[JobView]:
        return await self._records.add_to(self._entries.views())
