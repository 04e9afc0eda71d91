"""What counts as a part that cannot work."""

from __future__ import annotations

from dataclasses import dataclass

from bot.operating.health import Backends, Checks


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_part_that_keeps_failing_cannot_work_until_it_does() -> None:
    clock = Clock()
    backends = Backends(clock)
    for _ in range(2):
        backends.failed("language model", "qwen3:8b")
    assert backends.reason("language model") == ""
    backends.failed("language model", "qwen3:8b")
    assert backends.reason("language model").startswith("qwen3:8b has failed 3 times in a row")
    assert backends.reason("speech") == ""
    backends.worked("language model", "qwen3:8b")
    assert backends.reason("language model") == ""


def test_old_failures_say_nothing_any_more() -> None:
    clock = Clock()
    backends = Backends(clock)
    for _ in range(5):
        backends.failed("language model", "m")
    clock.now = 301
    assert backends.reason("language model") == ""


async def test_checks_are_looked_at_again_after_a_while() -> None:
    clock, looked = Clock(), 0

    async def look() -> str:
        nonlocal looked
        looked += 1
        return f"look {looked}"

    checks = Checks({"storage": look}, clock)
    assert checks.last == {}
    assert await checks.look() == await checks.look() == {"storage": "look 1"}
    clock.now = 5.0
    assert await checks.look() == {"storage": "look 2"} == checks.last
