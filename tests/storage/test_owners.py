"""Owners: who is dead, on this machine or another; and who only stood still does no harm."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import literal, select

from personas.errors import NotFoundError
from storage import owners as module
from storage import tables as t
from storage.owners import TakenForDeadError
from storage.settings import StorageSettings
from storage.store import Storage
from tests.services.postgres import Postgres
from tests.storage.examples import add, build, put_and_build
from tests.storage.looking import ask, files, until

# No heartbeat falls into a test: what silence there is, the test makes.
SLOW = {"heartbeat_seconds": 1_000.0, "dead_seconds": 4_000.0}
LONG = 10_000
_SILENT = """
SELECT id FROM owner WHERE extract(epoch FROM clock_timestamp()) - beat_at > 0.6
"""


@pytest.fixture
def settings(away: StorageSettings) -> StorageSettings:
    return away.model_copy(update=SLOW)


@pytest.fixture
def old_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that has been up for long; that of the tests has just been started."""
    monkeypatch.setattr(module, "_STARTED", literal(0.0))


@pytest.fixture
async def other(settings: StorageSettings) -> AsyncIterator[Storage]:
    async with await Storage.open(settings) as opened:
        yield opened


def silence(settings: StorageSettings, storage: Storage, seconds: float = LONG) -> None:
    """Makes it look as if a process had said nothing for so long."""
    who = f"WHERE id = '{storage.owners.id}'"
    ask(settings, f"UPDATE owner SET beat_at = beat_at - {seconds} {who}")


async def test_who_beats_is_alive(storage: Storage, other: Storage) -> None:
    both = {storage.owners.id, other.owners.id}
    assert await storage.owners.living() == both
    assert await other.owners.dead() == frozenset()


@pytest.mark.usefixtures("old_server")
async def test_who_is_silent_for_long_is_dead_to_all_but_itself(
    settings: StorageSettings, storage: Storage, other: Storage
) -> None:
    silence(settings, other, seconds=SLOW["dead_seconds"] / 2)
    assert await storage.owners.dead() == frozenset()
    silence(settings, other)
    assert await storage.owners.dead() == {other.owners.id}
    assert await other.owners.dead() == frozenset()


@pytest.mark.usefixtures("old_server")
async def test_a_heartbeat_is_heard_again(
    settings: StorageSettings, storage: Storage, other: Storage
) -> None:
    silence(settings, other)
    id = other.owners.id
    await other.owners.beat()
    assert await storage.owners.dead() == frozenset()
    assert other.owners.id == id


async def test_hearts_beat_by_themselves_and_a_killed_one_does_not(away: StorageSettings) -> None:
    quick = away.model_copy(update={"heartbeat_seconds": 0.02, "dead_seconds": 0.5})
    async with await Storage.open(quick) as storage, await Storage.open(quick) as other:
        before = ask(away, "SELECT id, beat_at FROM owner")
        await until(lambda: not set(before) & set(ask(away, "SELECT id, beat_at FROM owner")))
        assert other.owners._task is not None
        other.owners._task.cancel()
        await until(lambda: ask(away, _SILENT))
        assert await storage.owners.dead() == {other.owners.id}


@pytest.mark.usefixtures("old_server")
async def test_what_a_dead_one_claimed_is_swept(
    settings: StorageSettings, storage: Storage, other: Storage
) -> None:
    key = await other.media.put(b"half a persona", ".png")
    silence(settings, other)
    assert (await storage.sweep()).processes == 1
    assert key not in files(settings)


@pytest.mark.usefixtures("old_server")
async def test_who_stood_still_cannot_use_what_it_had_claimed(
    settings: StorageSettings, storage: Storage, other: Storage
) -> None:
    persona = await put_and_build(other, "a")
    id = other.owners.id
    silence(settings, other)
    await storage.sweep()
    with pytest.raises(NotFoundError):
        await other.personas.add(persona)
    assert await storage.personas.count("terminal") == 0
    # It can begin anew, under a new name.
    assert (await add(other, "a")).id == "a"
    assert other.owners.id != id
    assert not await other.owners.still(id)
    assert await storage.owners.living() == {storage.owners.id, other.owners.id}


