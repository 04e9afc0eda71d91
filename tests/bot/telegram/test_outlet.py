"""One answer on Telegram: its text, its clip, its voice, and what can go wrong."""

from __future__ import annotations

import asyncio
import io
import logging
from functools import lru_cache
from typing import Any

import av
import numpy as np
import pytest

from bot.chat.base import Activity, Before, GoneError, TooLargeError
from bot.telegram.clock import Clock
from bot.telegram.outlet import TelegramOutlet
from bot.telegram.request import NotArrivedError
from bot.telegram.spots import Spot
from engine.speech.base import Speech
from engine.talkinghead.base import Clip
from engine.talkinghead.video import encode
from personas.errors import UnavailableError
from tests.bot.telegram.conftest import Bot
from tests.fakes.telegram_request import TelegramRequest
from tests.fakes.telegram_rooms import LostError, RefusedError
from tests.fakes.telegram_service import Telegram

ADA, GROUP, TOPIC = 7, -1001, 55
LONG = "The sea is calm tonight, and the tide is full."


def speech(seconds: float = 1.0) -> Speech:
    time = np.arange(int(seconds * 8_000), dtype=np.float32) / 8_000
    return Speech((0.3 * np.sin(1_400 * time)).astype(np.float32), 8_000, (), (), "Hm")


@lru_cache
def clip(seconds: float = 1.0, fps: int = 10) -> Clip:
    frames = (np.full((64, 64, 3), 40 + i % 100, np.uint8) for i in range(int(seconds * fps)))
    return encode(frames, speech(seconds), fps=fps, size=64)


@pytest.fixture
def private(bot: Bot, telegram: Telegram, clock: Clock) -> TelegramOutlet:
    telegram.private(ADA)
    return TelegramOutlet(bot, Spot(ADA, private=True), reply_to=1, clock=clock)


@pytest.fixture
def group(bot: Bot, telegram: Telegram, clock: Clock) -> TelegramOutlet:
    telegram.say(telegram.group(GROUP), "Who are you?", by=ADA)
    return TelegramOutlet(bot, Spot(GROUP), reply_to=1, name="Barnaby", clock=clock)


def methods(telegram: Telegram) -> list[str]:
    return [call.method for call in telegram.calls if call.method != "getMe"]


# -- text


async def test_in_private_text_is_streamed_as_a_draft(
    private: TelegramOutlet, telegram: Telegram, clock: Clock
) -> None:
    for text in ("The sea", "The sea is **calm**"):
        await private.show([text], final=False)
        await clock.sleep(private.interval * 1.2)
    assert telegram.rooms[ADA].draft == "The sea is calm"
    assert private.message_ids == ()
    await private.show(["The sea is **calm** tonight."], final=True)
    (message,) = telegram.rooms[ADA].from_bot
    assert (message["text"], private.message_ids) == (
        "The sea is calm tonight.",
        (str(message["message_id"]),),
    )
    assert message["entities"] == [{"type": "bold", "offset": 11, "length": 4}]
    assert "reply_to_message" not in message
    drafts = {call.parameters["draft_id"] for call in telegram.named("sendMessageDraft")}
    assert len(drafts) == 1


async def test_in_a_group_text_is_one_message_that_grows(
    group: TelegramOutlet, telegram: Telegram, clock: Clock
) -> None:
    await group.show(["The sea"], final=False)  # not worth a notification yet
    assert methods(telegram) == []
    await group.show([LONG], final=False)
    await clock.sleep(group.interval)
    await group.show([LONG + " It"], final=False)
    await group.show([LONG + " It sings."], final=True)
    (message,) = telegram.rooms[GROUP].from_bot
    assert message["text"] == f"Barnaby\n{LONG} It sings."
    assert message["entities"][0] == {"type": "bold", "offset": 0, "length": 7}
    assert message["reply_to_message"]["text"] == "Who are you?"
    assert methods(telegram) == ["sendMessage", "editMessageText", "editMessageText"]


