"""Telegram's limits are kept, chat by chat."""

from __future__ import annotations

import asyncio
import itertools
import logging

import pytest
from telegram.error import BadRequest, RetryAfter, TimedOut
from telegram.ext import ExtBot

from bot.telegram.clock import Clock
from bot.telegram.limiter import ChatLimiter, Limits, NotNowError, QueueFullError, Urgency
from bot.telegram.request import NotArrivedError
from tests.bot.telegram.conftest import Bot
from tests.fakes.telegram_request import BASE, TelegramRequest
from tests.fakes.telegram_rooms import TOKEN, LostError, RefusedError
from tests.fakes.telegram_service import Telegram

GROUP = -1001


def limiter_of(bot: Bot) -> ChatLimiter:
    assert isinstance(bot.rate_limiter, ChatLimiter)
    return bot.rate_limiter


async def test_one_message_a_second_in_a_chat_in_order(bot: Bot, telegram: Telegram) -> None:
    room = telegram.private(1)
    await asyncio.gather(*(bot.send_message(1, str(number)) for number in range(5)))
    assert room.texts == ["0", "1", "2", "3", "4"]
    times = [call.at for call in telegram.named("sendMessage")]
    assert all(later - earlier >= 1.0 for earlier, later in itertools.pairwise(times))


async def test_twenty_a_minute_in_a_group(bot: Bot, telegram: Telegram) -> None:
    telegram.group(GROUP)
    await asyncio.gather(*(bot.send_message(GROUP, str(number)) for number in range(22)))
    times = [call.at for call in telegram.named("sendMessage")]
    assert times[20] - times[0] >= 60.0


async def test_thirty_a_second_in_all(bot: Bot, telegram: Telegram) -> None:
    for id in range(1, 71):
        telegram.private(id)
    await asyncio.gather(*(bot.send_message(id, "Hello") for id in range(1, 71)))
    times = [call.at for call in telegram.named("sendMessage")]
    assert all(later - earlier >= 1.0 for earlier, later in zip(times, times[30:], strict=False))


async def test_edits_count_and_questions_do_not(bot: Bot, telegram: Telegram) -> None:
    telegram.private(1)
    sent = await bot.send_message(1, "one")
    edit = asyncio.create_task(bot.edit_message_text("two", 1, sent.message_id))
    await asyncio.sleep(0)
    await bot.get_chat_member(1, 1)
    assert not edit.done()
    await edit


async def test_one_chats_pause_stops_no_other(bot: Bot, telegram: Telegram) -> None:
    telegram.private(1), telegram.private(2)
    telegram.failures["sendMessage"].append(RefusedError(429, "Too Many", retry_after=20))
    first = asyncio.create_task(bot.send_message(1, "one"))
    behind = asyncio.create_task(bot.send_message(1, "two"))
    await telegram.until(lambda: telegram.calls[-1].code == 429)
    await bot.send_message(2, "elsewhere")
    assert not first.done()
    assert not behind.done()
    await asyncio.gather(first, behind)
    assert telegram.rooms[1].texts == ["one", "two"]
    refused, elsewhere, again, _ = (c for c in telegram.calls if c.method == "sendMessage")
    assert elsewhere.at - refused.at < 20 <= again.at - refused.at


async def test_what_did_not_arrive_is_sent_again(
    bot: Bot,
    telegram: Telegram,
    request_double: TelegramRequest,
    caplog: pytest.LogCaptureFixture,
) -> None:
    telegram.private(1)
    request_double.down = [NotArrivedError("ConnectError")] * 6
    with caplog.at_level(logging.INFO, "bot.telegram"):
        await bot.send_message(1, "Hello")
    assert telegram.rooms[1].texts == ["Hello"]
    assert [r.levelname for r in caplog.records] == ["WARNING", "INFO"]


async def test_a_message_whose_answer_was_lost_is_not_sent_twice(
    bot: Bot, telegram: Telegram
) -> None:
    telegram.private(1)
    telegram.failures["sendMessage"].append(LostError())
    with pytest.raises(TimedOut):
        await bot.send_message(1, "Hello")
    assert telegram.rooms[1].texts == ["Hello"]


