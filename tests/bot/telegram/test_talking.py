"""What happens when people write: in private, in groups, in topics; and when things go wrong."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from telegram import Update
from telegram.error import InvalidToken, NetworkError, TimedOut

from bot.telegram.polling import PollingBot
from engine.observing import current
from engine.portrait.base import Image
from engine.speech.base import Speech
from engine.talkinghead.video import encode
from personas.persona import Voice
from tests.bot.chat.conftest import until
from tests.bot.telegram.house import ADA, BOB, EVE, GROUP, WORDS, House
from tests.fakes.head import StillHead
from tests.fakes.telegram_rooms import LostError, RefusedError


async def test_in_private_every_message_is_answered_with_text_and_a_note(house: House) -> None:
    await house.create(house.ada)
    house.telegram.say(house.ada, "Who are you?")
    text = await house.said(house.ada, WORDS)
    note = await house.has(house.ada, "video_note")
    assert note["message_id"] > text["message_id"]
    actions = {c.parameters["action"] for c in house.telegram.named("sendChatAction")}
    assert {"typing", "record_video_note", "upload_video_note"} <= actions
    assert house.telegram.named("sendMessageDraft")


async def test_a_group_calls_by_name_reply_or_mention(house: House) -> None:
    group = house.group()
    await house.create(group, by=ADA)
    ways: list[tuple[str, dict[str, Any]]] = [
        ("Barnaby, what do you see?", {}),
        ("and you, @anything_bot?", {}),
        ("Really?", {"reply_to_message": group.last("caption")}),
    ]
    # Without a resident, a name alone calls nobody: the bot itself is called.
    house.telegram.say(group, "/talk barnaby", by=ADA)
    await house.said(group, "Barnaby Beam\nMind the steps")
    await house.chat.rooms.set_rules(place(house), moderator(), trigger="called")
    for number, (text, more) in enumerate(ways, 1):
        house.telegram.say(group, text, by=BOB, **more)
        await house.has(group, "video_note", number)
    house.telegram.say(group, "Nice weather", by=BOB)
    await asyncio.sleep(0.05)
    assert sum(WORDS in text for text in group.texts) == 3
    asked = [
        request.last for request in house.model.asked if "JSON" not in request.messages[0].content
    ]
    assert "@anything_bot" not in asked[1]


async def test_an_answer_in_a_group_quotes_the_question_and_the_note_the_answer(
    house: House,
) -> None:
    group = house.group()
    await house.create(group, by=ADA)
    question = house.telegram.say(group, "@anything_bot who are you?", by=BOB)
    note = await house.has(group, "video_note")
    text = await house.said(group, WORDS)
    assert text["reply_to_message"]["message_id"] == question["message_id"]
    assert note["reply_to_message"]["message_id"] == text["message_id"]


async def test_where_only_makers_see_their_personas_an_admin_talks_with_all(house: House) -> None:
    group = house.group()
    await house.create(group, by=ADA)
    await house.chat.rooms.set_rules(place(house), moderator(), visibility="creator")
    house.telegram.say(group, "@anything_bot who are you?", by=BOB)
    await house.said(group, "Nobody lives here yet")
    house.telegram.say(group, "@anything_bot who are you?", by=EVE)
    await house.said(group, WORDS)
    assert sum(WORDS in text for text in group.texts) == 1


async def test_several_personas_say_who_they_are(house: House) -> None:
    group = house.group()
    await house.create(group, by=ADA)
    await house.create(group, "a shy lighthouse", by=ADA)
    house.telegram.say(group, "Tilda, @anything_bot, who are you?", by=BOB)
    answer = await house.said(group, WORDS)
    assert answer["text"].startswith("Tilda Teapot\n")
    assert answer["entities"][0] == {"type": "bold", "offset": 0, "length": 12}


async def test_a_reply_is_for_who_is_replied_to_also_after_a_restart(house: House) -> None:
    group = house.group()
    await house.create(group, by=ADA)
    await house.create(group, "a shy lighthouse", by=ADA)
    house.telegram.say(group, "Barnaby, @anything_bot, hello", by=BOB)
    note = await house.has(group, "video_note")
    await house.stop()
    await house.start()
    house.telegram.reply(group, note, "And now?", by=BOB)
    answer = await house.has(group, "video_note", 2)
    assert answer["reply_to_message"]["text"].startswith("Barnaby Beam\n")


async def test_topics_are_places_of_their_own(house: House) -> None:
    forum = house.group(forum=True)
    forum.topics |= {11, 12}
    await house.create(forum, by=ADA)
    topic = {"message_thread_id": 11, "is_topic_message": True}
    root = {
        "message_id": 11,
        "date": 1,
        "chat": forum.chat,
        "forum_topic_created": {"name": "Sea", "icon_color": 1},
    }
    house.telegram.say(forum, "/talk barnaby", by=ADA, **topic)
    await house.said(forum, "Barnaby Beam\nMind the steps")
    house.telegram.say(forum, "Who are you?", by=BOB, reply_to_message=root, **topic)
    note = await house.has(forum, "video_note")
    assert note["message_thread_id"] == 11
    house.telegram.say(forum, "Who are you?", by=BOB, message_thread_id=12, is_topic_message=True)
    await asyncio.sleep(0.05)
    assert sum(WORDS in text for text in forum.texts) == 1


async def test_reply_threads_of_ordinary_groups_are_no_topics(house: House) -> None:
    group = house.group()
    await house.create(group, by=ADA)
    house.telegram.say(group, "@anything_bot hello", by=BOB, message_thread_id=99)
    note = await house.has(group, "video_note")
    assert "message_thread_id" not in note


async def test_what_is_spoken_is_heard(house: House) -> None:
    await house.create(house.ada)
    for kind in ("voice", "video_note", "audio", "video"):
        sound = house.telegram.upload(f"said as {kind}".encode()) | {"duration": 2}
        sizes = {"length": 64} if kind == "video_note" else {"width": 1, "height": 1}
        house.telegram.say(house.ada, **{kind: sound | sizes})
        await house.said(house.ada, f"said as {kind}")
    await house.has(house.ada, "video_note", 4)


async def test_a_recording_that_telegram_does_not_hand_out_is_a_sentence(house: House) -> None:
    await house.create(house.ada)
    voice = house.telegram.upload(b"0" * 20_000_001) | {"duration": 60, "file_size": 1}
    house.telegram.say(house.ada, voice=voice)
    await house.said(house.ada, "20 MB")


async def test_captions_are_read_and_albums_answered_once(house: House) -> None:
    await house.create(house.ada)
    photo = [house.telegram.upload(b"png") | {"width": 1, "height": 1}]
    house.telegram.say(house.ada, caption="Look at this!", photo=photo, media_group_id="a")
    house.telegram.say(house.ada, photo=photo, media_group_id="a")
    house.telegram.say(house.ada, photo=photo, media_group_id="a")
    await house.has(house.ada, "video_note")
    house.telegram.say(house.ada, photo=photo, media_group_id="b")
    house.telegram.say(house.ada, photo=photo, media_group_id="b")
    await house.said(house.ada, "cannot see pictures")
    await house.quiet()
    assert sum("cannot see" in text for text in house.ada.texts) == 1
    assert sum(WORDS in text for text in house.ada.texts) == 1


async def test_what_is_forwarded_is_read_and_commands_nothing(house: House) -> None:
    persona = await house.create(house.ada)
    origin = {"type": "hidden_user", "date": 1, "sender_user_name": "Somebody"}
    house.telegram.say(house.ada, f"/delete {persona.slug}", forward_origin=origin)
    await house.has(house.ada, "video_note")
    assert not any("Delete" in text for text in house.ada.texts)


async def test_a_channel_and_other_bots_are_not_answered(house: House) -> None:
    group = house.group()
    await house.create(group, by=ADA)
    channel = {"id": -100500, "type": "channel", "title": "News"}
    house.telegram.say(
        group, "@anything_bot news!", by=777000, sender_chat=channel, is_automatic_forward=True
    )
    other = {"id": 99, "is_bot": True, "first_name": "Other"}
    house.telegram.say(group, "@anything_bot hi", by=99, **{"from": other})
    card = {"id": 4242, "is_bot": True, "first_name": "Anything"}
    house.telegram.say(group, "@anything_bot card", by=ADA, via_bot=card)
    await asyncio.sleep(0.05)
    assert not any(WORDS in text for text in group.texts)


async def test_a_comment_on_a_channels_post_is_answered_below_it(house: House) -> None:
    group = house.group()
    await house.create(group, by=ADA)
    channel = {"id": -100500, "type": "channel", "title": "News"}
    post = house.telegram.say(
        group, "news!", by=777000, sender_chat=channel, is_automatic_forward=True
    )
    comment = house.telegram.say(
        group,
        "@anything_bot what do you think?",
        by=BOB,
        reply_to_message=post,
        message_thread_id=post["message_id"],
    )
    answer = await house.said(group, WORDS)
    assert answer["reply_to_message"]["message_id"] == comment["message_id"]


async def test_who_edits_a_message_gets_a_new_answer_in_place(house: House) -> None:
    await house.create(house.ada)
    message = house.telegram.say(house.ada, "Who are you?")
    await house.has(house.ada, "video_note")
    await house.quiet()
    before = len(house.model.asked)
    edited = {**message, "text": "Who are you really?", "edit_date": 1}
    house.telegram.update({"edited_message": edited})
    await house.telegram.until(lambda: len(house.model.asked) > before)
    await house.quiet()
    assert "really" in house.model.asked[-1].last
    assert sum(WORDS in text for text in house.ada.texts) == 1


async def test_an_update_that_comes_twice_is_answered_once(house: House) -> None:
    await house.create(house.ada)
    message = house.telegram.say(house.ada, "Who are you?")
    house.telegram.update({"message": message})
    await house.has(house.ada, "video_note")
    await house.stop()
    await house.start()
    house.telegram.update({"message": message})
    create = house.telegram.say(house.ada, "/create a shy lighthouse")
    await house.card(house.ada, "Tilda")
    await house.stop()
    await house.start()
    house.telegram.update({"message": create})
    await asyncio.sleep(0.1)
    assert sum(WORDS in text for text in house.ada.texts) == 1
    assert await house.storage.personas.count(f"telegram:{ADA}") == 2


async def test_what_was_written_while_nobody_was_there_is_answered(house: House) -> None:
    group = house.group()
    await house.create(house.ada)
    await house.create(group, by=ADA)
    await house.stop()
    yesterday = 80_000
    for number in range(6):
        words = f"Are you there? ({number})"
        house.telegram.say(house.ada, words, date=house.telegram.now - yesterday)
    house.telegram.say(
        group, "@anything_bot, are you?", by=BOB, date=house.telegram.now - yesterday
    )
    await house.start()
    await house.has(house.ada, "video_note")
    await house.quiet()
    # All of it is read, and answered once; the group has gone on since.
    asked = house.model.asked[-1].last
    assert all(f"({number})" in asked for number in range(6))
    assert sum(WORDS in text for text in house.ada.texts) == 1
    assert not any(WORDS in text for text in group.texts)


@pytest.mark.parametrize("age", [0, 80_000], ids=["now", "in a backlog"])
async def test_what_comes_in_while_the_program_ends_is_answered_by_the_next(
    house: House, monkeypatch: pytest.MonkeyPatch, age: int
) -> None:
    monkeypatch.setattr("bot.telegram.backlog._MORE_SECONDS", 1e6)
    await house.create(house.ada)
    await house.chat.aclose(5.0)
    house.telegram.say(house.ada, "Are you there?", date=house.telegram.now - age)
    await until(lambda: not house.telegram._updates)  # it was fetched, and comes never again
    await house.stop()
    assert not any(WORDS in text for text in house.ada.texts)
    await house.start()
    await house.said(house.ada, WORDS)
    await house.has(house.ada, "video_note")


async def test_a_group_that_becomes_a_supergroup_keeps_everybody(house: House) -> None:
    group = house.group()
    await house.create(group, by=ADA)
    house.telegram.say(group, "/talk barnaby", by=ADA)
    await house.said(group, "Barnaby Beam\nMind the steps")
    answered = house.telegram.say(group, "Barnaby, are you here?", by=ADA)
    await house.has(group, "video_note")
    await house.quiet()
    new = house.telegram.group(-1002)
    group.refusal = RefusedError(
        400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=-1002
    )
    house.telegram.say(group, by=ADA, migrate_to_chat_id=-1002)
    house.telegram.say(new, by=ADA, migrate_from_chat_id=GROUP)
    new.ids = itertools.count(answered["message_id"])  # a supergroup numbers anew
    house.telegram.say(new, "Barnaby, are you still here?", by=ADA)
    await house.has(new, "video_note")
    assert await house.storage.personas.count("telegram:-1002") == 1


async def test_who_blocks_the_bot_is_left_alone(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    await house.create(house.ada)
    house.ada.refusal = RefusedError(403, "Forbidden: bot was blocked by the user")
    with caplog.at_level(logging.INFO):
        house.telegram.say(house.ada, "Who are you?")
        await house.telegram.until(
            lambda: any(c.method == "sendMessage" and c.code == 403 for c in house.telegram.calls)
        )
        await house.quiet()
    assert len([r for r in caplog.records if r.levelno >= logging.WARNING]) <= 1
    house.ada.refusal = None
    house.telegram.say(house.ada, "I am back")
    await house.has(house.ada, "video_note")


async def test_being_thrown_out_and_let_in(house: House) -> None:
    group = house.group()
    me = {"user": {"id": 4242, "is_bot": True, "first_name": "Anything"}}
    change: dict[str, Any] = {
        "chat": group.chat,
        "from": house.telegram.user(ADA),
        "date": 1,
        "old_chat_member": {**me, "status": "left"},
        "new_chat_member": {**me, "status": "member"},
    }
    house.telegram.update({"my_chat_member": change})
    await house.said(group, "call somebody by name")
    back = {"old_chat_member": change["new_chat_member"]}
    out = {"new_chat_member": change["old_chat_member"]}
    house.telegram.update({"my_chat_member": {**change, **back, **out}})
    await house.create(house.ada)


async def test_a_lost_answer_shows_nothing_twice(house: House) -> None:
    await house.create(house.ada)
    house.telegram.failures["sendMessage"].append(LostError())
    house.telegram.say(house.ada, "Who are you?")
    await house.has(house.ada, "video_note")
    await house.quiet()
    assert sum(WORDS in text for text in house.ada.texts) == 1


async def test_a_flood_is_refused_once(house: House) -> None:
    await house.create(house.ada)
    house.telegram.say(house.ada, "/mode text")
    house.model.pause = 0.01
    for number in range(9):
        house.telegram.say(house.ada, f"Message {number}")
    await house.said(house.ada, "One thing at a time")
    await house.quiet()
    refusals = [text for text in house.ada.texts if "One thing at a time" in text]
    assert len(refusals) == 1


def place(house: House) -> Any:
    from bot.telegram.spots import Spot, place_of

    return place_of(Spot(GROUP))


def moderator() -> Any:
    from bot.chat.base import Person

    return Person("9", "Eve", is_moderator=True)


@dataclass
class NoisyHead(StillHead):
    """Draws what no encoder can make small."""

    fps: int = 25
    size: int = 256

    def frames(self, prepared: Image, speech: Speech, seed: int = 0) -> Iterator[Image]:
        noise = np.random.default_rng(seed)
        for _ in range(round(speech.duration * self.fps)):
            yield noise.integers(0, 255, (self.size, self.size, 3), np.uint8)


async def noisy(house: House, file_limit: int) -> None:
    """Starts again with large clips and a limit of their size."""
    await house.stop()
    house.head, house.encode = NoisyHead(), encode
    house.settings = house.settings.model_copy(update={"file_limit": file_limit})
    await house.start()


async def test_a_clip_that_is_too_large_is_made_smaller(house: House) -> None:
    await noisy(house, 150_000)
    await house.create(house.ada)
    house.telegram.say(house.ada, "Who are you?")
    note = (await house.has(house.ada, "video_note"))["video_note"]
    assert note["file_size"] <= 150_000
    assert note["length"] < 256


async def test_one_that_cannot_be_small_enough_is_sent_as_a_voice_note(house: House) -> None:
    await noisy(house, 20_000)
    await house.create(house.ada)
    house.telegram.say(house.ada, "Who are you?")
    assert (await house.has(house.ada, "voice"))["voice"]["file_size"] <= 20_000
    assert not house.telegram.named("sendVideoNote")


async def test_each_request_is_named_after_its_message(house: House) -> None:
    seen: list[str] = []
    speak = house.speech.synthesize

    def listening(text: str, voice: Voice) -> Speech:
        request = current()
        assert request is not None and request.community == f"telegram:{ADA}"
        seen.append(request.id)
        return speak(text, voice)

    await house.create(house.ada)
    house.speech.synthesize = listening  # type: ignore[method-assign]
    message = house.telegram.say(house.ada, "Who are you?")
    await house.has(house.ada, "video_note")
    assert seen == [f"telegram:{ADA}/{message['message_id']}"]


@pytest.mark.parametrize(
    ("failure", "name"),
    [
        (RefusedError(401, "Unauthorized"), "InvalidToken"),
        (RefusedError(404, "Not Found"), "InvalidToken"),
        (RefusedError(409, "Conflict"), "Conflict"),
        (NetworkError("No route"), "NetworkError"),
        (TimedOut(), "TimedOut"),
    ],
    ids=["401", "404", "409", "no network", "timeout"],
)
async def test_it_knows_whether_updates_come_in_and_goes_on_asking_for_them(
    house: House, failure: Exception, name: str
) -> None:
    await house.create(house.ada)
    assert house.adapter.obstacle == ""
    house.telegram.failures["getUpdates"].append(failure)
    house.telegram.say(house.ada, "Are you there?")  # the next try fails
    await until(lambda: bool(house.adapter.obstacle))
    assert house.adapter.obstacle == f"Telegram gives no updates ({name})."
    house.telegram.say(house.ada, "And now?")
    await until(lambda: sum(WORDS in text for text in house.ada.texts) == 2)
    assert house.adapter.obstacle == ""


async def test_it_ends_in_order_where_updates_have_come_to_an_end(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = asyncio.Event()

    async def refused(*_: object, **__: object) -> tuple[Update, ...]:
        ended.set()
        raise InvalidToken

    with monkeypatch.context() as patch:
        patch.setattr(PollingBot, "get_updates", refused)
        house.telegram.say(house.ada, "/help")  # what is being asked for comes; nothing after it
        await ended.wait()
        await house.stop()
    assert house.adapter.obstacle == "It is not connected with Telegram."
    await house.start()