async def test_a_text_that_has_not_changed_is_not_sent_again(
    group: TelegramOutlet, telegram: Telegram
) -> None:
    await group.show([LONG], final=False)
    await group.show([LONG], final=True)
    assert methods(telegram) == ["sendMessage"]


async def test_long_texts_are_several_messages(private: TelegramOutlet, telegram: Telegram) -> None:
    pieces = ["a" * 4096, "b" * 4096, "c"]
    await private.show(pieces[:2], final=False)
    assert telegram.rooms[ADA].texts == pieces[:1]
    assert telegram.rooms[ADA].draft == pieces[1]
    await private.show(pieces, final=True)
    assert telegram.rooms[ADA].texts == pieces
    assert len(private.message_ids) == 3


async def test_emoji_fill_a_message_twice_as_fast(
    private: TelegramOutlet, telegram: Telegram
) -> None:
    await private.show(["🌊" * 4096], final=True)
    assert [len(text) for text in telegram.rooms[ADA].texts] == [2048, 2048]


async def test_the_last_look_may_be_shorter(group: TelegramOutlet, telegram: Telegram) -> None:
    await group.show([LONG * 2, LONG], final=False)
    await group.show([LONG], final=True)
    assert telegram.rooms[GROUP].texts == [f"Barnaby\n{LONG}"]
    assert len(group.message_ids) == 1


async def test_an_answer_can_take_the_place_of_an_earlier_one(
    bot: Bot, group: TelegramOutlet, telegram: Telegram, clock: Clock
) -> None:
    await group.show([LONG, LONG], final=True)
    await group.send_clip(clip())
    before = Before(group.message_ids, group.file_ids)
    again = TelegramOutlet(bot, Spot(GROUP), before=before, clock=clock)
    await again.show(["Anew."], final=True)
    assert telegram.rooms[GROUP].texts == ["Anew."]
    assert again.message_ids == before.messages[:1]


@pytest.mark.parametrize("text", ["```\n```", "**", "@everybody /delete"])
async def test_nothing_a_model_writes_is_refused(
    private: TelegramOutlet, telegram: Telegram, text: str
) -> None:
    await private.show([text], final=True)
    assert telegram.rooms[ADA].texts[0].replace("\u2060", "") == text


async def test_an_old_server_without_drafts_gets_edits(
    private: TelegramOutlet, telegram: Telegram
) -> None:
    telegram.failures["sendMessageDraft"].append(RefusedError(404, "Not Found"))
    await private.show([LONG], final=False)
    await private.show([LONG + " It"], final=False)
    assert telegram.rooms[ADA].texts == [LONG + " It"]


async def test_topics_are_kept(bot: Bot, telegram: Telegram, clock: Clock) -> None:
    telegram.group(GROUP, forum=True).topics.add(TOPIC)
    outlet = TelegramOutlet(bot, Spot(GROUP, TOPIC), clock=clock)
    async with outlet.activity(Activity.WRITING):
        await outlet.show([LONG], final=True)
    await outlet.send_clip(clip())
    assert {m["message_thread_id"] for m in telegram.rooms[GROUP].from_bot} == {TOPIC}


async def test_a_question_that_was_deleted_is_answered_all_the_same(
    group: TelegramOutlet, telegram: Telegram
) -> None:
    telegram.rooms[GROUP].messages.clear()
    await group.show([LONG], final=True)
    assert len(telegram.rooms[GROUP].from_bot) == 1


async def test_what_was_heard_is_shown_as_a_quotation(
    private: TelegramOutlet, telegram: Telegram
) -> None:
    telegram.say(telegram.rooms[ADA], voice=telegram.upload(b"ogg") | {"duration": 1})
    await private.heard("tell @everybody about the sea")
    (message,) = telegram.rooms[ADA].from_bot
    assert message["entities"][0]["type"] == "expandable_blockquote"
    assert message["reply_to_message"]["message_id"] == 1
    assert private.message_ids == ()


