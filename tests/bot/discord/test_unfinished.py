"""kill -9 while a persona is being made: the next process goes on with it in the same message."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import discord
import pytest

from bot.chat.settings import ChatSettings
from bot.discord.creating import resume
from engine.exchange import export_card
from personas.errors import UnavailableError
from storage.settings import StorageSettings
from storage.store import Storage
from tests.bot.discord.conftest import MakeChat, World
from tests.bot.discord.test_talk import settle
from tests.fakes.discord_seen import buttons, pictures, words
from tests.fakes.killing import Fuse
from tests.storage.looking import ask

ASLEEP = 10.0**9
ONLY_AT_THE_START = ChatSettings(takeover_seconds=0, creations_each=0)

Restart = Callable[..., Awaitable[Storage]]


@pytest.fixture
async def restart(world: World, make_chat: MakeChat) -> AsyncIterator[Restart]:
    """Kills the bot and starts another one, with a storage of its own on the same data."""
    opened: list[Storage] = []
    killed: list[Fuse] = []
    folder = world.storage.owners._folder.parent

    async def new(
        fuse: Fuse, settings: ChatSettings = ONLY_AT_THE_START, *, asleep: bool = False
    ) -> Storage:
        if not fuse.is_dead:
            fuse.kill()
        killed.append(fuse)
        storage = await Storage.open(StorageSettings(data_folder=folder, busy_seconds=20))
        opened.append(storage)
        world.model.pause = ASLEEP if asleep else 0.0
        world.storage = storage
        world.chat = make_chat(
            model=world.model, portraits=world.portraits, settings=settings, kept=storage
        )
        await world.env.restart_bot(world.new_bot())
        await world.env.settle()
        return storage

    yield new
    for fuse in killed:
        fuse.bury()
    for storage in opened:
        await storage.aclose()


def doomed(world: World, points: int = 0) -> Fuse:
    """The process that runs now, to be killed."""
    fuse = Fuse(world.storage, points)
    http: Any = world.bot.http
    http.request = fuse.around(http.request)
    return fuse


def unfinished(storage: Storage) -> int:
    folder = storage.owners._folder.parent
    [[count]] = ask(StorageSettings(data_folder=folder), "SELECT count(*) FROM unfinished")
    assert isinstance(count, int)
    return count


async def used(world: World) -> int:
    return await world.storage.usage.used(f"discord:{world.home.id}", "creation")


async def begin(world: World, command: str = "create", **options: Any) -> discord.Message:
    """Somebody asks for a persona, and the model thinks for ever; gives the message."""
    world.model.pause = ASLEEP
    options = options or {"description": "a grumpy lighthouse"}
    await world.ana.slash(world.general, command, **options)
    return world.general.history()[-1]


def assert_card(world: World, message: discord.Message) -> None:
    [card] = world.general.history()
    assert card.id == message.id
    assert "## Barnaby Beam" in words(card)
    assert len(pictures(card)) == 1
    assert buttons(card) == ["Talk here", "Hear me", "Details", "Delete"]


async def test_the_same_message_becomes_the_card(world: World, restart: Restart) -> None:
    fuse = doomed(world)
    message = await begin(world)
    assert "Imagining" in words(message)
    storage = await restart(fuse)
    assert_card(world, message)
    persona = await world.persona()
    assert persona.creator == str(world.ana.id)
    post = await storage.channels.post(f"discord:{world.general.id}", str(message.id))
    assert post is not None and post.persona_id == persona.id
    assert unfinished(storage) == 0
    assert await used(world) == 1


async def test_look_voice_image_and_whom_it_is_for_are_not_forgotten(
    world: World, restart: Restart
) -> None:
    from io import BytesIO

    from PIL import Image

    file = BytesIO()
    Image.new("RGB", (64, 64), "teal").save(file, "PNG")
    channel = world.bot.get_channel(world.general.id)
    assert isinstance(channel, discord.TextChannel)
    channel.nsfw = True
    fuse = doomed(world)
    message = await begin(
        world,
        description="a lighthouse",
        style="flat",
        voice="granny",
        image=("me.png", file.getvalue()),
        adult=True,
    )
    storage = await restart(fuse)
    assert_card(world, message)
    persona = await world.persona()
    assert (persona.voice.preset, persona.portrait.style) == ("granny", "flat")
    assert persona.adult
    assert world.portraits.photos[-1] is not None
    swept = await storage.sweep()
    assert swept.media == 0  # the image went when it was not needed any more


@pytest.mark.parametrize("act", ["create", "portrait", "import"])
async def test_killed_between_any_two_writes(world: World, restart: Restart, act: str) -> None:
    await world.create()
    before = await world.persona()
    card = await export_card(world.storage, before, "v2-json")
    untold = 0
    for points in itertools.count(1):
        world.env.backend.delete_channel(world.general.id)
        world.general = world.home.create_text_channel("general")
        counted = await used(world)
        fuse = doomed(world, points)
        match act:
            case "create":
                await world.ana.slash(world.general, "create", description="a grumpy lighthouse")
            case "portrait":
                await world.ana.slash(
                    world.general, "persona portrait", persona=before.slug, style="flat"
                )
            case _:
                again = card.replace(b"{", b"{" + b" " * points, 1)
                await world.ana.slash(world.general, "persona import", card=("it.json", again))
        is_over = not fuse.is_dead
        storage = await restart(fuse)
        assert unfinished(storage) == 0
        if world.general.history():
            assert_card(world, world.general.history()[0])
            assert await used(world) == counted + 1
        else:
            untold += 1
            assert await used(world) == counted
        if is_over:
            break
    # Nobody had been told anything before it was written down.
    assert untold == (5 if act == "import" else 1)
    assert points > 15


async def test_a_message_that_was_deleted_ends_it(world: World, restart: Restart) -> None:
    fuse = doomed(world)
    message = await begin(world)
    world.env.backend.delete_message(world.general.id, message.id)
    storage = await restart(fuse)
    assert world.general.history() == []
    assert unfinished(storage) == 0
    assert await used(world) == 0
    assert await storage.personas.count(f"discord:{world.home.id}") == 0


async def test_a_channel_that_was_deleted_ends_it(world: World, restart: Restart) -> None:
    fuse = doomed(world)
    await begin(world)
    world.env.backend.delete_channel(world.general.id)
    storage = await restart(fuse)
    assert unfinished(storage) == 0
    assert await used(world) == 0


async def test_what_fails_then_says_so_in_the_message(world: World, restart: Restart) -> None:
    fuse = doomed(world)
    message = await begin(world)
    world.portraits.failures += [UnavailableError("The ink has dried up.")] * 9
    storage = await restart(fuse)
    [shown] = world.general.history()
    assert shown.id == message.id
    assert "The ink has dried up." in words(shown)
    assert unfinished(storage) == 0
    assert await used(world) == 0


async def test_too_long_ago_it_says_so(world: World, restart: Restart) -> None:
    fuse = doomed(world)
    message = await begin(world)
    long_ago = datetime.now(UTC) - timedelta(days=2)
    from storage import tables as t

    fuse.kill()
    async with world.storage._database._engine.begin() as connection:
        await connection.execute(t.unfinished.update().values(created_at=long_ago))
    storage = await restart(fuse)
    [shown] = world.general.history()
    assert shown.id == message.id
    assert "too long ago" in words(shown)
    assert unfinished(storage) == 0
    assert await used(world) == 0


async def test_what_kills_each_process_is_given_up(world: World, restart: Restart) -> None:
    fuse = doomed(world)
    message = await begin(world)
    for _ in range(2):
        await restart(fuse, asleep=True)
        [shown] = world.general.history()
        assert "Imagining" in words(shown)
        fuse = doomed(world)
    storage = await restart(fuse)
    [shown] = world.general.history()
    assert shown.id == message.id
    assert "several times" in words(shown)
    assert unfinished(storage) == 0
    assert await used(world) == 0


async def test_of_two_that_start_at_once_one_goes_on(world: World, restart: Restart) -> None:
    fuse = doomed(world)
    message = await begin(world)
    fuse.kill()
    folder = StorageSettings(data_folder=world.storage.owners._folder.parent)
    async with await Storage.open(folder) as other:
        [taken] = await other.unfinished.take_over("creation", "discord")
        await restart(fuse)
        [shown] = world.general.history()
        assert "Imagining" in words(shown)
        await other.unfinished.leave(taken.id)
    [making] = await world.chat.makings.take_over("discord")
    await resume(world.bot.context, making)
    assert_card(world, message)


async def test_it_is_looked_for_while_the_bot_runs(world: World, restart: Restart) -> None:
    fuse = doomed(world)
    message = await begin(world)
    fuse.kill()
    folder = StorageSettings(data_folder=world.storage.owners._folder.parent)
    async with await Storage.open(folder) as other:
        await other.unfinished.take_over("creation", "discord")
        await restart(fuse, ChatSettings(takeover_seconds=30))
        assert "Imagining" in words(world.general.history()[0])
    await world.until(lambda: "## Barnaby" in words(world.general.history()[0]), 31)
    assert_card(world, message)


async def test_other_shards_leave_it_alone(world: World, restart: Restart) -> None:
    fuse = doomed(world)
    await begin(world)
    world.settings = world.settings.model_copy(update={"shard_ids": (1,)})
    storage = await restart(fuse)
    assert unfinished(storage) == 1


async def test_switched_off_in_good_order_it_goes_on_later(world: World, restart: Restart) -> None:
    fuse = doomed(world)
    message = await begin(world)
    ending = asyncio.get_running_loop().create_task(world.bot.finish(0.0))
    await world.env.advance_time(1)
    await ending
    assert "goes on when I am back" in words(world.general.history()[0])
    assert await used(world) == 1
    storage = await restart(fuse)
    assert_card(world, message)
    assert unfinished(storage) == 0
    assert await used(world) == 1


async def test_discord_is_away_when_the_card_is_ready(world: World, restart: Restart) -> None:
    message = await begin(world)
    http: Any = world.bot.http
    there = http.request

    async def away(*_: object, **__: object) -> None:
        raise OSError("no route")

    http.request = away
    await world.env.advance_time(ASLEEP)
    assert "Imagining" in words(world.general.history()[0])
    http.request = there
    [making] = await world.chat.makings.take_over("discord")
    await resume(world.bot.context, making)
    assert_card(world, message)
    assert await used(world) == 1


async def test_half_an_answer_becomes_whole_in_the_same_message(
    world: World, restart: Restart
) -> None:
    await settle(world)
    fuse = doomed(world)
    world.model.pause = 100.0
    before = len(world.said())
    question = await world.ben.send(world.general, "A long story, please.")
    await world.until(lambda: len(world.said()) > before, 100)
    half = world.said()[-1]
    storage = await restart(fuse)
    await world.until(lambda: unfinished(storage) == 0)
    said = world.said()
    assert len(said) == before + 1
    assert said[-1].id == half.id
    assert said[-1].content == "Mind the rocks."
    assert buttons(said[-1]) == ["Regenerate", "Delete"]
    [post] = await storage.channels.posts(f"discord:{world.general.id}", question=str(question.id))
    assert post.message == str(half.id)


async def test_a_question_that_was_deleted_meanwhile_is_not_answered(
    world: World, restart: Restart
) -> None:
    await settle(world)
    fuse = doomed(world)
    world.model.pause = ASLEEP
    before = len(world.said())
    question = await world.ben.send(world.general, "A long story, please.")
    world.env.backend.delete_message(world.general.id, question.id)
    storage = await restart(fuse)
    await world.until(lambda: unfinished(storage) == 0)
    assert len(world.said()) == before
