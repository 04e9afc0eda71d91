"""Entries: the jobs that a LocalQueue knows of, while they are open and for a while after."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

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
    Priority,
)
from engine.jobs.following import Standing

_KEPT: Final = 512
"""Ended jobs that are remembered for who asks again."""
_STATES: Final = {
    JobDone: JobState.DONE,
    JobFailed: JobState.FAILED,
    JobCancelled: JobState.CANCELLED,
    JobExpired: JobState.EXPIRED,
}


@dataclass(eq=False)
class Entry:
    """A job in the hands of a LocalQueue.

    Attributes:
        until: monotonic seconds; it is not begun after that. None: no matter how late.
        wanted: how many have submitted it and not taken it back.
        changed: set when something happens to it, and replaced by another then.
        timer: of its waiting.
        task: works on it.
    """

    job: Job
    community: str
    person: str
    priority: Priority
    until: float | None
    tries: int = 0
    wanted: int = 1
    poisoned: bool = False
    submitted: datetime = field(default_factory=lambda: datetime.now(UTC))
    since: float = field(default_factory=time.monotonic)
    began: float | None = None
    ended: float | None = None
    worker: str = ""
    progress: JobProgress | None = None
    ending: JobEvent | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    timer: asyncio.Timeout | None = None
    task: asyncio.Task[None] | None = None

    def begin(self, tries: int, worker: str) -> None:
        """Somebody works on it."""
        self.tries, self.worker, self.began = tries, worker, time.monotonic()
        self._tell()

    def tell(self, progress: JobProgress) -> None:
        """It is so far; what there was already stays."""
        before = self.progress.data if self.progress else {}
        data = {**before, **progress.data}
        self.progress = JobProgress(progress.fraction, progress.doing, data)
        self._tell()

    def end(self, ending: JobEvent) -> None:
        """It has ended."""
        self.ending, self.ended = ending, time.monotonic()
        self._tell()

    def prolong(self, until: float | None) -> None:
        """Somebody waits for it so long."""
        if self.until is not None:
            self.until = None if until is None else max(self.until, until)
            if self.timer is not None:
                self.timer.reschedule(self.loop_until())

    def loop_until(self) -> float | None:
        """`until` in the time of the event loop, which tests may turn faster."""
        if self.until is None:
            return None
        return asyncio.get_running_loop().time() + self.until - time.monotonic()

    def again(self) -> Entry:
        """The same job, from its beginning."""
        return Entry(self.job, self.community, self.person, self.priority, None)

    def standing(self) -> Standing:
        """How it stands."""
        return Standing(self.tries, self.worker, self.progress, self.ending)

    @property
    def state(self) -> JobState:
        """Likewise, in a word."""
        if self.poisoned:
            return JobState.POISONED
        if self.ending is not None:
            return _STATES[type(self.ending)]
        return JobState.WAITING if self.began is None else JobState.RUNNING

    def view(self) -> JobView:
        """As operators see it."""
        now = time.monotonic()
        began = self.began if self.began is not None else (self.ended or now)
        return JobView(
            id=self.job.id,
            kind=self.job.kind,
            state=self.state,
            community=self.community,
            priority=self.priority,
            tries=self.tries,
            submitted=self.submitted,
            waited=began - self.since,
            ran=(self.ended or now) - began,
            worker=self.worker,
            reason=self.ending.reason if isinstance(self.ending, JobFailed) else "",
            payload=self.job.payload,
        )

    def _tell(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()


class Entries:
    """By id; those that have ended are forgotten in the order in which they did."""

    def __init__(self) -> None:
        """There are none."""
        self._open: dict[str, Entry] = {}
        self._ended: OrderedDict[str, Entry] = OrderedDict()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(entry.began is None for entry in self._open.values())

    def get(self, id: str) -> Entry | None:
        """One of them."""
        return self._open.get(id) or self._ended.get(id)

    def add(self, entry: Entry) -> None:
        """One more, in place of an ended one."""
        self._ended.pop(entry.job.id, None)
        self._open[entry.job.id] = entry

    def end(self, entry: Entry, ending: JobEvent) -> None:
        """One has ended."""
        entry.end(ending)
        if self._open.get(entry.job.id) is entry:
            del self._open[entry.job.id]
            self._ended[entry.job.id] = entry
        while len(self._ended) > _KEPT:
            self._ended.popitem(last=False)

    def remove(self, entry: Entry) -> None:
        """Forgets one; another that has taken its place stays."""
        for entries in (self._open, self._ended):
            if entries.get(entry.job.id) is entry:
                del entries[entry.job.id]

    def open(self) -> list[Entry]:
        """Those that have not ended."""
        return list(self._open.values())

    def views(self) -> Iterator[JobView]:
        """All, those that are next first."""
        entries = [*self._open.values(), *self._ended.values()]
        for entry in sorted(entries, key=lambda one: (one.began is None, one.priority, one.since)):
            yield entry.view()
