"""Whom work is done for, and who is told of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from engine.observing import (
    NOBODY,
    Observer,
    Observers,
    Request,
    arriving,
    current,
    during,
    served,
    wanted_by,
)
from engine.stopwatch import Stopwatch


@dataclass
class Listening(Observer):
    """Writes down what it is told."""

    told: list[tuple[object, ...]] = field(default_factory=list)

    def stage(self, name: str, seconds: float, device: str = "") -> None:
        self.told.append((name, device))

    def tokens(self, prompt: int, completion: int) -> None:
        self.told.append((prompt, completion))

    def looked_up(self, cache: str, found: bool) -> None:
        self.told.append((cache, found))

    def failed(self, part: str, backend: str) -> None:
        self.told.append((part, backend))

    @contextlib.contextmanager
    def serving(self, kind: str, request: Request) -> Iterator[None]:
        self.told.append(("begins", kind))
        try:
            yield
        finally:
            self.told.append((request.outcome, kind))


async def test_a_request_goes_along_into_tasks_and_threads_and_no_further() -> None:
    seen: list[Request | None] = []

    async def work() -> None:
        await asyncio.to_thread(lambda: seen.append(current()))

    one = Request("m1")
    with during(one):
        task = asyncio.create_task(work())
    await task
    await work()
    assert seen == [one, None]


async def test_an_iterator_works_for_its_request_whoever_asks_for_more() -> None:
    seen: list[str] = []

    async def events() -> AsyncGenerator[int]:
        for number in range(3):
            request = current()
            seen.append(request.id if request else "")
            yield number

    mine = served(Request("mine"), events())
    for expected in (0, 1):
        with during(Request("another")):
            assert await anext(mine) == expected
            other = current()
            assert other is not None and other.id == "another"
    assert [event async for event in mine] == [2]
    assert seen == ["mine"] * 3
    assert current() is None


async def test_closing_such_an_iterator_closes_what_is_inside() -> None:
    closed: list[str] = []

    async def events() -> AsyncGenerator[int]:
        try:
            yield 1
        finally:
            closed.append("closed")

    mine = served(Request("mine"), events())
    await anext(mine)
    await asyncio.create_task(mine.aclose())  # type: ignore[arg-type]
    assert closed == ["closed"]


def test_what_it_costs_is_exact_from_many_threads_and_told_once() -> None:
    request = Request("m1")
    with ThreadPoolExecutor(8) as threads:
        for _ in range(2_000):
            threads.submit(request.spend, "clip/cpu", 3)
    request.spend("clip/cpu", 0)
    request.spend("clip/cpu", -5)
    assert request.settle() == {"clip/cpu": 6_000}
    assert request.settle() == {}


def test_it_crosses_a_queue_as_short_words() -> None:
    request = Request("discord:1/2", "discord:1", "7", "00-" + "a" * 32 + "-" + "b" * 16 + "-01")
    request.spend("tokens/in", 5)
    carried = request.carried()
    assert set(carried) == {"request", "community", "person", "traceparent"}
    back = Request.arrived(carried)
    assert (back.id, back.community, back.person) == ("discord:1/2", "discord:1", "7")
    assert back.traceparent == request.traceparent
    assert back.spent == {}


@pytest.mark.parametrize("metadata", [{}, {"request": 5, "community": None}, {"person": ["x"]}])
def test_nothing_that_arrives_is_trusted(metadata: dict[str, object]) -> None:
    assert Request.arrived(metadata).carried() == {}
    assert len(Request.arrived({"request": "x" * 9_999}).id) == 200


async def test_a_request_keeps_the_name_with_which_it_came_in() -> None:
    assert wanted_by("discord:1", "7", "discord:2/3").id == "discord:2/3"

    async def came_in() -> Request:
        arriving("discord:2/i99")
        return wanted_by("discord:1", "7", "discord:2/3")

    request = await asyncio.create_task(came_in())
    assert (request.id, request.community, request.person) == ("discord:2/i99", "discord:1", "7")
    assert current() is None


def test_a_stopwatch_tells_each_stage_as_it_ends() -> None:
    listening = Listening()
    watch = Stopwatch(listening)
    with watch.stage("speech", "cpu"):
        pass
    with contextlib.suppress(ValueError), watch.stage("clip", "cuda:0"):
        raise ValueError
    assert listening.told == [("speech", "cpu"), ("clip", "cuda:0")]
    assert set(watch.seconds) == {"speech", "clip"}


def test_several_are_told_and_leave_again() -> None:
    one, two = Listening(), Listening()
    both = Observers([one])
    both.add(two)
    request = Request("m1")
    with both.serving("message", request):
        both.stage("clip", 1.0, "cpu")
        both.tokens(3, 4)
        both.looked_up("speech", True)
        both.failed("head", "drawn")
        request.outcome = "done"
    both.remove(two)
    both.tokens(1, 1)
    expected: list[tuple[object, ...]] = [
        ("begins", "message"),
        ("clip", "cpu"),
        (3, 4),
        ("speech", True),
        ("head", "drawn"),
        ("done", "message"),
    ]
    assert two.told == expected
    assert one.told == [*expected, (1, 1)]


def test_where_nobody_listens_nothing_happens(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), NOBODY.serving("message", Request("m")):
        NOBODY.stage("clip", 1.0, "cpu")
        NOBODY.tokens(1, 2)
    assert not caplog.records
