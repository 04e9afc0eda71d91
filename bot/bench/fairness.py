"""The fairness run: what communities wait while another one floods the queue, at many loads."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bot.bench.figures import Spread
from bot.bench.handling import KIND
from bot.bench.load import LoadRun
from bot.bench.plans import FairPlan, LoadPlan
from engine.capacity.beside import Beside
from engine.jobs.base import Job, Priority
from engine.jobs.saq.database import Row
from engine.jobs.saq.queue import SaqQueue

JOB: Final = 0.5
"""Seconds of a job, on average."""
COMMUNITIES: Final = 10
_SPREAD: Final = 0.5
"""Of the logarithm of its length."""
_FLOODER: Final = "discord:1"
_TIMES: Final = """
SELECT extract(epoch FROM begun - since)::float AS waited,
    extract(epoch FROM ended - since)::float AS took
FROM saq_jobs WHERE key = ANY(%(keys)s) AND status = 'complete'
"""
_HAD: Final = """
SELECT COALESCE(sum(extract(epoch FROM COALESCE(ended, now()) - GREATEST(begun, %(start)s)))
    / extract(epoch FROM now() - %(start)s), 0)::float AS hands
FROM saq_jobs WHERE community = %(flooder)s AND begun IS NOT NULL
    AND COALESCE(ended, now()) > %(start)s
"""
_NOW: Final = "SELECT clock_timestamp() AS now"
_LEFT: Final = """
SELECT count(*) FROM saq_jobs WHERE key = ANY(%(keys)s) AND status <> 'complete'
"""
_DROP: Final = "DELETE FROM saq_jobs WHERE community = %(flooder)s AND status = 'queued'"
_BUSY: Final = "SELECT count(*) FROM saq_jobs WHERE status = 'active'"


@dataclass(frozen=True)
class Fairness:
    """What others wait at one point; times in seconds.

    Attributes:
        hands: places of the workers.
        busy: share of them that the others keep busy, flood or not.
        quiet: what the others wait without a flood, until a hand begins.
        flooded: and with one.
        quiet_whole: likewise until it is done.
        flooded_whole: likewise with a flood.
        flooder_alone: hands that the flooding community had while nobody else asked.
        flooder: and beside the others.
    """

    hands: int
    busy: float
    quiet: Spread
    flooded: Spread
    quiet_whole: Spread
    flooded_whole: Spread
    flooder_alone: float
    flooder: float

    @property
    def figures(self) -> Beside:
        """In numbers that can be compared with the simulated ones."""
        return Beside(
            self.hands,
            self.busy,
            JOB,
            self.quiet.p95,
            self.flooded.p95,
            self.quiet_whole.p95,
            self.flooded_whole.p95,
            self.flooder,
        )


class FairRun:
    """Lets communities ask at random moments, first without and then with a flood.

    Args:
        plan: where, how long, and how much.
        workers: processes that work.
        url: of the database.
        doing: told what is going on.
    """

    def __init__(
        self, plan: FairPlan, workers: int, url: str, doing: Callable[[str], object]
    ) -> None:
        self._plan = plan
        self._workers = workers
        self._url = url
        self._doing = doing

    async def points(self) -> list[Fairness]:
        """All points of the plan, one after the other."""
        grid = itertools.product(self._plan.hands, self._plan.busy)
        return [await self._point(hands, busy) for hands, busy in grid]

    async def _point(self, hands: int, busy: float) -> Fairness:
        workers = min(self._workers, hands)
        each = LoadPlan(workers=workers, at_once=hands // workers)
        hands, named = each.workers * each.at_once, f"{hands} hands, {busy:.0%} busy"
        run = LoadRun(each, self._url, self._doing)
        async with run.open() as queue, run.working():
            self._doing(f"{named}: one floods, and nobody else asks")
            await self._flood(queue)
            await asyncio.sleep(4 * JOB)
            start = await _now(queue)
            await asyncio.sleep(10 * JOB)
            alone = await _had(queue, start)
            await self._end_flood(queue)
            self._doing(f"{named}: nobody floods")
            quiet = await self._ask(queue, hands, busy)
            self._doing(f"{named}: one floods")
            await self._flood(queue)
            start = await _now(queue)
            flooded = await self._ask(queue, hands, busy)
            beside = await _had(queue, start)
            await self._end_flood(queue)
        return Fairness(
            hands=hands,
            busy=busy,
            quiet=_spread(quiet, "waited"),
            flooded=_spread(flooded, "waited"),
            quiet_whole=_spread(quiet, "took"),
            flooded_whole=_spread(flooded, "took"),
            flooder_alone=alone,
            flooder=beside,
        )

    async def _ask(self, queue: SaqQueue, hands: int, busy: float) -> Sequence[Row]:
        """Jobs of many communities, at moments that do not depend on how fast they are done."""
        chance, label = random.Random(self._plan.seed), f"{time.time_ns()}"
        start, at = time.monotonic(), 0.0
        submits: list[asyncio.Task[str]] = []
        while True:
            at += chance.expovariate(busy * hands / JOB)
            if at > self._plan.seconds:
                break
            job = _job(f"{label} {len(submits)}", chance)
            community = f"discord:{2 + chance.randrange(COMMUNITIES)}"
            await asyncio.sleep(max(0.0, start + at - time.monotonic()))
            asking = queue.submit(job, community=community, priority=Priority.CLIP)
            submits.append(asyncio.create_task(asking))
        keys = list(await asyncio.gather(*submits))
        while (await queue.database.rows(_LEFT, keys=keys))[0]["count"]:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        return await queue.database.rows(_TIMES, keys=keys)

    async def _flood(self, queue: SaqQueue) -> None:
        chance, label = random.Random(self._plan.seed), f"flood {time.time_ns()}"
        for number in range(self._plan.flood):
            job = _job(f"{label} {number}", chance)
            await queue.submit(job, community=_FLOODER, priority=Priority.CLIP)

    async def _end_flood(self, queue: SaqQueue) -> None:
        """What waits of it is taken back, and what is in hand is done."""
        await queue.database.rows(_DROP, flooder=_FLOODER)
        while (await queue.database.rows(_BUSY))[0]["count"]:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


def _job(name: str, chance: random.Random) -> Job:
    """One whose length differs from others as those of clips do."""
    seconds = JOB * chance.lognormvariate(-(_SPREAD**2) / 2, _SPREAD)
    return Job(KIND, {"name": name, "seconds": seconds})


def _spread(rows: Sequence[Row], figure: str) -> Spread:
    return Spread.of(row[figure] for row in rows)


async def _now(queue: SaqQueue) -> Any:
    return (await queue.database.rows(_NOW))[0]["now"]


async def _had(queue: SaqQueue, start: Any) -> float:
    """Hands that the flooding community had since then, on average."""
    rows = await queue.database.rows(_HAD, flooder=_FLOODER, start=start)
    return float(rows[0]["hands"])
