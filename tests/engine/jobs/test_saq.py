"""The queue of many processes, on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import make_url

from engine.jobs.base import Job, JobDone, JobState, Priority
from engine.jobs.products import StoredProducts
from engine.jobs.saq.fingerprint import check, publish
from engine.jobs.saq.keeping import kept_now
from engine.jobs.saq.queue import SaqQueue
from engine.jobs.saq.sql import OVER
from engine.jobs.saq.worker import SaqWorker
from engine.jobs.settings import JobSettings
from engine.turns import CREDIT
from personas.errors import UnavailableError
from storage.store import Storage
from tests.engine.jobs.contract import LONG, JobQueueContract, MakeWorld, World, job
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
        return World(queues[-2], products, handler, lambda: until_kept(queues[-1]))

    yield make
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for queue in queues:
        await queue.aclose()


async def until_kept(queue: SaqQueue) -> None:
    async with asyncio.timeout(LONG):
        while not await queue.database.run(kept_now):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


class TestSaqQueue(JobQueueContract):
    """It is a JobQueue; who works for it has a connection of their own."""


async def test_a_flood_of_thousands_delays_nobody_and_costs_no_more(
    make_world: MakeWorld,
) -> None:
    world = await make_world(waiting=100_000)
    queue = world.queue
    assert isinstance(queue, SaqQueue)
    running = await world.submit("running", "flood")
    await world.until_begun("running")
    await world.submit("flood", "flood")
    # As many more, as if each had been submitted.
    await queue.database.rows(
        "INSERT INTO saq_jobs (key, job, queue, status, kind, priority, community, turn, wanted) "
        "SELECT 'f' || n, job, queue, 'queued', kind, priority, community, n, 1 "
        "FROM saq_jobs, generate_series(1, 5000) AS n WHERE key = %(key)s",
        key=job("flood").id,
    )
    ids = [await world.submit(f"{name} {n}", name) for name in ("b", "c") for n in range(2)]
    world.handler.gate.set()
    for id in (running, *ids):
        assert isinstance(await world.end(id), JobDone)
    # In each turn one of each community, the flood's too.
    assert world.handler.made[1:].index("b 1") < 9
    assert sum(name == "flood" for name in world.handler.made[1:8]) <= 3


async def test_a_worker_prefers_what_it_has_loaded_but_not_for_ever(
    make_world: MakeWorld,
) -> None:
    world = await make_world()

    async def submit(name: str, style: str) -> str:
        one = Job("clip", {"name": name}, affinity=style)
        return await world.queue.submit(one, community=name, priority=Priority.CLIP)

    ids = [await submit("first", "ink")]
    await world.until_begun("first")
    ids.append(await submit("other", "oil"))
    ids += [await submit(f"ink {n}", "ink") for n in range(12)]
    world.handler.gate.set()
    for id in ids:
        await world.end(id)
    made = world.handler.made
    assert made.index("ink 0") < made.index("other") < made.index("ink 11")


async def test_workers_and_their_jobs_are_seen(make_world: MakeWorld) -> None:
    world = await make_world(at_once=2)
    await world.submit("one")
    await world.until_begun("one")
    (worker,) = await world.queue.workers()
    assert worker.about["kinds"] == ["clip"] and worker.about["at_once"] == 2
    assert worker.in_hand == 1 and worker.silent < LONG


async def test_a_worker_leaves_to_others_what_it_does_not_make(make_world: MakeWorld) -> None:
    world = await make_world()
    portrait = Job("portrait", {"name": "portrait"})
    id = await world.queue.submit(portrait, community="a", priority=Priority.SPEECH)
    world.handler.gate.set()
    await world.end(await world.submit("clip"))
    view = await world.queue.find(id)
    assert view is not None and view.state is JobState.WAITING


async def test_hands_are_the_places_of_those_who_make_such_jobs(make_world: MakeWorld) -> None:
    world = await make_world(at_once=12)
    queue = world.queue
    assert isinstance(queue, SaqQueue)
    painter = SaqWorker(queue, [ScriptedHandler(world.products, "portrait")], 5)
    painting = asyncio.create_task(painter.run())
    await world.submit("one", "a")
    await world.until_begun("one")
    await world.noticed()
    (kept,) = await queue.database.run(kept_now)
    assert kept["kind"] == "clip" and kept["places"] == 12 and len(kept["workers"]) == 1
    assert 0 < kept["hands"] < 12
    painter.drain()
    await asyncio.wait_for(painting, LONG)


async def test_what_each_has_had_is_forgotten_when_nobody_waits(make_world: MakeWorld) -> None:
    world = await make_world()
    queue = world.queue
    assert isinstance(queue, SaqQueue)
    world.handler.gate.set()
    for n in range(3):
        await world.end(await world.submit(f"{n}", "busy"))

    async def served() -> int:
        return int((await queue.database.rows("SELECT last_value FROM turn_20"))[0]["last_value"])

    async with asyncio.timeout(LONG):
        while await served() < CREDIT:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    world.handler.gate.clear()
    await world.submit("running", "other")
    await world.until_begun("running")
    ids = [await world.submit(f"{name} job", name) for name in ("busy", "new")]
    world.handler.gate.set()
    for id in ids:
        await world.end(id)
    assert world.handler.made[-2:] == ["busy job", "new job"]  # in the order in which they came


async def test_results_are_forgotten_after_a_while(make_world: MakeWorld) -> None:
    world = await make_world(result_seconds=0.001)
    assert isinstance(world.queue, SaqQueue)
    world.handler.gate.set()
    id = await world.submit("one")
    await world.end(id)
    await asyncio.sleep(1.1)
    await world.queue.database.rows(OVER)
    assert await world.queue.find(id) is None


async def test_who_makes_other_things_does_not_start(make_world: MakeWorld) -> None:
    world = await make_world()
    assert isinstance(world.queue, SaqQueue)
    database = world.queue.database
    ours = {"program": "1", "renderer": "drawn"}
    await check(database, ours)  # no bot has been here
    await publish(database, ours)
    await check(database, ours)
    await publish(database, {"program": "2", "renderer": "drawn"})
    with pytest.raises(UnavailableError, match="program: here 1, there 2"):
        await check(database, ours)


async def test_what_the_database_refuses_is_not_quoted_in_the_log(
    make_world: MakeWorld, caplog: pytest.LogCaptureFixture
) -> None:
    world = await make_world()
    assert isinstance(world.queue, SaqQueue)
    await world.queue.database.rows("ALTER TABLE saq_jobs ADD CHECK (person = '')")
    person = "Ana of the Rocks"
    with pytest.raises(UnavailableError) as raised:
        await world.submit("one", person=person)
    told = caplog.text + "".join(traceback.format_exception(raised.value))
    assert "CheckViolation" in told and person not in told


async def test_what_somebody_waits_for_is_not_behind_what_nobody_does(
    make_world: MakeWorld,
) -> None:
    world = await make_world()
    await world.submit("running")
    await world.until_begun("running")
    ids = [await world.submit(f"bulk {n}", "a", priority=Priority.BULK) for n in range(5)]
    clip = await world.submit("clip", "b")
    assert await world.submit("bulk 4", "b", priority=Priority.SPEECH) == ids[4]
    view = await world.queue.find(ids[4])
    assert view is not None and view.priority == Priority.SPEECH
    world.handler.gate.set()
    for id in (*ids, clip):
        await world.end(id)
    assert world.handler.made[:3] == ["running", "bulk 4", "clip"]
