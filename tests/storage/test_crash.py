"""kill -9 at any moment: what is listed is whole, and nothing is left over."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from storage.settings import StorageSettings
from storage.store import Storage
from tests.services.postgres import Postgres
from tests.storage.crashing import ACTIONS, talk
from tests.storage.examples import add
from tests.storage.looking import ask, files, media_folder, wanted, write_file
from tests.storage.passing import to_line

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked")
ROOT = Path(__file__).parents[2]
QUICK = {"heartbeat_seconds": 0.05, "dead_seconds": 0.2}
"""So that a process on another machine is soon known to be dead."""

Kill = Callable[[str, int, int, StorageSettings], bool]


@pytest.fixture(params=["here", "away"])
def settings(request: pytest.FixtureRequest) -> StorageSettings:
    found: StorageSettings = request.getfixturevalue(request.param)
    return found.model_copy(update=QUICK)


@pytest.fixture(scope="module")
def kill() -> Iterator[Kill]:
    """Lets a process act on the data in a folder until it is killed; false where it got through."""
    command = [sys.executable, "-m", "tests.storage.crashing"]
    with subprocess.Popen(
        command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin and process.stdout
        stdin, stdout = process.stdin, process.stdout

        def one(action: str, seed: int, point: int, settings: StorageSettings) -> bool:
            stdin.write(f"{action} {seed} {point} {to_line(settings)}\n")
            stdin.flush()
            answer = stdout.readline().strip()
            assert answer in ("killed", "done")
            return answer == "killed"

        yield one
        stdin.close()


async def check(settings: StorageSettings) -> None:
    """Opens what a killed process left: all of it is whole, nothing is left over, it works on."""
    if not settings.is_local:
        await asyncio.sleep(settings.dead_seconds)
    async with await Storage.open(settings) as storage:
        keys = await wanted(storage)  # reads every file of every persona
        assert files(settings) == keys  # opening has swept already
        assert (await storage.sweep()).media == 0
        assert ask(settings, "SELECT count(*) FROM medium") == [(len(keys),)]
        assert ask(settings, "SELECT count(*) FROM lease") == [(0,)]
        if settings.is_local:
            assert ask(settings, "PRAGMA integrity_check") == [("ok",)]
            assert ask(settings, "PRAGMA foreign_key_check") == []
        if len(keys) > 12:  # starts anew, so that every check is quick
            await storage.galleries.delete("terminal")
            assert files(settings) == set()
        await talk(storage, await add(storage, f"after-{len(keys)}"), b"clip")


@pytest.mark.parametrize("action", ACTIONS)
async def test_killed_between_any_two_writes(
    settings: StorageSettings, kill: Kill, action: str
) -> None:
    await check(settings)
    point = 1
    while kill(action, point, point, settings):
        await check(settings)
        point += 1 if settings.is_local else 2
    assert point > 4  # the action was cut at each of its writes, and then got through
    await check(settings)


async def test_killed_while_the_tables_are_made(
    settings: StorageSettings, kill: Kill, postgres: Postgres
) -> None:
    point = 1
    while True:
        fresh = {"data_folder": settings.data_folder / f"fresh-{point}"}
        if not settings.is_local:
            url = postgres.url(postgres.create(empty=True))
            media = f"{settings.media_url}/{point}"
            fresh = {"database_url": SecretStr(url), "media_url": media}
        empty = settings.model_copy(update=fresh)
        if not kill("open", point, point, empty):
            break
        await check(empty)
        point += 1 if settings.is_local else 2
    assert point > 4


async def test_killed_at_random_moments(settings: StorageSettings, kill: Kill) -> None:
    order = random.Random(20_26)
    for _ in range(12):
        assert kill("live", order.randrange(10**9), 0, settings)
        await check(settings)


async def test_what_a_cut_write_leaves_is_removed(here: StorageSettings) -> None:
    async with await Storage.open(here) as storage:
        persona = await add(storage, "whole")
        cut = media_folder(here) / f"{persona.portrait.image}#1"
        cut.write_bytes(b"half")
        await storage.sweep()
        assert not cut.exists()
        assert await storage.media.get(persona.portrait.image)


async def test_what_another_process_is_writing_just_now_stays(
    settings: StorageSettings, storage: Storage
) -> None:
    async with await Storage.open(settings) as other:
        key = await other.media.put(b"being written", ".png")
        if settings.is_local:  # an object store shows nothing of what is half written
            write_file(settings, f"{key}#1", b"half")
        await storage.sweep()
        assert not settings.is_local or f"{key}#1" in files(settings)
        assert await other.media.get(key) == b"being written"
    await storage.sweep()
    assert files(settings) == set()


async def test_an_unknown_file_of_ours_goes_and_others_stay(
    settings: StorageSettings, storage: Storage
) -> None:
    write_file(settings, f"ab/{'ab' * 32}.png", b"stray")
    write_file(settings, "ab/holiday.jpg", b"not ours")
    swept = await storage.sweep()
    assert swept.media == 1
    assert files(settings) == {"ab/holiday.jpg"}


async def test_the_media_of_another_database_are_left_alone(
    settings: StorageSettings, postgres: Postgres
) -> None:
    async with await Storage.open(settings) as storage:
        persona = await add(storage, "kept")
    if settings.is_local:
        (settings.data_folder / "chatanything.sqlite3").unlink()
    else:
        other = SecretStr(postgres.url(postgres.create(empty=True)))
        settings = settings.model_copy(update={"database_url": other})
    async with await Storage.open(settings) as storage:
        assert await storage.personas.count("terminal") == 0
        await storage.sweep()
        assert persona.portrait.image in files(settings)