async def test_one_who_is_stopped_still_knows_what_was_sent(
    private: TelegramOutlet, telegram: Telegram
) -> None:
    await private.show([LONG], final=True)
    sending = asyncio.create_task(private.send_clip(clip()))
    await telegram.until(lambda: telegram.named("sendChatAction"))
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    await telegram.until(lambda: telegram.named("sendVideoNote"))
    await asyncio.sleep(0.01)
    assert len(private.file_ids) == 1


# -- what it is doing


@pytest.mark.parametrize(
    ("doing", "action"),
    [
        (Activity.WRITING, "typing"),
        (Activity.SPEAKING, "record_voice"),
        (Activity.FILMING, "record_video_note"),
    ],
)
async def test_an_activity_is_kept_alive_and_ends(
    private: TelegramOutlet, telegram: Telegram, clock: Clock, doing: Activity, action: str
) -> None:
    async with private.activity(doing):
        await clock.sleep(11)
    actions = telegram.named("sendChatAction")
    assert [call.parameters["action"] for call in actions] == [action] * 3
    await clock.sleep(10)
    assert len(telegram.named("sendChatAction")) == 3


async def test_an_activity_never_fails(private: TelegramOutlet, telegram: Telegram) -> None:
    telegram.rooms[ADA].refusal = RefusedError(403, "Forbidden: bot was blocked by the user")
    async with private.activity(Activity.WRITING):
        await asyncio.sleep(0.01)


# -- clip and voice


async def test_a_clip_is_a_round_note_of_the_text(
    group: TelegramOutlet, telegram: Telegram
) -> None:
    await group.show([LONG], final=True)
    await group.send_clip(clip())
    text, note = telegram.rooms[GROUP].from_bot
    assert note["video_note"]["length"] == 64
    assert note["video_note"]["duration"] == 1
    assert note["reply_to_message"]["message_id"] == text["message_id"]
    assert group.message_ids == (str(text["message_id"]),)
    assert group.file_ids == (str(note["message_id"]),)
    (call,) = telegram.named("sendVideoNote")
    assert call.files["video_note"] == clip().data
    (thumbnail,) = call.files.keys() - {"video_note"}
    assert call.parameters["thumbnail"] == f"attach://{thumbnail}"
    assert call.files[thumbnail].startswith(b"\xff\xd8")
    actions = [c.parameters["action"] for c in telegram.named("sendChatAction")]
    assert actions == ["upload_video_note"]


@pytest.mark.parametrize(("seconds", "kind"), [(60.0, "video_note"), (60.5, "video")])
async def test_more_than_a_minute_is_a_video(
    private: TelegramOutlet, telegram: Telegram, seconds: float, kind: str
) -> None:
    await private.send_clip(clip(seconds, fps=2))
    assert kind in telegram.rooms[ADA].from_bot[0]


async def test_chats_may_prefer_videos(bot: Bot, telegram: Telegram, clock: Clock) -> None:
    telegram.private(ADA)
    outlet = TelegramOutlet(bot, Spot(ADA, private=True), notes=False, clock=clock)
    async with outlet.activity(Activity.FILMING):
        await outlet.send_clip(clip())
    assert telegram.rooms[ADA].last()["video"]["width"] == 64
    actions = {c.parameters["action"] for c in telegram.named("sendChatAction")}
    assert actions <= {"record_video", "upload_video"}


async def test_who_takes_no_video_messages_gets_a_video(
    private: TelegramOutlet, telegram: Telegram
) -> None:
    telegram.failures["sendVideoNote"].append(
        RefusedError(400, "Bad Request: VOICE_MESSAGES_FORBIDDEN")
    )
    await private.send_clip(clip())
    assert "video" in telegram.rooms[ADA].from_bot[0]


