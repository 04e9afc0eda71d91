"""Media: named by content, kept while wanted."""

from __future__ import annotations

import asyncio
import hashlib

import pytest

from personas.errors import InvalidInputError, NotFoundError, UnavailableError
from storage.media import key_of
from storage.settings import StorageSettings
from storage.store import Storage
from tests.storage.examples import add
from tests.storage.looking import files, media_folder, write_file


async def test_what_is_put_can_be_got_under_its_hash(
    settings: StorageSettings, storage: Storage
) -> None:
    digest = hashlib.sha256(b"picture").hexdigest()
    key = await storage.media.put(b"picture", ".png")
    assert key == f"{digest[:2]}/{digest}.png" == key_of(b"picture", ".png")
    assert await storage.media.put(b"picture", ".png") == key
    assert await storage.media.get(key) == b"picture"
    path = await storage.media.local_path(key)
    if not settings.is_local:
        assert path is None
        return
    assert path == media_folder(settings) / key
    assert path.read_bytes() == b"picture"


async def test_giving_up_a_claim_removes_the_bytes_when_it_was_the_last(
    settings: StorageSettings, storage: Storage
) -> None:
    key = await storage.media.put(b"x", ".mp4")
    await storage.media.put(b"x", ".mp4")
    await storage.media.delete(key)
    assert await storage.media.exists(key)
    await storage.media.delete(key)
    await storage.media.delete(key)
    assert not await storage.media.exists(key)
    persona = await add(storage, "a")
    await storage.media.delete(persona.portrait.image)
    assert await storage.media.exists(persona.portrait.image)


async def test_closing_gives_up_what_was_never_used(settings: StorageSettings) -> None:
    async with await Storage.open(settings) as storage:
        await storage.media.put(b"never used", ".png")
        assert len(files(settings)) == 1
    assert files(settings) == set()


async def test_a_forgotten_claim_lapses(settings: StorageSettings) -> None:
    hasty = settings.model_copy(update={"grace_seconds": 0})
    async with await Storage.open(hasty) as storage:
        await storage.media.put(b"forgotten", ".png")
        assert (await storage.sweep()).media == 1
        assert files(settings) == set()


@pytest.mark.parametrize(
    "key",
    ["", "x", "../secret", "ab/../../x.png", f"ab/{'ab' * 32}", f"ab/{'AB' * 32}.png", "a" * 200],
)
async def test_keys_from_strangers_lead_nowhere(storage: Storage, key: str) -> None:
    assert not await storage.media.exists(key)
    for use in (storage.media.get, storage.media.local_path, storage.media.delete):
        with pytest.raises(NotFoundError):
            await use(key)


@pytest.mark.parametrize("suffix", ["", "png", "./x", ".PNG", ".a/b", "..", ".toolongsuffix"])
async def test_a_suffix_is_a_suffix(storage: Storage, suffix: str) -> None:
    with pytest.raises(InvalidInputError):
        await storage.media.put(b"x", suffix)
    with pytest.raises(InvalidInputError):
        await storage.media.put(b"", ".png")


async def test_a_damaged_file_is_noticed_and_put_again(
    settings: StorageSettings, storage: Storage
) -> None:
    key = await storage.media.put(b"whole", ".png")
    write_file(settings, key, b"hole")
    with pytest.raises(UnavailableError, match="damaged"):
        await storage.media.get(key)
    await storage.media.put(b"whole", ".png")
    assert await storage.media.get(key) == b"whole"


async def test_many_tasks_put_and_give_up_the_same_bytes(storage: Storage) -> None:
    async def once() -> None:
        key = await storage.media.put(b"contended", ".png")
        assert await storage.media.get(key) == b"contended"
        await storage.media.delete(key)

    await asyncio.gather(*(once() for _ in range(15)))
    assert not await storage.media.exists(key_of(b"contended", ".png"))


async def test_two_processes_put_and_give_up_the_same_bytes(settings: StorageSettings) -> None:
    async with await Storage.open(settings) as one, await Storage.open(settings) as two:

        async def once(storage: Storage) -> None:
            for _ in range(6):
                key = await storage.media.put(b"contended", ".png")
                assert await storage.media.get(key) == b"contended"
                await storage.media.delete(key)

        await asyncio.gather(once(one), once(two), once(one), once(two))
    assert files(settings) == set()


async def test_media_can_live_in_an_object_store(settings: StorageSettings) -> None:
    elsewhere = settings.model_copy(update={"media_url": "memory:///"})
    async with await Storage.open(elsewhere) as storage:
        persona = await add(storage, "a")
        assert await storage.media.get(persona.portrait.image)
        assert await storage.media.local_path(persona.portrait.image) is None
        lost = await storage.media.put(b"x", ".png")
        await storage.media.delete(lost)
        assert not await storage.media.exists(lost)
        assert (await storage.sweep()).media == 0
        await storage.personas.delete("terminal", "a")
        assert not await storage.media.exists(persona.portrait.image)
