"""The queue of one process."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.jobs.base import Job, JobDone, JobFailed, JobState, Priority
from engine.jobs.handlers import Lane
from engine.jobs.local import LocalQueue
from engine.jobs.products import MemoryProducts
from engine.reserve import LOOKS_EVERY
from personas.errors import NotFoundError
from storage.settings import StorageSettings
from storage.store import Storage
from tests.engine.jobs.contract import JobQueueContract, MakeWorld, World, lane, until
from tests.fakes.jobs import ScriptedHandler


@pytest.fixture
async def make_world(storage: Storage) -> AsyncIterator[MakeWorld]:
    queues: list[LocalQueue] = []

    async def make(at_once: int = 1, waiting: int = 100, tries: int = 3) -> World:
        products = MemoryProducts(storage.media)
        handler = ScriptedHandler(products, lane=lane(at_once))
        queue = LocalQueue([handler], products, waiting=waiting, tries=tries)
        queues.append(queue)
        return World(queue, products, handler, lambda: asyncio.sleep(3 * LOOKS_EVERY))

    yield make
    for queue in queues:
        await queue.aclose()


class TestLocalQueue(JobQueueContract):
    """It is a JobQueue."""


async def test_heavy_work_of_a_device_is_done_one_after_the_other(storage: Storage) -> None:
    products = MemoryProducts(storage.media)
    gpu = Lane("gpu")
    handlers = [
        ScriptedHandler(products, "clip", gpu),
        ScriptedHandler(products, "portrait", gpu),
        ScriptedHandler(products, "speech", Lane("speech", 4)),
    ]
    queue = LocalQueue(handlers, products)
    ids = [
        await queue.submit(Job(kind, {"name": kind}), community="a", priority=Priority.CLIP)
        for kind in ("clip", "portrait", "speech")
    ]
    clip, portrait, speech = handlers
    await until(lambda: clip.begun == ["clip"] and speech.begun == ["speech"])
    assert portrait.begun == []
    for handler in handlers:
        handler.gate.set()
    for id in ids:
        assert isinstance([event async for event in queue.events(id)][-1], JobDone)
    await queue.aclose()


PORTRAIT = Job("portrait", {"name": "one"}, {"hint": 1}, "ink", {"request": "r"})


class Process:
    """One process after the other on the same data, each with a queue."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.storage: Storage
        self.handler: ScriptedHandler
        self.queue: LocalQueue

    async def start(self, **options: int) -> None:
        self.storage = await Storage.open(StorageSettings(data_folder=self._folder))
        products = MemoryProducts(self.storage.media)
        self.handler = ScriptedHandler(products, "portrait", Lane("portrait"))
        self.queue = LocalQueue([self.handler], products, records=self.storage.jobs, **options)

    async def submit(self, job: Job = PORTRAIT, patience: float | None = None) -> str:
        options = {"community": "a", "person": "ana", "patience": patience}
        return await self.queue.submit(job, priority=Priority.PORTRAIT, **options)

    async def end(self) -> None:
        await self.queue.aclose()
        await self.storage.aclose()


@pytest.fixture
async def process(tmp_path: Path, empty_data: Path) -> AsyncIterator[Process]:
    shutil.copytree(empty_data, tmp_path / "data")
    process = Process(tmp_path / "data")
    await process.start()
    yield process
    await process.end()


async def test_a_portrait_survives_the_end_of_the_program(process: Process) -> None:
    id = await process.submit(patience=100)
    await until(lambda: process.handler.begun == ["one"])
    await process.end()
    await process.start()
    (view,) = await process.queue.jobs()
    assert view.id == id and view.state is JobState.WAITING and view.tries == 1
    assert await process.queue.resume() == 1
    assert await process.submit() == id
    process.handler.gate.set()
    end = [event async for event in process.queue.events(id)][-1]
    assert isinstance(end, JobDone) and process.handler.begun == ["one"]
    assert await process.storage.jobs.list() == []
    await process.end()
    await process.start()
    assert await process.queue.resume() == 0


async def test_what_nobody_waits_for_any_more_is_not_taken_up(process: Process) -> None:
    await process.submit(Job("portrait", {"name": "running"}))
    await until(lambda: process.handler.begun == ["running"])
    await process.submit(patience=0.3)
    await process.end()
    await asyncio.sleep(0.4)
    await process.start()
    process.handler.gate.set()
    assert await process.queue.resume() == 1
    await until(lambda: process.handler.made == ["running"])


async def test_a_portrait_that_ends_the_program_is_set_aside(process: Process) -> None:
    id = await process.submit()
    for _ in range(2):
        await until(lambda: process.handler.begun == ["one"])
        await process.end()
        await process.start(tries=2)
        resumed = await process.queue.resume()
    assert resumed == 0
    (view,) = await process.queue.jobs(JobState.POISONED)
    assert "left alone" in view.reason
    await process.submit()
    end = [event async for event in process.queue.events(id)][-1]
    assert isinstance(end, JobFailed) and "left alone" in end.reason
    assert process.handler.begun == []
    assert await process.queue.retry(id)
    process.handler.gate.set()
    assert isinstance([event async for event in process.queue.events(id)][-1], JobDone)


async def test_of_two_processes_one_takes_up_what_was_left(process: Process) -> None:
    await process.submit()
    await until(lambda: process.handler.begun == ["one"])
    await process.end()
    await process.start()
    other = Process(process._folder)
    await other.start()
    resumed = await asyncio.gather(process.queue.resume(), other.queue.resume())
    assert sorted(resumed) == [0, 1]
    await other.end()


async def test_what_is_cancelled_is_not_taken_up(process: Process) -> None:
    id = await process.submit()
    await until(lambda: process.handler.begun == ["one"])
    await process.queue.cancel(id)
    await process.end()
    await process.start()
    assert await process.queue.resume() == 0


async def test_products_in_memory_reach_no_disk_unless_they_are_taken(
    storage: Storage, tmp_path: Path
) -> None:
    products = MemoryProducts(storage.media, most=100)
    key = await products.put(b"x" * 60, ".clip")
    assert not list((tmp_path / "data" / "media").rglob("*.clip"))
    await products.take(key)
    assert await storage.media.get(key) == b"x" * 60
    await products.put(b"y" * 60, ".clip")
    assert not await products.has(key)
    with pytest.raises(NotFoundError):
        await products.get(key)
