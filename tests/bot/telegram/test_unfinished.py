"""kill -9 while a persona is being made: the next process goes on with it in the same message."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from bot.chat.settings import ChatSettings
from engine.exchange import export_card
from personas.errors import UnavailableError
from storage.settings import StorageSettings
from storage.store import Storage
from tests.bot.chat.conftest import until
from tests.bot.telegram.house import EVE, WORDS, House
from tests.fakes.killing import Fuse, swept_away
from tests.fakes.telegram_rooms import Json, Room
from tests.storage.looking import ask

Restart = Callable[..., Awaitable[None]]
ASLEEP = 10.0**6


@pytest.fixture
async def restart(house: House) -> AsyncIterator[Restart]:
    """Kills the bot and starts another one, with a storage of its own on the same data."""
    house.limits = ChatSettings(at_once=8, creations_each=0, takeover_seconds=0)
    opened: list[Storage] = []
    killed: list[Fuse] = []

    async def new(fuse: Fuse) -> None:
        if not fuse.is_dead:
            fuse.kill()
        killed.append(fuse)
        await swept_away(house.adapter._desk.tasks)
        await swept_away([house.running])
        house.storage = await Storage.open(folder(house))
        opened.append(house.storage)
        house.model.pause = 0.0
        await house.start()
        await settled(house)

    yield new
    await house.stop()
    for fuse in killed:
        fuse.bury()
    for storage in opened:
        await storage.aclose()
    await house.start()  # for the fixture to stop


def folder(house: House) -> StorageSettings:
    return StorageSettings(data_folder=house.storage.owners._folder.parent)


def doomed(house: House, points: int = 0) -> Fuse:
    """The process that runs now, to be killed."""
    fuse = Fuse(house.storage, points)
    request: Any = house.adapter._desk.bot.request
    request.do_request = fuse.around(request.do_request, unless=changes_nothing)
    return fuse


def changes_nothing(url: str, **_: object) -> bool:
    return url.endswith(("sendChatAction", "getFile", "getMe")) or "/file/" in url


async def settled(house: House) -> None:
    """Waits until the bot has looked for what is left, and gone on with it."""
    looking = house.adapter._succession
    await until(lambda: looking._task is not None and looking._task.done())
    await house.quiet()


def unfinished(house: House) -> object:
    [[count]] = ask(folder(house), "SELECT count(*) FROM unfinished")
    return count


async def used(house: House, room: Room) -> int:
    return await house.storage.usage.used(f"telegram:{room.id}", "creation")


async def begin(house: House, room: Room | None = None, **more: Any) -> Json:
    """Somebody asks for a persona, and the model thinks for ever; gives the message."""
    house.model.pause = ASLEEP
    house.telegram.say(room or house.ada, "/create a grumpy lighthouse", **more)
    message = await house.said(room or house.ada, "Thinking up who it is")
    noted = f'"message": "{message["message_id"]}"'
    await until(lambda: noted in str(ask(folder(house), "SELECT body FROM unfinished")))
    return message


def assert_card(house: House, message: Json) -> None:
    """The message is a card, and the only one."""
    [card] = house.ada.from_bot
    assert card["message_id"] == message["message_id"]
    assert "photo" in card and "reply_markup" in card


async def test_the_same_message_becomes_the_card(house: House, restart: Restart) -> None:
    fuse = doomed(house)
    message = await begin(house)
    await restart(fuse)
    assert_card(house, message)
    assert unfinished(house) == 0
    assert await used(house, house.ada) == 1
    [persona] = await house.storage.personas.list(f"telegram:{house.ada.id}")
    assert persona.creator == str(house.ada.id)
    # In a private chat the next message is for whoever was just made.
    [resident] = await house.storage.channels.residents(f"telegram:{house.ada.id}")
    assert resident.persona_id == persona.id
    post = await house.storage.channels.post(f"telegram:{house.ada.id}", str(message["message_id"]))
    assert post is not None and post.persona_id == persona.id


async def test_in_a_topic_of_a_group(house: House, restart: Restart) -> None:
    room = house.group(forum=True)
    room.topics.add(5)
    fuse = doomed(house)
    message = await begin(house, room, by=8, message_thread_id=5, is_topic_message=True)
    await restart(fuse)
    [card] = room.from_bot
    assert (card["message_id"], card["message_thread_id"]) == (message["message_id"], 5)
    assert "photo" in card and "reply_markup" in card


@pytest.mark.parametrize("act", ["create", "portrait", "import"])
async def test_killed_between_any_two_writes(house: House, restart: Restart, act: str) -> None:
    before = await house.create(house.ada)
    card = await export_card(house.storage, before, "v2-json")
    untold = twice = 0
    for points in itertools.count(1):
        house.ada.messages.clear()
        counted = await used(house, house.ada)
        fuse = doomed(house, points)
        match act:
            case "create":
                house.telegram.say(house.ada, "/create a grumpy lighthouse")
            case "portrait":
                house.telegram.say(house.ada, f"/portrait {before.slug} = flat")
            case _:
                again = card.replace(b"{", b"{" + b" " * points, 1)
                document = {**house.telegram.upload(again), "file_name": "it.json"}
                house.telegram.say(
                    house.ada, document=document, caption="/import", caption_entities=COMMAND
                )
        await until(lambda fuse=fuse: fuse.is_dead or is_finished(house))
        is_over = not fuse.is_dead
        if is_over:
            await house.quiet()
        await restart(fuse)
        assert unfinished(house) == 0
        cards = [one for one in house.ada.from_bot if "reply_markup" in one]
        untold += not cards
        assert len(cards) <= 1
        # Killed before it knew what Telegram calls the message, it cannot change it any more.
        twice += len(house.ada.from_bot) > 1
        assert await used(house, house.ada) == counted + len(cards)
        if is_over:
            break
    assert untold == (5 if act == "import" else 1)
    assert twice <= 2
    assert points > 15


COMMAND = [{"type": "bot_command", "offset": 0, "length": 7}]


def is_finished(house: House) -> bool:
    return any("photo" in one and "reply_markup" in one for one in house.ada.from_bot)


async def test_a_command_that_comes_again_after_the_restart_asks_for_nothing_new(
    house: House, restart: Restart
) -> None:
    fuse = doomed(house)
    message = await begin(house)
    asked = [one for one in house.ada.messages.values() if "create" in one.get("text", "")][-1]
    house.telegram.redeliver({"update_id": 999_999, "message": asked})
    await restart(fuse)
    house.telegram.redeliver({"update_id": 1_999_999, "message": asked})
    await house.quiet()
    assert_card(house, message)
    assert await used(house, house.ada) == 1


async def test_a_message_that_was_deleted_ends_it(house: House, restart: Restart) -> None:
    fuse = doomed(house)
    message = await begin(house)
    del house.ada.messages[message["message_id"]]
    await restart(fuse)
    assert house.ada.from_bot == []
    assert unfinished(house) == 0
    assert await used(house, house.ada) == 0


async def test_what_fails_then_says_so_in_the_message(house: House, restart: Restart) -> None:
    fuse = doomed(house)
    message = await begin(house)
    house.portraits.failures += [UnavailableError("The ink has dried up.")] * 9
    await restart(fuse)
    [shown] = house.ada.from_bot
    assert shown["message_id"] == message["message_id"]
    assert shown["text"] == "The ink has dried up."
    assert unfinished(house) == 0
    assert await used(house, house.ada) == 0


async def test_switched_off_in_good_order_it_goes_on_later(house: House, restart: Restart) -> None:
    message = await begin(house)
    for task in house.adapter._desk.tasks:
        task.cancel()
    shown = await house.said(house.ada, "goes on when I am back")
    assert shown["message_id"] == message["message_id"]
    await house.quiet()
    await restart(doomed(house))
    assert_card(house, message)
    assert await used(house, house.ada) == 1


async def test_an_answer_is_given_in_the_supergroup_that_its_group_became(
    house: House, restart: Restart
) -> None:
    group = house.group()
    await house.create(group, by=EVE)
    fuse = doomed(house)
    house.model.pause = ASLEEP
    house.telegram.say(group, "@anything_bot good evening!", by=EVE)
    await until(lambda: unfinished(house) == 1)
    new = house.telegram.group(-1002)
    await house.chat.move(
        ("telegram:-1001", "telegram:-1002"), ("telegram:-1001", "telegram:-1002")
    )
    await restart(fuse)
    answer = await house.said(new, WORDS)
    assert "reply_to_message" not in answer
    assert unfinished(house) == 0


async def test_an_answer_that_nobody_has_seen_is_given(house: House, restart: Restart) -> None:
    await house.create(house.ada)
    fuse = doomed(house)
    house.model.pause = ASLEEP
    house.ada.messages.clear()
    house.telegram.say(house.ada, "Good evening!")
    await until(lambda: unfinished(house) == 1)
    await restart(fuse)
    assert [one["text"] for one in house.ada.from_bot if "text" in one] == [WORDS]
    assert len([one for one in house.ada.from_bot if "video_note" in one]) == 1
    assert unfinished(house) == 0
