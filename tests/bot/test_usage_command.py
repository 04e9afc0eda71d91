"""`chatanything usage`, as an operator types it."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from storage.settings import StorageSettings
from storage.store import Storage
from tests.bot.conftest import Terminal


@pytest.fixture
def today(terminal: Terminal, tmp_path: Path) -> date:
    """A day on which two people of two communities have used something, as on the day before."""
    day = datetime.now(UTC).date()

    async def fill() -> None:
        async with await Storage.open(StorageSettings(data_folder=tmp_path / "data")) as storage:
            usage = storage.usage
            spent = {"tokens/in": 100, "tokens/out": 20, "clip/cuda": 2_500, "speech/cpu": 250}
            await usage.add("discord:1", "7", spent, day)
            await usage.add("discord:1", "8", {"portrait/cuda": 1_000}, day)
            await usage.add("discord:1", "7", {"tokens/in": 1}, day - timedelta(days=1))
            await usage.add("telegram:-5", "9", {"tokens/in": 7}, day)
            await usage.spend("discord:1", "7", "message", day)
            await usage.spend("discord:1", "7", "creation", day)
            await usage.spend("discord:1", "7", "told/voice", day)

    asyncio.run(fill())
    return day


def test_communities_of_today(terminal: Terminal, today: date) -> None:
    told = terminal.data("usage")
    assert told["since"] == today.isoformat()
    assert told["usage"][0] == {
        "community": "discord:1",
        "messages": 1,
        "personas": 1,
        "tokens_in": 100,
        "tokens_out": 20,
        "gpu_seconds": 3.5,
        "cpu_seconds": 0.25,
        "stages": {"clip/cuda": 2.5, "portrait/cuda": 1.0, "speech/cpu": 0.25},
    }
    assert [one["community"] for one in told["usage"]] == ["discord:1", "telegram:-5"]


def test_people_and_days_of_one_community(terminal: Terminal, today: date) -> None:
    one = ("--community", "discord:1", "--days", "2")
    people = terminal.data("usage", *one, "--by", "person")["usage"]
    assert [(row["person"], row["tokens_in"]) for row in people] == [("7", 101), ("8", 0)]
    days = terminal.data("usage", *one, "--by", "day")["usage"]
    yesterday = (today - timedelta(days=1)).isoformat()
    assert [(row["day"], row["tokens_in"]) for row in days] == [
        (yesterday, 1),
        (today.isoformat(), 100),
    ]


def test_the_table_is_for_people(terminal: Terminal, today: date) -> None:
    said = terminal("usage").stdout
    for word in ("community", "tokens in", "GPU s", "discord:1", "3.50"):
        assert word in said


def test_where_nothing_was_used_it_says_so(terminal: Terminal) -> None:
    result = terminal("usage", "--days", "7")
    assert result.exit_code == 0
    assert "Nothing has been used since" in result.stderr
    assert terminal.data("usage")["usage"] == []


@pytest.mark.parametrize("wrong", [("--community", "mine"), ("--days", "0"), ("--by", "moon")])
def test_what_cannot_be_asked_is_refused(terminal: Terminal, wrong: tuple[str, str]) -> None:
    assert terminal("usage", *wrong).exit_code in (2, 4)
