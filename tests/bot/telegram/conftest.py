"""A Telegram for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from telegram.ext import ExtBot

from bot.telegram.clock import Clock
from bot.telegram.limiter import ChatLimiter, Urgency
from tests.fakes.telegram_request import BASE, TelegramRequest
from tests.fakes.telegram_rooms import TOKEN
from tests.fakes.telegram_service import Telegram

SPEED = 100.0
"""A second of Telegram's clock takes ten milliseconds."""

Bot = ExtBot[Urgency]


@pytest.fixture
def clock() -> Clock:
    return Clock(SPEED)


@pytest.fixture
def telegram(clock: Clock) -> Telegram:
    return Telegram(clock, limits=True)


@pytest.fixture
def request_double(telegram: Telegram) -> TelegramRequest:
    return TelegramRequest(telegram)


@pytest.fixture
async def bot(
    telegram: Telegram, request_double: TelegramRequest, clock: Clock
) -> AsyncIterator[Bot]:
    """The real python-telegram-bot with our limiter, before a Telegram in this process."""
    async with ExtBot(
        TOKEN,
        base_url=f"{BASE}/bot",
        base_file_url=f"{BASE}/file/bot",
        request=request_double,
        get_updates_request=TelegramRequest(telegram),
        rate_limiter=ChatLimiter(clock=clock),
    ) as made:
        yield made
    assert not telegram.problems
    assert not telegram.violations