@pytest.mark.usefixtures("old_server")
async def test_a_claim_is_refused_to_who_was_taken_for_dead(
    settings: StorageSettings, storage: Storage, other: Storage
) -> None:
    silence(settings, other)
    assert await storage.owners.bury_dead() == 1
    with pytest.raises(TakenForDeadError):
        async with other._database.writing() as connection:
            await other.owners.hold(connection)
    await other.owners.beat()
    async with other._database.writing() as connection:
        assert await other.owners.hold(connection) == other.owners.id


@pytest.mark.usefixtures("old_server")
async def test_who_holds_on_is_not_buried_before_the_end_of_the_transaction(
    settings: StorageSettings, storage: Storage, other: Storage
) -> None:
    async with other._database.writing() as connection:
        id = await other.owners.hold(connection)
        silence(settings, other)
        burying = asyncio.create_task(storage.owners.bury_dead())
        await until(lambda: ask(settings, "SELECT 1 FROM pg_locks WHERE NOT granted"))
        assert not burying.done()
        assert await connection.scalar(select(t.owner.c.id).where(t.owner.c.id == id)) == id
    assert await burying == 1


@pytest.mark.usefixtures("old_server")
async def test_standing_still_while_bytes_are_written(
    settings: StorageSettings, storage: Storage, other: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = other.media._objects.put
    pauses = iter([True])

    async def stand_still(key: str, data: bytes) -> None:
        await put(key, data)
        if next(pauses, False):
            silence(settings, other)
            other.owners._beat_at -= LONG
            await storage.sweep()
            assert key not in files(settings)

    monkeypatch.setattr(other.media._objects, "put", stand_still)
    key = await other.media.put(b"a picture", ".png")
    assert key in files(settings)
    assert (await other.personas.add(build("a", key))).id == "a"


async def test_while_the_server_was_down_nobody_could_beat(
    settings: StorageSettings, storage: Storage, other: Storage, postgres: Postgres
) -> None:
    silence(settings, other)
    postgres.restart()
    assert await storage.owners.dead() == frozenset()


@pytest.mark.usefixtures("old_server")
async def test_who_could_not_beat_itself_does_not_judge_at_once(
    settings: StorageSettings, storage: Storage, other: Storage
) -> None:
    storage.owners._beat_at -= LONG  # it was cut off from the database, as others may have been
    await storage.owners.beat()
    silence(settings, other)
    assert await storage.owners.dead() == frozenset()


@pytest.mark.usefixtures("old_server")
async def test_a_clock_that_is_put_back_keeps_nobody_alive(
    settings: StorageSettings, storage: Storage, other: Storage
) -> None:
    silence(settings, other, seconds=-10 * LONG)
    assert await storage.owners.dead() == frozenset()
    silence(settings, other)
    assert await storage.owners.dead() == {other.owners.id}


async def test_processes_of_one_machine_know_each_other_by_locks(
    away: StorageSettings, postgres: Postgres
) -> None:
    near = away.model_copy(update={"media_url": "", **SLOW})
    async with await Storage.open(near) as storage:
        ended = await Storage.open(near)
        assert await storage.owners.dead() == frozenset()
        await ended.owners._release()  # as the operating system does
        assert await storage.owners.dead() == {ended.owners.id}
        assert await storage.owners.bury_dead() == 1
        await ended.aclose()


async def test_one_process_at_a_time_sweeps(storage: Storage, other: Storage) -> None:
    keeper = storage._keeper
    async with keeper._chore("sweep") as is_ours:
        assert not is_ours  # opening has just done it
    await keeper._make_due()
    async with keeper._chore("sweep") as is_ours, other._keeper._chore("sweep") as is_theirs:
        assert is_ours and not is_theirs
    assert "sweep" not in await other._keeper._due()


@pytest.mark.usefixtures("old_server")
async def test_a_sweep_that_a_dead_one_had_begun_is_due_again(
    settings: StorageSettings, storage: Storage, other: Storage
) -> None:
    await other._keeper._make_due()
    assert await other._keeper._take("sweep") == other.owners.id
    assert "sweep" not in await storage._keeper._due()
    silence(settings, other)
    await storage._keeper.sweep_due()
    assert ask(settings, "SELECT owner FROM chore WHERE done_at IS NULL") == []
