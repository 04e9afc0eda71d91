"""The load run: how many jobs a second the queue carries, and whether depth makes it slower."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import secrets
import statistics
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import make_url

from bot.bench.children import Children
from bot.bench.figures import Spread
from bot.bench.handling import KIND, Nowhere, PauseHandler
from bot.bench.ledger import Ledger
from bot.bench.plans import LoadPlan
from engine.jobs.base import ENDINGS, Job, JobQueue, JobStarted, Priority
from engine.jobs.local import LocalQueue
from engine.jobs.saq.queue import SaqQueue
from engine.jobs.settings import JobSettings

_ASKERS: Final = 16
"""Communities that ask for one job after the other."""
_FLOOD: Final = "discord:1"
"""The community that has filled the queue."""
_QUIET: Final = 50
"""Jobs that are put in while nobody works, to time that alone."""

_FILL: Final = """
INSERT INTO saq_jobs (key, job, queue, status, priority, group_key, scheduled, kind, community,
                      affinity, turn)
SELECT md5('bench' || n) || md5('fill' || n), j.job, j.queue, 'queued', j.priority, j.group_key, 0,
       j.kind, j.community, '', j.turn + n
FROM saq_jobs AS j, generate_series(1, %(count)s) AS n WHERE j.key = %(key)s
"""
_CLEAR: Final = "DELETE FROM saq_jobs"
_WAITS: Final = """
SELECT extract(epoch FROM begun - since)::float AS waited FROM saq_jobs
WHERE status = 'complete' AND community <> %(flood)s AND since > %(start)s
"""
_ENDED: Final = """
SELECT count(*) AS count, extract(epoch FROM max(ended) - %(start)s)::float AS took
FROM saq_jobs WHERE status = 'complete' AND ended > %(start)s
"""
_NOW: Final = "SELECT clock_timestamp() AS now"
_LEFT: Final = "SELECT count(*) FROM saq_jobs WHERE status = 'queued'"


@dataclass(frozen=True)
class DepthFigures:
    """What a depth costs; times in seconds.

    Attributes:
        queue: local or saq.
        depth: jobs of one community that waited when it began.
        left: of them, and of others, when it ended.
        jobs: that were done.
        rate: jobs a second.
        enqueue: to put one in, while nobody works.
        enqueue_busy: likewise while all work.
        wait: from then until another community's job is begun, while all work.
        whole: from asking to hearing that it is done.
        transactions: of the database for a job.
    """

    queue: str
    depth: int
    left: int
    jobs: int
    rate: float
    enqueue: Spread
    enqueue_busy: Spread
    wait: Spread
    whole: Spread
    transactions: float


class Asking:
    """Communities that ask for one job after the other, and wait for each.

    Args:
        queue: where.
        label: makes the jobs different from those of other runs.
    """

    def __init__(self, queue: JobQueue, label: str) -> None:
        self._queue = queue
        self._label = label
        self._numbers = itertools.count()
        self.submits: list[float] = []
        self.waits: list[float] = []
        self.wholes: list[float] = []

    def job(self) -> Job:
        """One that was never asked for."""
        return Job(KIND, {"name": f"{self._label} {next(self._numbers)}"})

    async def submit(self, community: str) -> str:
        """Puts one in, and times that."""
        job, start = self.job(), time.perf_counter()
        await self._queue.submit(job, community=community, priority=Priority.CLIP)
        self.submits.append(time.perf_counter() - start)
        return job.id

    async def ask(self, community: str) -> None:
        """Puts one in and waits for its end."""
        start = time.perf_counter()
        id = await self.submit(community)
        asked = time.perf_counter()
        begun = 0.0
        async with contextlib.aclosing(self._queue.events(id)) as events:
            async for event in events:
                if isinstance(event, JobStarted) or (isinstance(event, ENDINGS) and not begun):
                    begun = time.perf_counter()
        self.waits.append(begun - asked)
        self.wholes.append(time.perf_counter() - start)

    async def keep_asking(self, seconds: float) -> None:
        """All communities ask, for so long."""
        end = time.perf_counter() + seconds

        async def one(number: int) -> None:
            while time.perf_counter() < end:
                await self.ask(f"discord:{number + 2}")

        await asyncio.gather(*(one(number) for number in range(_ASKERS)))


class LoadRun:
    """Measures the queue of one PostgreSQL.

    Args:
        plan: what is measured.
        url: of the database.
        doing: told what is going on.
    """

    def __init__(self, plan: LoadPlan, url: str, doing: Callable[[str], object]) -> None:
        self._plan = plan
        self._url = url
        self._doing = doing
        self.name = f"bench_{secrets.token_hex(4)}"
        self.settings: dict[str, Any] = {"backend": "saq", "name": self.name, "waiting": 2_000_000}
        self.ledger = Ledger(url, self.name)

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[SaqQueue]:
        """A queue of its own, which is gone afterwards."""
        queue = await SaqQueue.open(
            make_url(self._url), Nowhere(), JobSettings.model_validate(self.settings)
        )
        try:
            yield queue
        finally:
            await queue.aclose()
            await asyncio.to_thread(self.ledger.drop)

    async def depths(self) -> list[DepthFigures]:
        """Each depth in turn."""
        async with self.open() as queue:
            return [await self._depth(queue, depth) for depth in self._plan.depths]

    @contextlib.asynccontextmanager
    async def working(self, seconds: float = 0.0) -> AsyncIterator[None]:
        """Workers are at work for as long as the context lasts.

        Args:
            seconds: how long each job takes.
        """
        told = {
            "url": self._url,
            "jobs": self.settings,
            "seconds": seconds,
            "at_once": self._plan.at_once,
        }
        async with Children() as children:
            started = [await children.start("hands", told) for _ in range(self._plan.workers)]
            for child in started:
                await child.ready()
            yield

    async def _depth(self, queue: SaqQueue, depth: int) -> DepthFigures:
        self._doing(f"{depth:,} jobs wait")
        await queue.database.rows(_CLEAR)
        first = Asking(queue, f"flood {depth}")
        key = await first.submit(_FLOOD)
        await queue.database.rows(_FILL, 600.0, key=key, count=depth - 1)
        await queue.database.rows("ANALYZE saq_jobs")  # as PostgreSQL does by itself before long
        quiet = Asking(queue, f"quiet {depth}")
        for number in range(_QUIET):
            await quiet.submit(f"discord:{number % _ASKERS + 2}")
        busy = Asking(queue, f"busy {depth}")
        async with self.working():
            start = (await queue.database.rows(_NOW))[0]["now"]
            before = await asyncio.to_thread(self.ledger.transactions)
            await busy.keep_asking(self._plan.seconds)
            ended = (await queue.database.rows(_ENDED, start=start))[0]
        await asyncio.sleep(1.2)  # PostgreSQL tells its counters once a second
        after = await asyncio.to_thread(self.ledger.transactions)
        waits = await queue.database.rows(_WAITS, flood=_FLOOD, start=start)
        left = (await queue.database.rows(_LEFT))[0]["count"]
        return DepthFigures(
            queue="saq",
            depth=depth,
            left=left,
            jobs=ended["count"],
            rate=ended["count"] / max(ended["took"] or 0.0, 1e-9),
            enqueue=Spread.of(quiet.submits),
            enqueue_busy=Spread.of(busy.submits),
            wait=Spread.of(row["waited"] for row in waits),
            whole=Spread.of(busy.wholes),
            transactions=(after - before) / max(1, ended["count"]),
        )


async def local_depth(plan: LoadPlan, depth: int) -> DepthFigures:
    """The queue in the process, at the same depth and with as many hands."""
    hands = plan.workers * plan.at_once
    gate = asyncio.Event()

    class Gated(PauseHandler):
        async def make(self, job: Any, tell: Any) -> Any:
            await gate.wait()
            return await super().make(job, tell)

    queue = LocalQueue([Gated(0.0, at_once=hands)], Nowhere(), waiting=2_000_000)
    try:
        flood = Asking(queue, f"local flood {depth}")
        for _ in range(depth):
            await queue.submit(flood.job(), community=_FLOOD, priority=Priority.CLIP)
        quiet, busy = Asking(queue, f"local quiet {depth}"), Asking(queue, f"local {depth}")
        for number in range(_QUIET):
            await quiet.submit(f"discord:{number % _ASKERS + 2}")
        start = time.perf_counter()
        gate.set()
        await busy.keep_asking(min(plan.seconds, 3.0))
        took = time.perf_counter() - start
        left = sum(one.waiting for one in await queue.stats())
        done = depth + _QUIET + len(busy.wholes) - left
        return DepthFigures(
            queue="local",
            depth=depth,
            left=left,
            jobs=done,
            rate=done / took,
            enqueue=Spread.of(quiet.submits),
            enqueue_busy=Spread.of(busy.submits),
            wait=Spread.of(busy.waits),
            whole=Spread.of(busy.wholes),
            transactions=0.0,
        )
    finally:
        await queue.aclose()


def growth(figures: Sequence[DepthFigures]) -> float:
    """How much more a job costs at the greatest depth than at the least; 1: the same."""
    if len(figures) < 2:
        return 1.0
    return statistics.fmean(
        deep / max(shallow, 1e-9)
        for deep, shallow in (
            (figures[-1].enqueue.p50, figures[0].enqueue.p50),
            (figures[0].rate, figures[-1].rate),
        )
    )
