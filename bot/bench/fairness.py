"""The fairness run: what a community waits while another one floods the queue."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bot.bench.figures import Spread
from bot.bench.load import Asking, LoadRun
from bot.bench.plans import LoadPlan
from engine.jobs.base import Job, Priority
from engine.jobs.saq.queue import SaqQueue

SECONDS: Final = 0.5
"""Of a job, on average."""
BUSY: Final = 0.7
"""Share of the hands that the others keep busy, flood or not."""
COMMUNITIES: Final = 10
_AT_ONCE: Final = 4
_FLOODER: Final = "discord:1"
_WAITS: Final = """
SELECT extract(epoch FROM begun - since)::float AS waited FROM saq_jobs
WHERE key = ANY(%(keys)s) AND begun IS NOT NULL
"""


@dataclass(frozen=True)
class Fairness:
    """What others wait; times in seconds.

    Attributes:
        jobs: that the others asked for, each time.
        flood: jobs that one community asked for at once.
        quiet: what the others wait without it.
        flooded: and with it.
        flooder: what the flooding community waits.
    """

    jobs: int
    flood: int
    quiet: Spread
    flooded: Spread
    flooder: Spread

    @property
    def ratio(self) -> float:
        """p95 beside a flood, by p95 without."""
        return self.flooded.p95 / max(self.quiet.p95, 1e-9)


async def fairness(
    plan: LoadPlan, url: str, jobs: int, flood: int, seed: int, doing: Callable[[str], object]
) -> Fairness:
    """Lets communities ask at random moments, first without and then with a flood.

    Args:
        plan: how many processes work.
        url: of the database.
        jobs: that the others ask for, each time.
        flood: jobs that one more community asks for at once.
        seed: decides the moments; they are the same both times.
        doing: told what is going on.
    """
    run = LoadRun(replace(plan, at_once=max(1, _AT_ONCE // plan.workers)), url, doing)
    hands = max(1, _AT_ONCE // plan.workers) * plan.workers
    async with run.open() as queue, run.working(SECONDS):
        doing("Communities ask, and nobody floods")
        keys = await _ask(queue, jobs, hands, seed, "quiet")
        quiet = await _waits(queue, keys)
        doing("Communities ask, and one floods")
        asking = Asking(queue, f"flood {seed}")
        flooded: list[str] = []
        for _ in range(flood):
            job = asking.job()
            await queue.submit(job, community=_FLOODER, priority=Priority.CLIP)
            flooded.append(job.id)
        keys = await _ask(queue, jobs, hands, seed, "flooded")
        return Fairness(jobs, flood, quiet, await _waits(queue, keys), await _waits(queue, flooded))


async def _ask(queue: SaqQueue, jobs: int, hands: int, seed: int, label: str) -> list[str]:
    """Jobs of many communities, at moments that do not depend on how fast they are done."""
    chance = random.Random(seed)
    asking = Asking(queue, f"{label} {seed}")
    start, at = time.monotonic(), 0.0
    submits: list[asyncio.Task[str]] = []
    ids: list[str] = []

    async def submit(job: Job, community: str) -> str:
        return await queue.submit(job, community=community, priority=Priority.CLIP)

    for _ in range(jobs):
        at += chance.expovariate(BUSY * hands / SECONDS)
        await asyncio.sleep(max(0.0, start + at - time.monotonic()))
        community = f"discord:{2 + chance.randrange(COMMUNITIES)}"
        submits.append(asyncio.create_task(submit(asking.job(), community)))
    ids = list(await asyncio.gather(*submits))
    await _done(queue, ids)
    return ids


async def _done(queue: SaqQueue, ids: Sequence[str]) -> None:
    query = "SELECT count(*) FROM saq_jobs WHERE key = ANY(%(keys)s) AND status <> 'complete'"
    while True:
        rows = await queue.database.rows(query, keys=list(ids))
        if rows[0]["count"] == 0:
            return
        await asyncio.sleep(0.2)


async def _waits(queue: SaqQueue, keys: Sequence[str]) -> Spread:
    rows = await queue.database.rows(_WAITS, keys=list(keys))
    return Spread.of(row["waited"] for row in rows)
