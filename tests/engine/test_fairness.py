"""Who comes next when many want an answer at once."""

from __future__ import annotations

import asyncio

import pytest

from engine.fairness import BusyError, FairQueue


class Line:
    """People at a queue; `done` tells in which order they were let in."""

    def __init__(self, queue: FairQueue) -> None:
        self.queue = queue
        self.done: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.gate = asyncio.Event()

    async def join(self, community: str, person: str) -> asyncio.Task[None]:
        async def work() -> None:
            async with self.queue.turn(community, person):
                self.done.append(f"{community}{person}")
                await self.gate.wait()

        self.tasks.append(asyncio.create_task(work()))
        await asyncio.sleep(0)
        return self.tasks[-1]

    async def finish(self) -> list[str]:
        self.gate.set()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        return self.done


async def test_only_so_many_work_at_once() -> None:
    line = Line(FairQueue(2, 9, 9))
    for _ in range(4):
        await line.join("a", "1")
    assert line.done == ["a1", "a1"]
    assert line.queue.waiting == 2
    assert len(await line.finish()) == 4
    assert line.queue.waiting == 0


async def test_a_flood_of_one_community_does_not_delay_another() -> None:
    line = Line(FairQueue(1, 99, 999))
    for _ in range(50):
        await line.join("a", "1")
    await line.join("b", "2")
    assert (await line.finish()).index("b2") <= 2


async def test_a_flood_of_one_person_does_not_delay_their_neighbours() -> None:
    line = Line(FairQueue(1, 99, 999))
    for _ in range(50):
        await line.join("a", "1")
    await line.join("a", "2")
    assert (await line.finish()).index("a2") <= 2


async def test_one_person_may_not_fill_the_queue() -> None:
    line = Line(FairQueue(1, 2, 99))
    for _ in range(3):
        await line.join("a", "1")
    refused = await line.join("a", "1")
    with pytest.raises(BusyError, match="One thing at a time"):
        await refused
    await line.join("a", "2")
    assert len(await line.finish()) == 4


async def test_memory_is_bounded() -> None:
    line = Line(FairQueue(1, 99, 10))
    for number in range(11):
        await line.join(str(number), "1")
    with pytest.raises(BusyError, match="Too many people"):
        await (await line.join("z", "1"))
    assert len(await line.finish()) == 11


async def test_who_gives_up_leaves_no_gap() -> None:
    line = Line(FairQueue(1, 9, 99))
    await line.join("a", "1")
    leaver = await line.join("a", "2")
    await line.join("a", "3")
    leaver.cancel()
    await asyncio.sleep(0)
    assert line.queue.waiting == 1
    assert await line.finish() == ["a1", "a3"]


async def test_who_gives_up_at_the_moment_of_their_turn_passes_it_on() -> None:
    queue = FairQueue(1, 9, 99)
    line = Line(queue)
    first = await line.join("a", "1")
    second = await line.join("a", "2")
    await line.join("a", "3")
    line.gate.set()
    await first
    second.cancel()
    await asyncio.gather(*line.tasks, return_exceptions=True)
    assert "a3" in line.done
    async with asyncio.timeout(1), queue.turn("b", "1"):
        assert queue.waiting == 0


async def test_who_turns_away_in_the_moment_of_their_turn_takes_no_place() -> None:
    line = Line(FairQueue(1, 9, 9))
    first = await line.join("a", "1")
    second = await line.join("b", "2")
    await line.join("c", "3")
    second.cancel()
    first.cancel()  # its place is given on before anybody has heard of either
    assert await line.finish() == ["a1", "c3"]
    assert line.queue.waiting == 0
