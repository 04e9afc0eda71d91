"""What a renderer prepared of a portrait belongs to the portrait, and goes with it."""

from __future__ import annotations

import asyncio

import pytest

from personas.errors import NotFoundError
from storage.settings import StorageSettings
from storage.store import Storage
from tests.storage.examples import add
from tests.storage.looking import ask, files, write_file


def kept(settings: StorageSettings) -> set[str]:
    return {name for name in files(settings) if name.endswith(".head")}


async def test_each_renderer_has_its_own_and_a_newer_one_takes_the_place_of_an_older(
    settings: StorageSettings, storage: Storage
) -> None:
    portrait = (await add(storage, "a")).portrait.image
    made = storage.media.preparations
    assert await made.get(portrait, "one-1") is None
    await made.keep(portrait, "one-1", b"features")
    await made.keep(portrait, "other-1", b"masks")
    await made.keep(portrait, "one-1", b"better features")
    assert await made.get(portrait, "one-1") == b"better features"
    assert await made.get(portrait, "other-1") == b"masks"
    assert len(kept(settings)) == 2


async def test_the_same_bytes_again_stay(settings: StorageSettings, storage: Storage) -> None:
    portrait = (await add(storage, "a")).portrait.image
    for _ in range(2):
        await storage.media.preparations.keep(portrait, "one-1", b"features")
    assert await storage.media.preparations.get(portrait, "one-1") == b"features"


async def test_it_goes_when_the_portrait_goes(settings: StorageSettings, storage: Storage) -> None:
    persona = await add(storage, "a")
    await storage.media.preparations.keep(persona.portrait.image, "one-1", b"features")
    await storage.personas.delete(persona.gallery, persona.id)
    assert files(settings) == set()
    assert ask(settings, "select count(*) from preparation") == [(0,)]
    assert await storage.media.preparations.get(persona.portrait.image, "one-1") is None


async def test_it_survives_opening_again_and_sweeping(settings: StorageSettings) -> None:
    async with await Storage.open(settings) as storage:
        portrait = (await add(storage, "a")).portrait.image
        await storage.media.preparations.keep(portrait, "one-1", b"features")
    async with await Storage.open(settings) as storage:
        await storage.sweep()
        assert await storage.media.preparations.get(portrait, "one-1") == b"features"


async def test_of_a_portrait_that_is_gone_nothing_is_kept(
    settings: StorageSettings, storage: Storage
) -> None:
    persona = await add(storage, "a")
    await storage.personas.delete(persona.gallery, persona.id)
    with pytest.raises(NotFoundError):
        await storage.media.preparations.keep(persona.portrait.image, "one-1", b"features")
    assert files(settings) == set()


async def test_a_damaged_one_counts_as_none(settings: StorageSettings, storage: Storage) -> None:
    portrait = (await add(storage, "a")).portrait.image
    await storage.media.preparations.keep(portrait, "one-1", b"features")
    (name,) = kept(settings)
    write_file(settings, name, b"feature!")
    assert await storage.media.preparations.get(portrait, "one-1") is None
    assert kept(settings) == set()
    await storage.media.preparations.keep(portrait, "one-1", b"features")
    assert await storage.media.preparations.get(portrait, "one-1") == b"features"


async def test_two_that_prepare_at_once_leave_one(
    settings: StorageSettings, storage: Storage
) -> None:
    portrait = (await add(storage, "a")).portrait.image
    made = storage.media.preparations
    await asyncio.gather(*(made.keep(portrait, "one-1", bytes([n])) for n in range(6)))
    assert len(kept(settings)) == 1
