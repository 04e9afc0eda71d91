"""A Telegram for each test."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from telegram.ext import ExtBot

from bot.telegram.clock import Clock
from bot.telegram.limiter import ChatLimiter, Urgency
from engine.llm.base import Message
from storage.settings import StorageSettings
from storage.store import Storage
from tests.bot.telegram.house import WORDS, House
from tests.fakes.answers import ANSWER
from tests.fakes.language_model import ScriptedModel
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


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Storage]:
    settings = StorageSettings(data_folder=tmp_path / "data", busy_seconds=20)
    async with await Storage.open(settings) as opened:
        yield opened


@pytest.fixture
def model() -> ScriptedModel:
    """Invents Barnaby, then others; says one thing to everybody."""
    names = itertools.chain(["Barnaby Beam", "Tilda Teapot"], (f"Bob {n}" for n in range(99)))

    def script(messages: Sequence[Message]) -> str:
        if "JSON" in messages[0].content:
            return json.dumps({**ANSWER, "name": next(names)})
        return WORDS

    return ScriptedModel((script,))


@pytest.fixture
async def house(
    telegram: Telegram, clock: Clock, storage: Storage, model: ScriptedModel
) -> AsyncIterator[House]:
    """The adapter at work, with fakes for all that is slow."""
    built = House(telegram, clock, storage, model)
    await built.start()
    yield built
    await built.stop()
    assert not telegram.problems
    assert not telegram.violations
    assert not telegram.unanswered
