"""The queue of many processes, on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import make_url

from engine.jobs.products import StoredProducts
from engine.jobs.saq.queue import SaqQueue
from engine.jobs.saq.worker import SaqWorker
from engine.jobs.settings import JobSettings
from storage.store import Storage
from tests.engine.jobs.contract import JobQueueContract, MakeWorld, World
from tests.fakes.jobs import ScriptedHandler


@pytest.fixture
async def make_world(storage: Storage, postgres_url: str) -> AsyncIterator[MakeWorld]:
    tasks: list[asyncio.Task[None]] = []
    queues: list[SaqQueue] = []

    async def make(at_once: int = 1, **options: object) -> World:
        settings = JobSettings(**{"retry_seconds": 0.05, **options})
        products = StoredProducts(storage.media)
        handler = ScriptedHandler(products)
        url = make_url(postgres_url)
        queues.extend([await SaqQueue.open(url, products, settings) for _ in range(2)])
        worker = SaqWorker(queues[-1], [handler], at_once)
        tasks.append(asyncio.create_task(worker.run()))
        return World(queues[-2], products, handler)

    yield make
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for queue in queues:
        await queue.aclose()


class TestSaqQueue(JobQueueContract):
    """It is a JobQueue; who works for it has a connection of their own."""
