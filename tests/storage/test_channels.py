"""Channels: who lives there, what was posted, and messages that are handled once."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime

import pytest

from personas.errors import NotFoundError
from storage.channels import Post, Resident
from storage.conversations import Turn
from storage.settings import StorageSettings
from storage.store import Storage
from storage.unfinished import Unfinished
from tests.storage.examples import add

HERE = "discord:11"
TODAY = date(2026, 11, 22)


@pytest.fixture
async def grumbel(storage: Storage) -> str:
    return (await add(storage, "a")).id


async def test_what_a_channel_chose_is_kept(storage: Storage) -> None:
    assert (await storage.channels.mode(HERE), await storage.channels.form(HERE)) == (None, None)
    await storage.channels.set_mode(HERE, "voice")
    await storage.channels.set_form(HERE, "note")
    await storage.channels.set_mode(HERE, "text")
    assert (await storage.channels.mode(HERE), await storage.channels.form(HERE)) == (
        "text",
        "note",
    )
    await storage.channels.set_mode(HERE, None)
    assert await storage.channels.mode(HERE) is None


async def test_a_persona_that_is_deleted_leaves_and_its_posts_are_forgotten(
    storage: Storage, grumbel: str
) -> None:
    await storage.channels.settle(HERE, Resident(persona_id=grumbel, triggers=("tea",)))
    await storage.channels.posted(Post(channel=HERE, message="1", persona_id=grumbel))
    await storage.personas.delete("terminal", grumbel)
    assert await storage.channels.residents(HERE) == []
    assert await storage.channels.post(HERE, "1") is None
    with pytest.raises(NotFoundError):
        await storage.channels.settle(HERE, Resident(persona_id=grumbel))
    with pytest.raises(NotFoundError):
        await storage.channels.posted(Post(channel=HERE, message="2", persona_id=grumbel))


async def test_a_thread_is_quiet_until_somebody_lives_in_it(storage: Storage, grumbel: str) -> None:
    assert not await storage.channels.quiet(HERE)
    await storage.channels.hush(HERE)
    await storage.channels.set_mode(HERE, "voice")
    assert await storage.channels.quiet(HERE)
    assert not await storage.channels.quiet("discord:12")
    await storage.channels.settle(HERE, Resident(persona_id=grumbel))
    assert not await storage.channels.quiet(HERE)
    assert await storage.channels.mode(HERE) == "voice"


async def test_a_post_outlives_the_memory_of_what_was_said(storage: Storage, grumbel: str) -> None:
    persona = await storage.personas.by_id(grumbel)
    assert persona is not None
    conversation = await storage.conversations.open(persona, HERE)
    turn = await storage.conversations.append(conversation.id, Turn(role="persona", text="Hm."))
    await storage.channels.posted(
        Post(channel=HERE, message="1", persona_id=grumbel, turn_id=turn.id, question="q")
    )
    assert [one.message for one in await storage.channels.posts(HERE, turn_id=turn.id)] == ["1"]
    await storage.conversations.forget(conversation.id)
    post = await storage.channels.post(HERE, "1")
    assert post is not None and post.turn_id is None and post.persona_id == grumbel


async def test_a_message_is_handled_once_whoever_asks(
    storage: Storage, settings: StorageSettings
) -> None:
    async with await Storage.open(settings) as other:
        asked = [one.channels.handle(HERE, "7") for one in (storage, other) * 8]
        assert sorted(await asyncio.gather(*asked)) == [False] * 15 + [True]
        assert await other.channels.handle(HERE, "8")
        assert await other.channels.handle("discord:12", "7")


async def test_the_last_speaker_is_known(storage: Storage, grumbel: str) -> None:
    assert await storage.channels.last_post(HERE) is None
    for message in ("5", "6"):
        await storage.channels.posted(Post(channel=HERE, message=message, persona_id=grumbel))
    last = await storage.channels.last_post(HERE)
    assert last is not None and last.message == "6"
    await storage.channels.unpost(HERE, "6")
    last = await storage.channels.last_post(HERE)
    assert last is not None and last.message == "5"


async def test_a_channel_that_moves_takes_along_all_but_the_numbers_of_its_messages(
    storage: Storage, grumbel: str
) -> None:
    old, new = "telegram:-5", "telegram:-1005"
    for channel in (old, f"{old}:7"):
        await storage.channels.set_mode(channel, "voice")
        await storage.channels.settle(channel, Resident(persona_id=grumbel))
        await storage.channels.posted(Post(channel=channel, message="1", persona_id=grumbel))
        assert await storage.channels.handle(channel, "2")
    await storage.channels.posted(Post(channel="telegram:-55", message="1", persona_id=grumbel))
    body = {"text": "Hello?", "message": "2", "messages": ["3"], "files": [], "sending": "file"}
    work = {"id": "one", "kind": "answer", "gallery": old, "channel": old, "member": "1"}
    await storage.unfinished.begin(Unfinished.model_validate({**work, "body": body}))
    assert await storage.channels.handle(new, "1")
    await storage.channels.move(old, new)
    for channel in (new, f"{new}:7"):
        assert await storage.channels.mode(channel) == "voice"
        assert [one.persona_id for one in await storage.channels.residents(channel)] == [grumbel]
        assert await storage.channels.last_post(channel) is None
        assert await storage.channels.handle(channel, "2")
    assert not await storage.channels.handle(new, "1")
    assert await storage.channels.post("telegram:-55", "1") is not None
    await storage.unfinished.leave("one")
    [left] = await storage.unfinished.take_over("answer", "telegram")
    assert left.channel == new
    assert left.body == {
        "text": "Hello?",
        "message": "",
        "messages": [],
        "files": [],
        "sending": "",
    }


# Usage


async def spend(storage: Storage, member: str = "1", day: date = TODAY, **limits: int) -> str:
    return await storage.usage.spend("discord:1", member, "message", day, **limits)


async def test_uses_are_counted_by_member_and_day(storage: Storage) -> None:
    assert [await spend(storage, each=2) for _ in range(3)] == ["", "", "each"]
    assert await spend(storage, "2", each=2) == ""
    assert await spend(storage, day=date(2026, 11, 23), each=2) == ""
    assert await storage.usage.used("discord:1", "message", TODAY) == 3
    assert await storage.usage.used("discord:1", "message", TODAY, member="1") == 2
    assert await storage.usage.used("discord:2", "message", TODAY) == 0


async def test_a_community_has_a_limit_of_its_own(storage: Storage) -> None:
    told = [await spend(storage, str(member), every=3) for member in range(5)]
    assert told == ["", "", "", "every", "every"]


async def test_at_once_is_no_way_round_a_limit(storage: Storage, settings: StorageSettings) -> None:
    async with await Storage.open(settings) as other:
        asked = [spend(one, each=5) for one in (storage, other) * 10]
        assert (await asyncio.gather(*asked)).count("") == 5


async def test_what_came_to_nothing_is_given_back(storage: Storage) -> None:
    await spend(storage)
    for _ in range(3):
        await storage.usage.refund("discord:1", "1", "message", TODAY)
    assert await storage.usage.used("discord:1", "message", TODAY) == 0


async def test_old_days_are_dropped(storage: Storage) -> None:
    await spend(storage, day=date(2026, 1, 1))
    await spend(storage, day=datetime(2026, 11, 22, tzinfo=UTC).date())
    assert await storage.usage.used("discord:1", "message", date(2026, 1, 1)) == 0
