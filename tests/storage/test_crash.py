"""kill -9 at any moment: what is listed is whole, and nothing is left over."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from storage.settings import StorageSettings
from storage.store import Storage
from tests.storage.crashing import ACTIONS, talk
from tests.storage.examples import add
from tests.storage.looking import ask, files, media_folder, wanted

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked")
ROOT = Path(__file__).parents[2]

Kill = Callable[[str, int, int, Path], bool]


@pytest.fixture(scope="module")
def kill() -> Iterator[Kill]:
    """Lets a process act on the data in a folder until it is killed; false where it got through."""
    command = [sys.executable, "-m", "tests.storage.crashing"]
    with subprocess.Popen(
        command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin and process.stdout
        stdin, stdout = process.stdin, process.stdout

        def one(action: str, seed: int, point: int, folder: Path) -> bool:
            stdin.write(f"{action} {seed} {point} {folder}\n")
            stdin.flush()
            answer = stdout.readline().strip()
            assert answer in ("killed", "done")
            return answer == "killed"

        yield one
        stdin.close()


async def check(settings: StorageSettings) -> None:
    """Opens what a killed process left: all of it is whole, nothing is left over, it works on."""
    async with await Storage.open(settings) as storage:
        keys = await wanted(storage)  # reads every file of every persona
        assert files(settings) == keys  # opening has swept already
        assert (await storage.sweep()).media == 0
        assert ask(settings, "SELECT count(*) FROM medium") == [(len(keys),)]
        assert ask(settings, "SELECT count(*) FROM lease") == [(0,)]
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
    while kill(action, point, point, settings.data_folder):
        await check(settings)
        point += 1
    assert point > 4  # the action was cut at each of its writes, and then got through
    await check(settings)


async def test_killed_while_the_tables_are_made(tmp_path: Path, kill: Kill) -> None:
    point = 1
    while kill("open", point, point, tmp_path / f"fresh-{point}"):
        await check(StorageSettings(data_folder=tmp_path / f"fresh-{point}"))
        point += 1
    assert point > 4


async def test_killed_at_random_moments(settings: StorageSettings, kill: Kill) -> None:
    order = random.Random(20_26)
    for _ in range(12):
        assert kill("live", order.randrange(10**9), 0, settings.data_folder)
        await check(settings)


async def test_what_a_cut_write_leaves_is_removed(
    settings: StorageSettings, storage: Storage
) -> None:
    persona = await add(storage, "whole")
    cut = media_folder(settings) / f"{persona.portrait.image}#1"
    cut.write_bytes(b"half")
    await storage.sweep()
    assert not cut.exists()
    assert await storage.media.get(persona.portrait.image)


async def test_what_another_process_is_writing_just_now_stays(
    settings: StorageSettings, storage: Storage
) -> None:
    async with await Storage.open(settings) as other:
        key = await other.media.put(b"being written", ".png")
        cut = media_folder(settings) / f"{key}#1"
        cut.write_bytes(b"half")
        await storage.sweep()
        assert cut.exists()
        assert await other.media.get(key) == b"being written"
    await storage.sweep()
    assert files(settings) == set()


async def test_an_unknown_file_of_ours_goes_and_others_stay(
    settings: StorageSettings, storage: Storage
) -> None:
    shard = media_folder(settings) / "ab"
    shard.mkdir(exist_ok=True)
    ours = shard / f"{'ab' * 32}.png"
    ours.write_bytes(b"stray")
    foreign = shard / "holiday.jpg"
    foreign.write_bytes(b"not ours")
    swept = await storage.sweep()
    assert swept.media == 1
    assert not ours.exists()
    assert foreign.exists()


async def test_the_media_of_another_database_are_left_alone(settings: StorageSettings) -> None:
    async with await Storage.open(settings) as storage:
        persona = await add(storage, "kept")
    (settings.data_folder / "chatanything.sqlite3").unlink()
    async with await Storage.open(settings) as storage:
        assert await storage.personas.count("terminal") == 0
        await storage.sweep()
        assert persona.portrait.image in files(settings)
