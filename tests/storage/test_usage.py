"""Who has used how much: sums that stay exact however many add to them."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from datetime import date

from pydantic import SecretStr

from storage.settings import StorageSettings
from storage.store import Storage
from storage.usage import Used, UsedRow

TODAY = date(2026, 11, 24)

_CHILD = """
import asyncio, json, sys
from datetime import date
from storage.settings import StorageSettings
from storage.store import Storage

async def main():
    settings = StorageSettings(**json.loads(sys.argv[1]))
    async with await Storage.open(settings) as storage:
        day = date(2026, 11, 24)
        for number in range(25):
            spent = {"tokens/in": 10, "clip/cpu": 7, "speech/cpu": 1}
            await storage.usage.add("discord:1", str(number % 2), spent, day)

asyncio.run(main())
"""


async def test_several_kinds_are_added_at_once(storage: Storage) -> None:
    await storage.usage.add("discord:1", "7", {"tokens/in": 100, "clip/cpu": 2_500}, TODAY)
    await storage.usage.add("discord:1", "7", {"tokens/in": 1, "tokens/out": 0}, TODAY)
    await storage.usage.add("discord:1", "8", {"tokens/in": 5}, TODAY)
    await storage.usage.add("discord:1", "7", {}, TODAY)
    await storage.usage.add("discord:1", "7", {"tokens/in": 9}, date(2026, 11, 23))
    await storage.usage.add("discord:2", "7", {"tokens/in": 9}, TODAY)
    assert await storage.usage.day("discord:1", "7", TODAY) == {
        "tokens/in": Used(101, 106),
        "clip/cpu": Used(2_500, 2_500),
    }
    assert await storage.usage.day("discord:3", "7", TODAY) == {}


async def test_sums_are_larger_than_32_bits(storage: Storage) -> None:
    for _ in range(2):
        await storage.usage.add("discord:1", "7", {"clip/cuda": 2**32}, TODAY)
    assert (await storage.usage.day("discord:1", "7", TODAY))["clip/cuda"].own == 2**33


async def test_they_stay_exact_when_many_add_at_once(
    storage: Storage, settings: StorageSettings
) -> None:
    async with await Storage.open(settings) as other:
        spent = {"tokens/in": 3, "clip/cpu": 5}
        await asyncio.gather(
            *(
                one.usage.add("discord:1", str(number % 3), spent, TODAY)
                for number in range(30)
                for one in (storage, other)
            )
        )
    used = await storage.usage.day("discord:1", "0", TODAY)
    assert used == {"tokens/in": Used(60, 180), "clip/cpu": Used(100, 300)}


async def test_they_stay_exact_over_two_processes(
    storage: Storage, settings: StorageSettings
) -> None:
    values = {
        key: value.get_secret_value() if isinstance(value, SecretStr) else value
        for key, value in settings.model_dump().items()
    }
    command = [sys.executable, "-P", "-c", _CHILD, json.dumps(values, default=str)]
    children = [
        await asyncio.create_subprocess_exec(*command, stderr=subprocess.PIPE) for _ in range(2)
    ]
    for child in children:
        _, said = await child.communicate()
        assert child.returncode == 0, said.decode()
    used = await storage.usage.day("discord:1", "0", TODAY)
    assert used == {
        "tokens/in": Used(260, 500),
        "clip/cpu": Used(182, 350),
        "speech/cpu": Used(26, 50),
    }


async def test_messages_and_costs_are_counted_side_by_side(storage: Storage) -> None:
    assert await storage.usage.spend("discord:1", "7", "message", TODAY, each=1) == ""
    await storage.usage.add("discord:1", "7", {"tokens/in": 9}, TODAY)
    assert await storage.usage.spend("discord:1", "7", "message", TODAY, each=1) == "each"
    assert (await storage.usage.day("discord:1", "7", TODAY))["message"] == Used(1, 1)


async def test_reports_are_summed_up_as_wanted(storage: Storage) -> None:
    for day, member, amount in ((23, "7", 1), (24, "7", 2), (24, "8", 4)):
        spent = {"tokens/in": amount}
        await storage.usage.add("discord:1", member, spent, date(2026, 11, day))
    await storage.usage.add("telegram:2", "9", {"tokens/in": 8}, TODAY)
    report = storage.usage.report
    since = date(2026, 11, 23)
    assert await report(since) == [
        UsedRow("discord:1", "", "", "tokens/in", 7),
        UsedRow("telegram:2", "", "", "tokens/in", 8),
    ]
    assert await report(since, by="person", gallery="discord:1") == [
        UsedRow("discord:1", "7", "", "tokens/in", 3),
        UsedRow("discord:1", "8", "", "tokens/in", 4),
    ]
    assert await report(since, by="day", gallery="discord:1") == [
        UsedRow("discord:1", "", "2026-11-23", "tokens/in", 1),
        UsedRow("discord:1", "", "2026-11-24", "tokens/in", 6),
    ]
    assert await report(TODAY, gallery="discord:1") == [
        UsedRow("discord:1", "", "", "tokens/in", 6)
    ]


async def test_storage_can_be_checked(storage: Storage) -> None:
    await storage.check()
