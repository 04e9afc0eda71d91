"""A worker in a process of its own, to be killed."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import make_url

from engine.jobs.base import Job, JobDone
from engine.jobs.handlers import Lane, Tell
from engine.jobs.saq.queue import SaqQueue
from engine.jobs.saq.worker import SaqWorker
from engine.jobs.settings import JobSettings


class NoProducts:
    """Nothing is left anywhere."""

    async def put(self, data: bytes, suffix: str) -> str:
        return ""

    async def get(self, key: str) -> bytes:
        return b""

    async def has(self, key: str) -> bool:
        return True

    async def take(self, key: str) -> None:
        pass

    async def give_up(self, key: str) -> None:
        pass


class Sleeper:
    """A Handler whose jobs say how many seconds they take, and by whom they are made."""

    kind = "clip"
    lane = Lane("clip")

    def __init__(self, name: str) -> None:
        self.name = name

    async def make(self, job: Job, tell: Tell) -> JobDone:
        await asyncio.sleep(float(job.payload.get(self.name, job.payload.get("seconds", 0))))
        return JobDone({"by": self.name})


def work(url: str, name: str, options: dict[str, Any], at_once: int = 1) -> None:
    """Works until it is killed."""

    async def run() -> None:
        queue = await SaqQueue.open(make_url(url), NoProducts(), JobSettings(**options))
        await SaqWorker(queue, [Sleeper(name)], at_once, {"name": name}).run()

    asyncio.run(run())
