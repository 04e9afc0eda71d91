"""Recovery: how long a job stays lying when its worker is killed, by who looks after it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from bot.bench.children import Child, Children
from bot.bench.figures import Spread
from bot.bench.handling import KIND, Nowhere
from bot.bench.ledger import Ledger
from engine.jobs.base import Job, Priority
from engine.jobs.settings import JobSettings
from personas.errors import UnavailableError

_SECONDS: Final = 2.0
"""Of each job."""
_HEARTBEAT: Final = 2
_SWEEP: Final = 1
_PATIENCE: Final = 120.0
_LOOK: Final = 0.05


@dataclass(frozen=True)
class Recovery:
    """One way to look after jobs; times in seconds.

    Attributes:
        name: of it.
        settings: that matter.
        seconds: from a kill until the job was in other hands.
    """

    name: str
    settings: str
    seconds: Spread


def plain_queue(url: str, name: str) -> Any:
    """SAQ's own queue, in tables of its own."""
    from saq.queue.postgres import PostgresQueue

    return PostgresQueue.from_url(
        url.replace("+psycopg", "", 1),
        name=name,
        jobs_table=f"{name}_jobs",
        stats_table=f"{name}_stats",
        versions_table=f"{name}_versions",
    )


async def compare(url: str, rounds: int, doing: Callable[[str], object]) -> list[Recovery]:
    """Kills workers of SAQ as it comes, and of ours, at the same jobs.

    Args:
        url: of the database.
        rounds: kills each.
        doing: told what is going on.

    Raises:
        UnavailableError: a worker does not start, or a job never comes back.
    """
    doing(f"Killing {rounds} of SAQ's own workers")
    plain = await _of_saq(url, rounds)
    doing(f"Killing {rounds} of our workers")
    ours = await _of_ours(url, rounds)
    return [plain, ours]


async def _of_saq(url: str, rounds: int) -> Recovery:
    import psycopg
    from psycopg import sql

    name = f"bench_{secrets.token_hex(4)}"
    queue = plain_queue(url, name)
    await queue.connect()
    told = {"url": url, "name": name, "seconds": _SECONDS, "at_once": 1, "sweep": _SWEEP}

    async def submit(number: int) -> None:
        await queue.enqueue(
            "pause", name=str(number), retries=10, timeout=0, heartbeat=_HEARTBEAT, ttl=600
        )

    try:
        found = await _kill("saq", told, submit, rounds)
    finally:
        await queue.disconnect()
        async with await psycopg.AsyncConnection.connect(
            url.replace("+psycopg", "", 1), autocommit=True
        ) as connection:
            for kind in ("jobs", "stats", "versions"):
                table = sql.Identifier(f"{name}_{kind}")
                await connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(table))
    settings = f"heartbeat {_HEARTBEAT} s, sweep {_SWEEP} s"
    return Recovery("SAQ's own worker", settings, Spread.of(found))


async def _of_ours(url: str, rounds: int) -> Recovery:
    from sqlalchemy import make_url

    from engine.jobs.saq.queue import SaqQueue

    jobs = {"backend": "saq", "name": f"bench_{secrets.token_hex(4)}", "tries": 20}
    settings = JobSettings.model_validate(jobs)
    queue = await SaqQueue.open(make_url(url), Nowhere(), settings)
    told = {"url": url, "jobs": jobs, "seconds": _SECONDS, "at_once": 1, "tells": True}

    async def submit(number: int) -> None:
        job = Job(KIND, {"name": str(number)})
        await queue.submit(job, community="discord:1", priority=Priority.CLIP)

    try:
        found = await _kill("hands", told, submit, rounds)
    finally:
        await queue.aclose()
        await asyncio.to_thread(Ledger(url, settings.name).drop)
    told_settings = (
        f"gone {settings.gone_seconds:g} s, heartbeat {settings.heartbeat_seconds:g} s, "
        f"sweep {settings.sweep_seconds:g} s"
    )
    return Recovery("chatanything worker", told_settings, Spread.of(found))


async def _kill(
    role: str, told: dict[str, Any], submit: Callable[[int], Awaitable[None]], rounds: int
) -> list[float]:
    """Kills whoever begins a job, and waits until another has it; seconds, round by round."""
    found = []
    async with Children() as children:
        alive = [await children.start(role, told) for _ in range(2)]
        for number in range(rounds):
            for child in alive:
                await child.ready()
            await submit(number)
            victim, _ = await _begins(alive, str(number))
            await asyncio.sleep(0.3)  # the job is well under way
            await victim.kill()
            alive.remove(victim)
            _, at = await _begins(alive, str(number))
            assert victim.killed is not None
            found.append(at - victim.killed)
            alive.append(await children.start(role, told))
    return found


async def _begins(alive: list[Child], name: str) -> tuple[Child, float]:
    """Who begins a job, and when."""
    try:
        async with asyncio.timeout(_PATIENCE):
            while True:
                for child in alive:
                    for begun, at in child.begun:
                        if begun == name:
                            return child, at
                await asyncio.sleep(_LOOK)
    except TimeoutError:
        raise UnavailableError("A job never came back. The bench gives up.") from None