async def test_a_voice_note_is_opus(private: TelegramOutlet, telegram: Telegram) -> None:
    await private.send_voice(speech(2.0))
    (call,) = telegram.named("sendVoice")
    assert call.parameters["duration"] == "2"
    with av.open(io.BytesIO(call.files["voice"])) as sound:
        assert (sound.format.name, sound.streams.audio[0].codec_context.name) == ("ogg", "opus")


async def test_who_takes_no_voice_messages_gets_a_sound_file(
    private: TelegramOutlet, telegram: Telegram
) -> None:
    telegram.failures["sendVoice"].append(
        RefusedError(400, "Bad Request: VOICE_MESSAGES_FORBIDDEN")
    )
    await private.send_voice(speech())
    assert "audio" in telegram.rooms[ADA].from_bot[0]


async def test_a_file_that_is_too_large_is_not_sent(
    bot: Bot, telegram: Telegram, clock: Clock
) -> None:
    telegram.private(ADA)
    small = TelegramOutlet(bot, Spot(ADA, private=True), file_limit=100, clock=clock)
    with pytest.raises(TooLargeError):
        await small.send_clip(clip())
    with pytest.raises(TooLargeError):
        await small.send_voice(speech())
    assert methods(telegram) == []


async def test_a_server_that_finds_it_too_large_is_believed(
    private: TelegramOutlet, telegram: Telegram
) -> None:
    telegram.failures["sendVideoNote"].append(RefusedError(413, "Request Entity Too Large"))
    with pytest.raises(TooLargeError):
        await private.send_clip(clip())


async def test_a_clip_without_a_first_picture_is_sent_all_the_same(
    private: TelegramOutlet, telegram: Telegram
) -> None:
    await private.send_clip(Clip(b"no video that we can read", 1.0, 64, 25))
    assert "video_note" in telegram.rooms[ADA].from_bot[0]


# -- what goes wrong

GONE: list[tuple[int, str]] = [
    (403, "Forbidden: bot was blocked by the user"),
    (403, "Forbidden: bot was kicked from the supergroup chat"),
    (403, "Forbidden: user is deactivated"),
    (400, "Bad Request: chat not found"),
    (400, "Bad Request: not enough rights to send text messages to the chat"),
    (400, "Bad Request: TOPIC_CLOSED"),
    (400, "Bad Request: message thread not found"),
]


@pytest.mark.parametrize(("code", "reason"), GONE)
async def test_where_nothing_can_be_written_any_more(
    private: TelegramOutlet, telegram: Telegram, code: int, reason: str
) -> None:
    telegram.rooms[ADA].refusal = RefusedError(code, reason)
    await private.show(["so far"], final=False)
    for attempt in (
        private.show([LONG], final=True),
        private.send_clip(clip()),
        private.send_voice(speech()),
    ):
        with pytest.raises(GoneError):
            await attempt
    await private.tell("You have been told nothing.")


async def test_a_message_that_was_deleted_while_it_grew(
    group: TelegramOutlet, telegram: Telegram
) -> None:
    await group.show([LONG], final=False)
    telegram.rooms[GROUP].messages.clear()
    with pytest.raises(GoneError):
        await group.show([LONG + " It"], final=True)


async def test_a_lost_answer_shows_nothing_twice(
    private: TelegramOutlet, telegram: Telegram, caplog: pytest.LogCaptureFixture
) -> None:
    telegram.failures["sendMessage"].append(LostError())
    telegram.failures["sendVideoNote"].append(LostError())
    with caplog.at_level(logging.WARNING):
        await private.show([LONG], final=True)
        await private.send_clip(clip())
    assert telegram.rooms[ADA].texts == [LONG, ""]
    assert private.message_ids == ()
    assert len(caplog.records) == 2


