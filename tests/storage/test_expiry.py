"""Expiry: clips go by age, by community and in all; words and portraits stay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from storage.conversations import Turn
from storage.settings import StorageSettings
from storage.store import Storage
from tests.storage.examples import add
from tests.storage.looking import files

KB = 1_000


def limited(settings: StorageSettings, **limits: Any) -> StorageSettings:
    return settings.model_copy(update={"clips_total_bytes": 0, **limits})


async def say(storage: Storage, gallery: str, clip: bytes, *, age: timedelta = timedelta()) -> Turn:
    """An answer with a clip, by the persona of a community."""
    persona = await storage.personas.by_id(gallery) or await add(storage, gallery, gallery=gallery)
    conversation = await storage.conversations.open(persona, "here")
    key = await storage.media.put(clip, ".mp4")
    turn = Turn(role="persona", text="Hm.", clip=key, created_at=datetime.now(UTC) - age)
    return await storage.conversations.append(conversation.id, turn)


def clips(settings: StorageSettings) -> set[str | None]:
    return {file for file in files(settings) if file.endswith(".mp4")}


async def test_a_clip_is_kept_for_so_many_days(settings: StorageSettings) -> None:
    async with await Storage.open(limited(settings, clips_days=7)) as storage:
        old = await say(storage, "one", b"old", age=timedelta(days=8))
        new = await say(storage, "one", b"new", age=timedelta(days=6))
        portraits = files(settings) - clips(settings)
        assert (await storage.sweep()).clips == 1
        assert clips(settings) == {new.clip}
        assert files(settings) >= portraits
        kept = await storage.conversations.turn(old.id or 0)
        assert kept is not None and kept.text == "Hm." and kept.clip is None
        assert (await storage.sweep()).clips == 0


async def test_a_clip_that_is_used_again_is_young_again(settings: StorageSettings) -> None:
    async with await Storage.open(limited(settings, clips_days=7)) as storage:
        await say(storage, "one", b"same", age=timedelta(days=30))
        again = await say(storage, "two", b"same")
        assert (await storage.sweep()).clips == 0
        assert clips(settings) == {again.clip}


async def test_a_community_has_so_much_room(settings: StorageSettings) -> None:
    async with await Storage.open(limited(settings, clips_community_bytes=3 * KB)) as storage:
        loud = [await say(storage, "loud", bytes([n]) * KB) for n in range(5)]
        quiet = await say(storage, "quiet", b"q" * KB)
        assert (await storage.sweep()).clips == 2
        assert clips(settings) == {quiet.clip, *(turn.clip for turn in loud[2:])}


async def test_what_two_communities_share_goes_from_one_and_stays_for_the_other(
    settings: StorageSettings,
) -> None:
    async with await Storage.open(limited(settings, clips_community_bytes=KB)) as storage:
        first = await say(storage, "loud", b"s" * KB)
        newer = await say(storage, "loud", b"n" * KB)
        shared = await say(storage, "quiet", b"s" * KB)
        assert (await storage.sweep()).clips == 1
        assert clips(settings) == {newer.clip, shared.clip}
        gone = await storage.conversations.turn(first.id or 0)
        assert gone is not None and gone.clip is None


async def test_all_clips_together_have_so_much_room(settings: StorageSettings) -> None:
    async with await Storage.open(limited(settings, clips_total_bytes=2_500)) as storage:
        said = [await say(storage, f"g{n % 2}", bytes([n]) * KB) for n in range(6)]
        assert (await storage.sweep()).clips == 4
        assert clips(settings) == {turn.clip for turn in said[4:]}


@pytest.mark.parametrize("limit", ["clips_total_bytes", "clips_community_bytes"])
async def test_the_newest_stays_however_large(settings: StorageSettings, limit: str) -> None:
    async with await Storage.open(limited(settings, **{limit: KB})) as storage:
        await say(storage, "one", b"small")
        huge = await say(storage, "one", b"h" * 9 * KB)
        assert (await storage.sweep()).clips == 1
        assert clips(settings) == {huge.clip}
        assert (await storage.sweep()).clips == 0


async def test_a_clip_shared_by_many_turns_counts_once(settings: StorageSettings) -> None:
    async with await Storage.open(limited(settings, clips_community_bytes=3 * KB)) as storage:
        for _ in range(5):
            await say(storage, "one", b"s" * KB)
        await say(storage, "one", b"o" * KB)
        assert (await storage.sweep()).clips == 0
        assert len(clips(settings)) == 2


async def test_a_portrait_that_is_also_a_clip_stays(settings: StorageSettings) -> None:
    async with await Storage.open(limited(settings, clips_days=1)) as storage:
        persona = await add(storage, "a")
        picture = await storage.media.get(persona.portrait.image)
        conversation = await storage.conversations.open(persona, "here")
        key = await storage.media.put(picture, ".png")
        long_ago = datetime.now(UTC) - timedelta(days=9)
        await storage.conversations.append(
            conversation.id, Turn(role="persona", text="Me.", clip=key, created_at=long_ago)
        )
        assert (await storage.sweep()).clips == 1
        assert await storage.media.get(persona.portrait.image) == picture


async def test_more_clips_than_one_transaction_takes(here: StorageSettings) -> None:
    async with await Storage.open(limited(here, clips_days=1, clips_per_conversation=0)) as storage:
        for n in range(205):
            await say(storage, "one", b"%d" % n, age=timedelta(days=2))
        assert (await storage.sweep()).clips == 205
        assert clips(here) == set()
