"""Records: which jobs of a LocalQueue are written down, and what becomes of them later."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from engine.jobs.base import Job, JobFailed, JobState, JobView, Priority
from engine.jobs.entries import Entry
from personas.errors import ChatAnythingError

if TYPE_CHECKING:
    from storage.jobs import JobRepository, RecordedJob

log = logging.getLogger(__name__)


class Records:
    """Writes down jobs of some kinds.

    Args:
        repository: where; None: nowhere.
        kinds: which.
        tries: how often one may end the process before it is set aside.
    """

    def __init__(self, repository: JobRepository | None, kinds: frozenset[str], tries: int) -> None:
        self._repository = repository
        self._kinds = kinds
        self._tries = tries

    async def record(self, entry: Entry, patience: float | None) -> JobFailed | None:
        """Writes a new job down; why it is not to be tried, if it was set aside."""
        if self._repository is None or entry.job.kind not in self._kinds:
            return None
        known = await self._repository.record(_recorded(entry, patience))
        return JobFailed(known.reason) if known.reason else None

    async def adopt(self) -> list[Entry]:
        """What ended processes have left, but for what is too late or has ended too many."""
        if self._repository is None:
            return []
        adopted = []
        for record in await self._repository.adopt():
            if record.tries >= self._tries:
                log.error("A %s job is set aside: %s", record.kind, _reason(record))
                await self._repository.set_aside(record.id, _reason(record))
            elif record.until is not None and record.until <= datetime.now(UTC):
                await self._repository.forget(record.id)
            else:
                adopted.append(_entry(record))
        return adopted

    async def begun(self, entry: Entry) -> int:
        """Counts a try; which one it is."""
        if self._repository is None or entry.job.kind not in self._kinds:
            return entry.tries + 1
        return await self._repository.begun(entry.job.id)

    async def forget_quietly(self, entry: Entry) -> None:
        """Removes what has ended. What fails here is found, and done again, by the next process."""
        if self._repository is None or entry.job.kind not in self._kinds:
            return
        try:
            await self._repository.forget(entry.job.id)
        except ChatAnythingError:
            log.warning("An ended job could not be forgotten.", exc_info=True)

    async def drop(self, id: str) -> bool:
        """Removes a job that no other process has in hand; whether there was one."""
        return self._repository is not None and await self._repository.drop(id)

    async def release(self, id: str) -> bool:
        """Gives one that was set aside another chance; whether there was one."""
        return self._repository is not None and await self._repository.release(id)

    async def add_to(self, views: Iterable[JobView]) -> list[JobView]:
        """The views, with the jobs of other processes."""
        found = list(views)
        if self._repository is not None:
            known = {view.id for view in found}
            records = await self._repository.list()
            found += [_view(record) for record in records if record.id not in known]
        return found


def _recorded(entry: Entry, patience: float | None) -> RecordedJob:
    from storage.jobs import RecordedJob

    job = entry.job
    body = {
        "payload": dict(job.payload),
        "hints": dict(job.hints),
        "affinity": job.affinity,
        "meta": dict(job.meta),
    }
    until = None if patience is None else datetime.now(UTC) + timedelta(seconds=patience)
    return RecordedJob(
        id=job.id,
        kind=job.kind,
        community=entry.community,
        person=entry.person,
        priority=entry.priority,
        until=until,
        body=body,
    )


def _entry(record: RecordedJob) -> Entry:
    body: dict[str, Any] = dict(record.body)
    job = Job(record.kind, body["payload"], body["hints"], body["affinity"], body["meta"])
    until = None
    if record.until is not None:
        until = time.monotonic() + (record.until - datetime.now(UTC)).total_seconds()
    return Entry(
        job, record.community, record.person, Priority(record.priority), until, tries=record.tries
    )


def _view(record: RecordedJob) -> JobView:
    state = JobState.RUNNING if record.is_owned and record.tries else JobState.WAITING
    if record.reason:
        state = JobState.POISONED
    return JobView(
        id=record.id,
        kind=record.kind,
        state=state,
        community=record.community,
        priority=record.priority,
        tries=record.tries,
        submitted=record.created_at,
        waited=(datetime.now(UTC) - record.created_at).total_seconds(),
        ran=0.0,
        worker="another process" if record.is_owned else "",
        reason=record.reason,
        payload=record.body.get("payload", {}),
    )


def _reason(record: RecordedJob) -> str:
    return f"The program ended {record.tries} times while it was at this, so it is left alone."
