"""Conversations: what was said stays in order; clips come, expire and go."""

from __future__ import annotations

import pytest

from personas.errors import NotFoundError
from storage.conversations import Conversation, ConversationRepository, Turn
from storage.settings import StorageSettings
from storage.store import Storage
from tests.storage.examples import add
from tests.storage.looking import files


@pytest.fixture
async def conversation(storage: Storage) -> Conversation:
    return await storage.conversations.open(await add(storage, "a"), "terminal")


async def say(
    storage: Storage, conversation: Conversation, text: str, clip: bytes | None = None
) -> Turn:
    key = None if clip is None else await storage.media.put(clip, ".mp4")
    turn = Turn(role="persona", author="Grumbel", text=text, clip=key)
    return await storage.conversations.append(conversation.id, turn)


async def test_one_conversation_a_persona_and_channel(storage: Storage) -> None:
    persona = await add(storage, "a")
    other = await add(storage, "b")
    opened = await storage.conversations.open(persona, "discord:1/2")
    assert await storage.conversations.open(persona, "discord:1/2") == opened
    assert (await storage.conversations.open(persona, "discord:1/3")).id != opened.id
    assert (await storage.conversations.open(other, "discord:1/2")).id != opened.id


async def test_history_is_in_order_and_in_parts(
    storage: Storage, conversation: Conversation
) -> None:
    turns = [await say(storage, conversation, f"{n} 🌊 שלום") for n in range(5)]
    repository: ConversationRepository = storage.conversations
    assert await repository.history(conversation.id) == turns
    assert await repository.history(conversation.id, limit=2) == turns[3:]
    assert await repository.history(conversation.id, limit=2, before=turns[3].id) == turns[1:3]
    assert await repository.history(conversation.id, limit=0) == []
    assert await repository.history("nowhere") == []
    assert all(turn.created_at.tzinfo for turn in await repository.history(conversation.id))


async def test_a_clip_is_attached_later_and_replaced(
    settings: StorageSettings, storage: Storage, conversation: Conversation
) -> None:
    turn = await say(storage, conversation, "Hm.")
    assert turn.id is not None
    first = await storage.media.put(b"first", ".mp4")
    await storage.conversations.attach_clip(turn.id, first)
    assert (await storage.conversations.history(conversation.id))[0].clip == first
    second = await storage.media.put(b"second", ".mp4")
    await storage.conversations.attach_clip(turn.id, second)
    assert first not in files(settings)
    await storage.conversations.attach_clip(turn.id, second)  # a job delivered twice
    assert second in files(settings)


async def test_a_clip_needs_a_turn_and_bytes(storage: Storage, conversation: Conversation) -> None:
    clip = await storage.media.put(b"clip", ".mp4")
    with pytest.raises(NotFoundError):
        await storage.conversations.attach_clip(4711, clip)
    with pytest.raises(NotFoundError):
        await storage.conversations.append(
            conversation.id, Turn(role="persona", text="x", clip=f"ab/{'ab' * 32}.mp4")
        )
    assert await storage.conversations.history(conversation.id) == []


async def test_changing_deleting_and_forgetting(
    settings: StorageSettings, storage: Storage, conversation: Conversation
) -> None:
    portraits = files(settings)
    turns = [await say(storage, conversation, f"{n}", b"clip %d" % n) for n in range(4)]
    changed = await storage.conversations.replace(turns[0].id or 0, "other words")
    assert (changed.text, changed.clip) == ("other words", None)
    await storage.conversations.delete(turns[1].id or 0)
    await storage.conversations.delete(turns[1].id or 0)
    history = await storage.conversations.history(conversation.id)
    assert history == [changed, *turns[2:]]
    assert files(settings) == portraits | {turn.clip for turn in turns[2:]}
    await storage.conversations.forget(conversation.id)
    assert await storage.conversations.history(conversation.id) == []
    assert files(settings) == portraits
    with pytest.raises(NotFoundError):
        await storage.conversations.replace(turns[0].id or 0, "x")


async def test_the_same_clip_in_two_turns_is_kept_for_both(
    settings: StorageSettings, storage: Storage, conversation: Conversation
) -> None:
    one = await say(storage, conversation, "Hm.", b"same")
    two = await say(storage, conversation, "Hm.", b"same")
    await storage.conversations.delete(one.id or 0)
    assert two.clip in files(settings)


async def test_old_clips_expire_but_their_words_stay(settings: StorageSettings) -> None:
    few = settings.model_copy(update={"clips_per_conversation": 2})
    async with await Storage.open(few) as storage:
        conversation = await storage.conversations.open(await add(storage, "a"), "x")
        for n in range(5):
            await say(storage, conversation, f"{n}", b"clip %d" % n)
        turns = await storage.conversations.history(conversation.id)
        assert [turn.text for turn in turns] == list("01234")
        assert [turn.clip is not None for turn in turns] == [False] * 3 + [True] * 2
        assert len([f for f in files(settings) if f.endswith(".mp4")]) == 2


async def test_clips_together_stay_below_the_limit(settings: StorageSettings) -> None:
    small = settings.model_copy(update={"clips_total_bytes": 2_500})
    async with await Storage.open(small) as storage:
        persona = await add(storage, "a")
        for n in range(6):
            conversation = await storage.conversations.open(persona, f"channel {n}")
            last = await say(storage, conversation, "x", bytes([n]) * 1_000)
        assert (await storage.sweep()).clips == 4
        clips = {f for f in files(settings) if f.endswith(".mp4")}
        assert len(clips) == 2
        assert last.clip in clips
        huge = await say(storage, conversation, "long", b"x" * 9_000)
        assert (await storage.sweep()).clips == 2
        assert huge.clip in files(settings)  # the newest is never the one to go
