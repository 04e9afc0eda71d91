"""The queue of one process."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from engine.jobs.local import LocalQueue
from engine.jobs.products import MemoryProducts
from storage.store import Storage
from tests.engine.jobs.contract import JobQueueContract, MakeWorld, World, lane
from tests.fakes.jobs import ScriptedHandler


@pytest.fixture
async def make_world(storage: Storage) -> AsyncIterator[MakeWorld]:
    queues: list[LocalQueue] = []

    async def make(at_once: int = 1, waiting: int = 100, tries: int = 3) -> World:
        products = MemoryProducts(storage.media)
        handler = ScriptedHandler(products, lane=lane(at_once))
        queue = LocalQueue([handler], products, waiting=waiting, tries=tries)
        queues.append(queue)
        return World(queue, products, handler)

    yield make
    for queue in queues:
        await queue.aclose()


class TestLocalQueue(JobQueueContract):
    """It is a JobQueue."""
