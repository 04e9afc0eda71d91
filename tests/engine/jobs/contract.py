"""What every JobQueue does. Each queue's own test module inherits these tests."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from engine.fairness import BusyError
from engine.jobs.asking import Asker, ask
from engine.jobs.base import (
    ENDINGS,
    Job,
    JobCancelled,
    JobDone,
    JobEvent,
    JobExpired,
    JobFailed,
    JobProgress,
    JobQueue,
    JobQueued,
    JobStarted,
    JobState,
    Priority,
)
from engine.jobs.handlers import Lane
from engine.jobs.products import Products
from personas.errors import InvalidInputError, NotFoundError, UnavailableError
from tests.fakes.jobs import ScriptedHandler

LONG = 30.0
"""Seconds that nothing here takes, even on a machine that is busy with others."""


@dataclass
class World:
    """A queue, those who work for it, and what they leave.

    `noticed` waits until the queue has noticed for a while who has what in hand.
    """

    queue: JobQueue
    products: Products
    handler: ScriptedHandler
    noticed: Callable[[], Awaitable[None]]

    async def submit(self, name: str, community: str = "a", **options: Any) -> str:
        options.setdefault("priority", Priority.CLIP)
        return await self.queue.submit(job(name), community=community, **options)

    async def events(self, id: str) -> list[JobEvent]:
        async with asyncio.timeout(LONG):
            return [event async for event in self.queue.events(id)]

    async def end(self, id: str) -> JobEvent:
        return (await self.events(id))[-1]

    async def until_begun(self, *names: str) -> None:
        await until(lambda: set(names) <= set(self.handler.begun))


MakeWorld = Callable[..., Awaitable[World]]


def job(name: str, **payload: Any) -> Job:
    return Job("clip", {"name": name, **payload})


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(LONG):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


class JobQueueContract:
    """Inherit, and give a fixture `make_world(at_once=1, **settings)`."""

    @pytest.fixture
    async def world(self, make_world: MakeWorld) -> AsyncIterator[World]:
        yield await make_world()

    async def test_a_job_is_made_and_everybody_hears_of_it(self, world: World) -> None:
        id = await world.submit("one")
        listeners = [asyncio.create_task(world.events(id)) for _ in range(2)]
        await world.until_begun("one")
        await asyncio.sleep(0.3)
        world.handler.gate.set()
        for told in await asyncio.gather(*listeners):
            kinds = [type(event) for event in told]
            assert kinds[0] in (JobQueued, JobStarted)
            assert kinds[-3:] == [JobStarted, JobProgress, JobDone]
            assert told[-2] == JobProgress(0.5, "humming", {"sound": "one"})
        end = told[-1]
        assert isinstance(end, JobDone)
        assert end.seconds == {"humming": 0.1}
        assert await world.products.get(end.result["clip"]) == b"product of one"

    async def test_who_listens_late_hears_the_end(self, world: World) -> None:
        world.handler.gate.set()
        id = await world.submit("one")
        end = await world.end(id)
        assert (await world.events(id))[-1] == end
        assert isinstance(end, JobDone)

    async def test_nobody_can_listen_to_a_job_that_is_not_there(self, world: World) -> None:
        with pytest.raises(NotFoundError):
            await world.events(job("never").id)
        await world.queue.cancel(job("never").id)

    async def test_the_same_job_is_made_once(self, world: World) -> None:
        ids = {await world.submit("one"), await world.submit("one", "b")}
        await world.until_begun("one")
        ids.add(await world.submit("one"))
        world.handler.gate.set()
        (id,) = ids
        first = await world.end(id)
        assert await world.submit("one") == id
        assert await world.end(id) == first
        assert world.handler.made == ["one"]

    async def test_what_is_not_kept_any_more_is_made_again(self, world: World) -> None:
        world.handler.gate.set()
        id = await world.submit("one")
        end = await world.end(id)
        assert isinstance(end, JobDone)
        await world.products.give_up(end.media[0])
        await world.submit("one")
        assert isinstance(await world.end(id), JobDone)
        assert world.handler.made == ["one", "one"]
        assert await world.products.has(end.media[0])

    async def test_what_is_urgent_goes_first(self, world: World) -> None:
        await world.submit("now")
        await world.until_begun("now")
        ids = [
            await world.submit("bulk", priority=Priority.BULK),
            await world.submit("portrait", priority=Priority.PORTRAIT),
            await world.submit("clip", priority=Priority.CLIP),
            await world.submit("speech", priority=Priority.SPEECH),
        ]
        world.handler.gate.set()
        for id in ids:
            await world.end(id)
        assert world.handler.made == ["now", "speech", "clip", "portrait", "bulk"]

    async def test_a_flood_of_one_community_delays_no_other(self, world: World) -> None:
        await world.submit("first", "flood")
        await world.until_begun("first")
        ids = [await world.submit(f"flood {n}", "flood") for n in range(6)]
        for community in ("b", "c"):
            ids += [await world.submit(f"{community} {n}", community) for n in range(2)]
        world.handler.gate.set()
        for id in ids:
            await world.end(id)
        made = world.handler.made
        assert sorted(made[2:4]) == ["b 0", "c 0"] or sorted(made[1:3]) == ["b 0", "c 0"]
        assert {"b 1", "c 1"} <= set(made[:7])
        assert [name for name in made if name.startswith("flood")] == [
            f"flood {n}" for n in range(6)
        ]

    async def test_a_community_that_is_alone_has_all_hands(self, make_world: MakeWorld) -> None:
        world = await make_world(at_once=3)
        ids = [await world.submit(f"{n}", "alone") for n in range(5)]
        await world.until_begun("0", "1", "2")
        await asyncio.sleep(0.1)
        world.handler.gate.set()
        for id in ids:
            await world.end(id)
        assert world.handler.most == 3

    async def test_a_flood_leaves_a_hand_free_for_those_who_asked_lately(
        self, make_world: MakeWorld
    ) -> None:
        world = await make_world(at_once=12)
        ids = [await world.submit("first", "a")]
        await world.until_begun("first")
        await world.noticed()
        ids += [await world.submit(f"flood {n}", "flood") for n in range(20)]
        await world.until_begun("flood 0")
        ids.append(await world.submit("second", "a"))
        await world.until_begun("second")
        assert sum(name.startswith("flood") for name in world.handler.begun) < 11
        world.handler.gate.set()
        for id in ids:
            await world.end(id)
        assert len(world.handler.made) == 22

    async def test_a_full_queue_refuses_and_can_still_be_joined(
        self, make_world: MakeWorld
    ) -> None:
        world = await make_world(waiting=3)
        running = await world.submit("running")
        await world.until_begun("running")
        with pytest.raises(BusyError, match="Try again in a minute"):
            for n in range(5):
                await world.submit(f"{n}")
        assert await world.submit("running") == running
        world.handler.gate.set()
        assert isinstance(await world.end(running), JobDone)

    async def test_a_waiting_job_is_cancelled(self, world: World) -> None:
        await world.submit("running")
        await world.until_begun("running")
        id = await world.submit("waiting")
        await world.queue.cancel(id)
        assert await world.events(id) == [JobCancelled()]
        world.handler.gate.set()
        last = await world.submit("last")
        await world.end(last)
        assert world.handler.made == ["running", "last"]
        await world.queue.cancel(last)  # what has ended stays as it is
        assert isinstance(await world.end(last), JobDone)

    async def test_a_running_job_is_cancelled_and_its_place_is_free(self, world: World) -> None:
        id = await world.submit("running")
        await world.until_begun("running")
        await world.queue.cancel(id)
        assert await world.end(id) == JobCancelled()
        assert world.handler.stopped == ["running"]
        world.handler.gate.set()
        assert isinstance(await world.end(await world.submit("next")), JobDone)
        assert isinstance(await world.end(await world.submit("running")), JobDone)

    async def test_what_is_asked_for_again_while_it_is_stopped_is_made(
        self, make_world: MakeWorld
    ) -> None:
        world = await make_world(at_once=2)
        world.handler.stopping.clear()
        id = await world.submit("one")
        await world.until_begun("one")
        cancelling = asyncio.create_task(world.queue.cancel(id))
        await until(lambda: world.handler.stopped == ["one"])
        again = asyncio.create_task(world.submit("one"))
        await asyncio.sleep(0.5)  # a queue that does not wait for the first try begins the second
        world.handler.stopping.set()
        await cancelling
        assert await again == id
        await until(lambda: world.handler.begun == ["one", "one"])
        await asyncio.sleep(0.5)
        world.handler.gate.set()
        assert isinstance(await world.end(id), JobDone)
        assert world.handler.begun == ["one", "one"] and world.handler.made == ["one"]

    async def test_a_job_that_somebody_else_wants_goes_on(self, world: World) -> None:
        id = await world.submit("one", "a")
        await world.submit("one", "b")
        await world.until_begun("one")
        await world.queue.cancel(id)
        world.handler.gate.set()
        assert isinstance(await world.end(id), JobDone)

    async def test_what_nobody_waits_for_any_more_is_not_begun(self, world: World) -> None:
        await world.submit("running")
        await world.until_begun("running")
        late = await world.submit("late", patience=0.2)
        longer = await world.submit("longer", patience=0.2)
        await world.submit("longer", patience=LONG)
        for_ever = await world.submit("for ever", patience=0.2)
        await world.submit("for ever")
        assert await world.end(late) == JobExpired()
        world.handler.gate.set()
        assert isinstance(await world.end(longer), JobDone)
        assert isinstance(await world.end(for_ever), JobDone)
        assert "late" not in world.handler.begun
        assert isinstance(await world.end(await world.submit("late")), JobDone)

    async def test_what_cannot_be_made_fails_with_a_sentence_and_can_be_asked_again(
        self, world: World
    ) -> None:
        world.handler.gate.set()
        world.handler.failures += [InvalidInputError("Nothing in it can be said.")]
        id = await world.submit("one")
        assert await world.end(id) == JobFailed("Nothing in it can be said.", "InvalidInputError")
        world.handler.failures += [NotFoundError("It is gone.")]
        await world.submit("one")
        assert await world.end(id) == JobFailed("It is gone.", "NotFoundError")
        await world.submit("one")
        assert isinstance(await world.end(id), JobDone)

    async def test_a_fault_of_the_program_is_told_without_its_details(
        self, make_world: MakeWorld
    ) -> None:
        world = await make_world(tries=1)
        world.handler.gate.set()
        world.handler.failures += [ZeroDivisionError("secret")]
        end = await world.end(await world.submit("one"))
        assert isinstance(end, JobFailed)
        assert "went wrong in the program" in end.reason and "secret" not in end.reason

    @pytest.mark.parametrize(
        "payload",
        [
            {"name": float("nan")},
            {"name": b"bytes"},
            {"name": "x" * 300_000},
            {"name": object()},
        ],
    )
    async def test_what_is_no_small_json_is_refused(
        self, world: World, payload: dict[str, Any]
    ) -> None:
        with pytest.raises(InvalidInputError):
            await world.queue.submit(Job("clip", payload), community="a", priority=Priority.CLIP)
        with pytest.raises(InvalidInputError):
            hinted = Job("clip", {}, payload)
            await world.queue.submit(hinted, community="a", priority=Priority.CLIP)

    async def test_a_job_is_for_somebody_and_of_a_kind(self, world: World) -> None:
        with pytest.raises(InvalidInputError):
            await world.submit("one", "")
        with pytest.raises(InvalidInputError):
            odd = Job("'; DROP TABLE saq_jobs; --", {})
            await world.queue.submit(odd, community="a", priority=Priority.CLIP)

    @pytest.mark.parametrize("text", ["\0", "\ud800", "'; --", "%s {} \\", "\u202e" * 300])
    async def test_odd_words_go_through(self, world: World, text: str) -> None:
        world.handler.gate.set()
        odd = Job("clip", {"name": text}, {"hint": text}, text, {"request": text})
        id = await world.queue.submit(
            odd, community=text or "a", person=text, priority=Priority.CLIP
        )
        assert isinstance(await world.end(id), JobDone)
        assert world.handler.begun == [text]

    async def test_a_result_that_is_no_json_is_a_fault(self, make_world: MakeWorld) -> None:
        world = await make_world(tries=1)
        world.handler.gate.set()
        world.handler.result = lambda name: {"clip": b"bytes"}
        assert isinstance(await world.end(await world.submit("one")), JobFailed)
        world.handler.result = None
        assert isinstance(await world.end(await world.submit("two")), JobDone)

    async def test_operators_see_what_waits_and_for_whom(self, world: World) -> None:
        running = await world.submit("running", "a")
        await world.until_begun("running")
        waiting = await world.submit("waiting", "b")
        views = await world.queue.jobs()
        assert [(view.id, view.state, view.community) for view in views] == [
            (running, JobState.RUNNING, "a"),
            (waiting, JobState.WAITING, "b"),
        ]
        assert views[0].tries == 1 and views[1].waited >= 0
        assert [view.id for view in await world.queue.jobs(JobState.WAITING)] == [waiting]
        found = await world.queue.find(waiting[:8])
        assert found is not None and found.payload == {"name": "waiting"}
        assert await world.queue.find("_%") is None
        (stats,) = [one for one in await world.queue.stats() if one.kind == "clip"]
        assert (stats.waiting, stats.running, stats.poisoned, stats.communities) == (1, 1, 0, 1)
        assert await world.queue.drop(waiting)
        assert await world.queue.drop(running)
        assert not await world.queue.drop(running)
        await until(lambda: world.handler.stopped == ["running"])
        assert await world.queue.jobs() == []

    async def test_what_failed_is_tried_again_on_request(self, world: World) -> None:
        world.handler.gate.set()
        world.handler.failures += [InvalidInputError("Not so.")]
        id = await world.submit("one")
        await world.end(id)
        assert not await world.queue.retry(job("never").id)
        assert await world.queue.retry(id)
        assert isinstance(await world.end(id), JobDone)
        assert not await world.queue.retry(id)

    async def test_who_stops_asking_takes_the_job_back(self, world: World) -> None:
        asking = ask(world.queue, job("one"), Asker("a"))
        async with contextlib.aclosing(asking):
            async for event in asking:
                if isinstance(event, JobStarted):
                    break
        await until(lambda: world.handler.stopped == ["one"])
        assert await world.end(job("one").id) == JobCancelled()

    async def test_who_has_moved_on_takes_back_what_is_not_begun(self, world: World) -> None:
        moved_on = asyncio.Event()
        asker = Asker("a", moved_on=moved_on)

        async def asked(name: str) -> JobEvent:
            return [event async for event in ask(world.queue, job(name), asker)][-1]

        running = asyncio.create_task(asked("running"))
        await world.until_begun("running")
        waiting = asyncio.create_task(asked("waiting"))
        other = asyncio.create_task(world.end(await world.submit("other")))
        moved_on.set()
        with pytest.raises(UnavailableError):
            await asyncio.wait_for(waiting, LONG)
        world.handler.gate.set()
        assert isinstance(await asyncio.wait_for(running, LONG), JobDone)
        assert isinstance(await other, JobDone)
        assert "waiting" not in world.handler.begun

    async def test_who_has_moved_on_gets_what_is_begun_at_once(self, world: World) -> None:
        world.handler.gate.set()
        moved_on = asyncio.Event()
        moved_on.set()
        asking = ask(world.queue, job("one"), Asker("a", moved_on=moved_on))
        assert isinstance([event async for event in asking][-1], JobDone)

    async def test_every_job_ends_once(self, make_world: MakeWorld) -> None:
        world = await make_world(at_once=4)
        world.handler.gate.set()
        ids = await asyncio.gather(
            *(world.submit(f"{n % 20}", f"community {n % 3}") for n in range(40))
        )
        ends = await asyncio.gather(*(world.events(id) for id in ids))
        assert all(sum(isinstance(one, ENDINGS) for one in told) == 1 for told in ends)
        assert sorted(world.handler.made) == sorted(f"{n}" for n in range(20))


def lane(at_once: int) -> Lane:
    return Lane("clip", at_once)
