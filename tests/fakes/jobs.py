"""A handler that does what a test tells it to, and remembers what it did."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.jobs.base import Job, JobDone, JobProgress
from engine.jobs.handlers import Lane, Tell
from engine.jobs.products import Products


@dataclass(eq=False)
class ScriptedHandler:
    """A Handler. It makes one product of the payload's `name`, when the gate is open.

    Attributes:
        begun: names, in the order in which they were begun.
        made: names that were made.
        stopped: names that were cancelled.
        stopping: what was cancelled ends when it is open.
        failures: raised first, one a try.
        most: how many were worked on at the same time.
    """

    products: Products
    kind: str = "clip"
    lane: Lane = field(default_factory=lambda: Lane("clip"))
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    begun: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    result: Callable[[str], Mapping[str, Any]] | None = None
    most: int = 0
    _now: int = 0

    def __post_init__(self) -> None:
        self.stopping.set()

    async def make(self, job: Job, tell: Tell) -> JobDone:
        name = str(job.payload.get("name", ""))
        self.begun.append(name)
        self._now += 1
        self.most = max(self.most, self._now)
        try:
            tell(JobProgress(0.5, "humming", {"sound": name}))
            await self.gate.wait()
            if self.failures:
                raise self.failures.pop(0)
            key = await self.products.put(f"product of {name}".encode("utf-8", "replace"), ".clip")
        except asyncio.CancelledError:
            self.stopped.append(name)
            await self.stopping.wait()
            raise
        finally:
            self._now -= 1
        self.made.append(name)
        result = self.result(name) if self.result else {"clip": key}
        return JobDone(result, (key,), {"humming": 0.1})