async def test_a_first_look_that_was_lost_does_not_stand_for_the_whole(
    group: TelegramOutlet, telegram: Telegram, clock: Clock
) -> None:
    telegram.failures["sendMessage"].append(LostError())
    await group.show([LONG], final=False)
    await clock.sleep(group.interval)
    await group.show([LONG + " It"], final=False)
    await group.show([LONG + " It sings."], final=True)
    assert telegram.rooms[GROUP].texts == [f"Barnaby\n{LONG}", f"Barnaby\n{LONG} It sings."]
    assert len(group.message_ids) == 1


@pytest.mark.parametrize("where", [ADA, GROUP], ids=["private", "group"])
async def test_a_look_that_does_not_arrive_is_simply_not_shown(
    private: TelegramOutlet,
    group: TelegramOutlet,
    where: int,
    telegram: Telegram,
    request_double: TelegramRequest,
    clock: Clock,
) -> None:
    outlet, room = private if where == ADA else group, telegram.rooms[where]
    await outlet.show([LONG], final=False)
    await clock.sleep(outlet.interval * 1.2)
    request_double.down = [NotArrivedError("ConnectError")]
    await outlet.show([LONG + " It"], final=False)
    assert not request_double.down
    await clock.sleep(outlet.interval * 1.2)
    await outlet.show([LONG + " It sings"], final=False)
    assert f"{LONG} It sings" in (room.draft or room.texts[-1])
    await outlet.show([LONG + " It sings."], final=True)
    assert [text.removeprefix("Barnaby\n") for text in room.texts] == [f"{LONG} It sings."]


async def test_a_draft_whose_answer_was_lost_is_not_the_last(
    private: TelegramOutlet, telegram: Telegram, clock: Clock
) -> None:
    telegram.failures["sendMessageDraft"].append(LostError())
    await private.show([LONG], final=False)
    await clock.sleep(private.interval * 1.2)
    await private.show([LONG + " It"], final=False)
    assert telegram.rooms[ADA].draft == f"{LONG} It"
    assert telegram.rooms[ADA].texts == []


async def test_a_lost_answer_to_an_edit_loses_nothing(
    group: TelegramOutlet, telegram: Telegram
) -> None:
    await group.show([LONG], final=False)
    telegram.failures["editMessageText"].append(LostError())
    await group.show([LONG + " It"], final=True)
    assert telegram.rooms[GROUP].texts == [f"Barnaby\n{LONG} It"]


async def test_a_minute_without_a_network_costs_a_minute(
    private: TelegramOutlet, telegram: Telegram, request_double: TelegramRequest
) -> None:
    request_double.down = [NotArrivedError("ConnectError")] * 6
    await private.show([LONG], final=True)
    assert telegram.rooms[ADA].texts == [LONG]


async def test_many_minutes_without_a_network_are_a_sentence(
    private: TelegramOutlet, request_double: TelegramRequest
) -> None:
    request_double.down = [NotArrivedError("ConnectError")] * 99
    with pytest.raises(UnavailableError, match="reached"):
        await private.show([LONG], final=True)


async def test_a_group_that_moves_is_followed(group: TelegramOutlet, telegram: Telegram) -> None:
    moved = RefusedError(
        400,
        "Bad Request: group chat was upgraded to a supergroup chat",
        migrate_to_chat_id=-1002,
    )
    await group.show([LONG], final=False)
    telegram.rooms[GROUP].refusal = moved
    telegram.group(-1002)
    await group.show([LONG + " It"], final=True)
    await group.send_clip(clip())
    text, note = telegram.rooms[-1002].from_bot
    assert text["text"] == f"Barnaby\n{LONG} It"
    assert "video_note" in note


async def test_telling_is_an_answer_to_who_asked(group: TelegramOutlet, telegram: Telegram) -> None:
    await group.tell("You have used up today's messages.")
    message: dict[str, Any] = telegram.rooms[GROUP].from_bot[0]
    assert message["reply_to_message"]["text"] == "Who are you?"
