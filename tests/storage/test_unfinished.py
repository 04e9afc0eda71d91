"""What a process was making is written down, and taken over by one other when it dies."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pytest
from sqlalchemy import delete

from personas.errors import NotFoundError
from storage import tables as t
from storage.settings import StorageSettings
from storage.store import Storage
from storage.unfinished import Unfinished
from tests.storage.looking import ask, connected, files

DAY = date(2026, 11, 28)


def work(id: str = "one", **more: Any) -> Unfinished:
    values = {
        "id": id,
        "kind": "creation",
        "gallery": "discord:100",
        "channel": "discord:11",
        "member": "1",
        "body": {"description": "a lighthouse"},
    }
    return Unfinished.model_validate({**values, **more})


def kill(settings: StorageSettings, storage: Storage) -> None:
    """As if its process had been killed: what it owned stays as it was, or is free."""
    if storage.owners._lock is not None:
        storage.owners._lock.release()
    else:  # silent for long, and buried by somebody who has noticed
        with connected(settings) as connection:
            connection.execute(delete(t.owner).where(t.owner.c.id == storage.owners.id))


async def spend(storage: Storage, id: str) -> str:
    return await storage.usage.spend("discord:100", "1", "creation", DAY, each=1, work=id)


async def used(storage: Storage) -> int:
    return await storage.usage.used("discord:100", "creation", DAY)


async def test_of_a_living_process_nothing_is_taken(
    settings: StorageSettings, storage: Storage
) -> None:
    assert await storage.unfinished.begin(work())
    async with await Storage.open(settings) as other:
        assert await other.unfinished.take_over("creation", "discord") == []
        assert not await other.unfinished.note("one", message="5")
        assert not await other.unfinished.end("one")
    assert await storage.unfinished.note("one", message="5")
    assert await storage.unfinished.take_over("creation", "discord") == []


@pytest.mark.parametrize("is_open", [True, False], ids=["swept while open", "swept when opened"])
async def test_what_a_killed_process_was_making_is_taken_over(
    settings: StorageSettings, is_open: bool
) -> None:
    dead = await Storage.open(settings)
    other = await Storage.open(settings) if is_open else None
    await dead.unfinished.begin(work())
    await dead.unfinished.note("one", message="5")
    kill(settings, dead)
    other = other or await Storage.open(settings)
    [taken] = await other.unfinished.take_over("creation", "discord")
    assert taken.body == {"description": "a lighthouse", "message": "5"}
    assert taken.tries == 2
    assert await other.unfinished.take_over("creation", "discord") == []
    assert await other.unfinished.end("one")
    assert ask(settings, "SELECT count(*) FROM unfinished") == [(0,)]
    await other.aclose()
    await dead.aclose()


async def test_of_several_that_look_at_once_one_gets_it(settings: StorageSettings) -> None:
    dead = await Storage.open(settings)
    for number in range(20):
        await dead.unfinished.begin(work(f"number {number}"))
    others = [await Storage.open(settings) for _ in range(4)]
    kill(settings, dead)
    taken = await asyncio.gather(
        *(one.unfinished.take_over("creation", "discord") for one in others)
    )
    ids = [one.id for rows in taken for one in rows]
    assert sorted(ids) == sorted(f"number {number}" for number in range(20))
    for one in (*others, dead):
        await one.aclose()


async def test_each_takes_what_it_can_go_on_with(settings: StorageSettings) -> None:
    async with await Storage.open(settings) as first:
        await first.unfinished.begin(work("here"))
        await first.unfinished.begin(work("there", channel="discord:12"))
        await first.unfinished.begin(work("elsewhere", channel="telegram:11"))
        await first.unfinished.begin(work("an answer", kind="answer"))
    async with await Storage.open(settings) as storage:
        taken = await storage.unfinished.take_over(
            "creation", "discord", lambda one: one.channel == "discord:12"
        )
        assert [one.id for one in taken] == ["there"]
        taken = await storage.unfinished.take_over("creation", "discord")
        assert [one.id for one in taken] == ["here"]
        taken = await storage.unfinished.take_over("creation", "telegram")
        assert [one.id for one in taken] == ["elsewhere"]


async def test_what_is_left_in_good_order_was_no_try(storage: Storage) -> None:
    await storage.unfinished.begin(work())
    for _ in range(5):
        await storage.unfinished.leave("one")
        [taken] = await storage.unfinished.take_over("creation", "discord")
        assert taken.tries == 1


async def test_who_was_taken_for_dead_changes_nothing_any_more(settings: StorageSettings) -> None:
    slow, other = await Storage.open(settings), await Storage.open(settings)
    await slow.unfinished.begin(work())
    await spend(slow, "one")
    kill(settings, slow)
    await other.unfinished.take_over("creation", "discord")
    assert not await slow.unfinished.note("one", message="6")
    await slow.unfinished.leave("one")
    assert not await slow.unfinished.end("one", refund=True)
    assert await used(other) == 1
    assert await other.unfinished.end("one", refund=True)
    assert await used(other) == 0
    await other.aclose()
    await slow.aclose()


async def test_it_is_counted_once_and_given_back_once(storage: Storage) -> None:
    await storage.unfinished.begin(work())
    for _ in range(3):
        assert await spend(storage, "one") == ""
    assert await used(storage) == 1
    assert await spend(storage, "") == "each"
    await storage.unfinished.begin(work("two"))
    assert await spend(storage, "two") == "each"
    await storage.unfinished.end("two", refund=True)
    assert await used(storage) == 1
    await storage.unfinished.end("one", refund=True)
    await storage.unfinished.end("one", refund=True)
    assert await used(storage) == 0


async def test_a_message_asks_for_something_once(storage: Storage) -> None:
    assert await storage.unfinished.begin(work("one"), asked="m1")
    assert not await storage.unfinished.begin(work("two"), asked="m1")
    await storage.unfinished.end("one")
    assert not await storage.unfinished.begin(work("three"), asked="m1")
    assert await storage.unfinished.begin(work("four", channel="discord:12"), asked="m1")
    assert not await storage.unfinished.begin(work("four", channel="discord:12"))


async def test_its_file_stays_as_long_as_it_is_unfinished(settings: StorageSettings) -> None:
    dead = await Storage.open(settings)
    key = await dead.media.put(b"a photo", ".bin")
    await dead.unfinished.begin(work(medium=key))
    assert ask(settings, "SELECT count(*) FROM lease") == [(0,)]
    kill(settings, dead)
    async with await Storage.open(settings) as storage:
        await storage.sweep()
        [taken] = await storage.unfinished.take_over("creation", "discord")
        assert taken.medium == key
        assert await storage.media.get(key) == b"a photo"
        await storage.unfinished.end("one")
        assert files(settings) == set()
        with pytest.raises(NotFoundError):
            await storage.unfinished.begin(work("two", medium=key))
    await dead.aclose()


async def test_it_moves_with_its_channel_and_gallery(storage: Storage) -> None:
    await storage.unfinished.begin(work(gallery="telegram:-1", channel="telegram:-1:7"))
    await storage.galleries.move("telegram:-1", "telegram:-2")
    await storage.channels.move("telegram:-1", "telegram:-2")
    await storage.unfinished.leave("one")
    [taken] = await storage.unfinished.take_over("creation", "telegram")
    assert (taken.gallery, taken.channel) == ("telegram:-2", "telegram:-2:7")