async def test_an_edit_whose_answer_was_lost_is_made_again(bot: Bot, telegram: Telegram) -> None:
    telegram.private(1)
    sent = await bot.send_message(1, "one")
    telegram.failures["editMessageText"].append(LostError())
    # The second time nothing is left to change: it had been done.
    with pytest.raises(BadRequest, match="not modified"):
        await bot.edit_message_text("two", 1, sent.message_id)
    assert telegram.rooms[1].texts == ["two"]


async def test_what_waiting_does_not_change_is_told_at_once(bot: Bot, telegram: Telegram) -> None:
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.send_message(9, "Hello")
    assert len([c for c in telegram.calls if c.method == "sendMessage"]) == 1


async def test_patience_has_an_end(telegram: Telegram, clock: Clock) -> None:
    request = TelegramRequest(telegram)
    limiter = ChatLimiter(Limits(patience=30), clock)
    async with ExtBot(TOKEN, f"{BASE}/bot", request=request, rate_limiter=limiter) as bot:
        telegram.private(1)
        request.down = [NotArrivedError("ConnectError")] * 99
        with pytest.raises(NotArrivedError):
            await bot.send_message(1, "Hello")
        telegram.failures["sendMessage"].append(RefusedError(429, "Too Many", retry_after=500))
        request.down.clear()
        with pytest.raises(RetryAfter):
            await bot.send_message(1, "Hello")


async def test_fleeting_requests_take_no_ones_place(bot: Bot, telegram: Telegram) -> None:
    telegram.private(1), telegram.group(GROUP)
    await bot.send_message(1, "one")
    with pytest.raises(NotNowError):
        await bot.send_message(1, "two", rate_limit_args=Urgency.FLEETING)
    sent = await bot.send_message(GROUP, "0")
    shown = 0
    for number in range(1, 15):
        await asyncio.sleep(0.012)
        try:
            await bot.edit_message_text(
                str(number), GROUP, sent.message_id, rate_limit_args=Urgency.FLEETING
            )
            shown += 1
        except NotNowError:
            pass
    assert shown == 7  # of 20 a minute, 12 are kept for messages


async def test_actions_and_drafts_pause_with_their_chat(bot: Bot, telegram: Telegram) -> None:
    telegram.private(1)
    telegram.failures["sendChatAction"].append(RefusedError(429, "Too Many", retry_after=10))
    for _ in range(3):
        with pytest.raises(NotNowError):
            await bot.send_chat_action(1, "typing")
        with pytest.raises(NotNowError):
            await bot.send_message_draft(1, 1, "so far")
    assert len(telegram.calls) == 2  # getMe and the first action


async def test_fleeting_requests_that_do_not_arrive_are_not_missed(
    bot: Bot, telegram: Telegram, request_double: TelegramRequest
) -> None:
    telegram.private(1)
    for look in (
        lambda: bot.send_message(1, "so far", rate_limit_args=Urgency.FLEETING),
        lambda: bot.send_message_draft(1, 1, "so far"),
        lambda: bot.send_chat_action(1, "typing"),
    ):
        request_double.down = [NotArrivedError("ConnectError")]
        with pytest.raises(NotNowError):
            await look()
        assert not request_double.down


async def test_a_queue_has_an_end(telegram: Telegram, clock: Clock) -> None:
    limiter = ChatLimiter(Limits(waiting=3), clock)
    request = TelegramRequest(telegram)
    async with ExtBot(TOKEN, f"{BASE}/bot", request=request, rate_limiter=limiter) as bot:
        telegram.private(1)
        done = await asyncio.gather(
            *(bot.send_message(1, str(number)) for number in range(9)), return_exceptions=True
        )
    assert sum(isinstance(result, QueueFullError) for result in done) == 5
    assert telegram.rooms[1].texts == ["0", "1", "2", "3"]


async def test_chats_are_forgotten_when_nothing_happens(bot: Bot, telegram: Telegram) -> None:
    for id in range(1, 40):
        telegram.private(id)
    await asyncio.gather(*(bot.send_message(id, "Hello") for id in range(1, 40)))
    await asyncio.sleep(0.05)
    assert limiter_of(bot).chats == 0


async def test_one_who_gives_up_leaves_the_queue(bot: Bot, telegram: Telegram) -> None:
    telegram.private(1)
    await bot.send_message(1, "one")
    leaving = asyncio.create_task(bot.send_message(1, "two"))
    behind = asyncio.create_task(bot.send_message(1, "three"))
    await asyncio.sleep(0)
    leaving.cancel()
    await behind
    assert telegram.rooms[1].texts == ["one", "three"]
