"""The adapter over real sockets: polling, webhooks, lost networks, and the limits under load."""

from __future__ import annotations

import asyncio
import itertools
import logging
import traceback
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import aiohttp
import pytest
from telegram.ext import ExtBot

from bot.chat.base import Activity, Before, IncomingMessage, OpenOutlet, Place
from bot.chat.makings import Making
from bot.telegram import secrets
from bot.telegram.clock import Clock
from bot.telegram.limiter import ChatLimiter
from bot.telegram.request import CarefulRequest
from bot.telegram.service import TelegramAdapter
from bot.telegram.settings import TelegramSettings, WebhookSettings
from personas.errors import UnavailableError
from personas.gallery import Policy
from storage.store import Storage
from tests.bot.chat.conftest import until
from tests.bot.telegram.conftest import Bot
from tests.bot.telegram.house import ADA, House
from tests.fakes.language_model import ScriptedModel
from tests.fakes.telegram_rooms import TOKEN, LostError
from tests.fakes.telegram_server import TelegramServer
from tests.fakes.telegram_service import Telegram

if TYPE_CHECKING:
    from bot.chat.chat import Chat
    from personas.persona import Persona


@pytest.fixture
async def server(telegram: Telegram) -> AsyncIterator[TelegramServer]:
    async with TelegramServer(telegram) as running:
        yield running


@pytest.fixture
async def wired(server: TelegramServer, clock: Clock) -> AsyncIterator[Bot]:
    async with ExtBot(
        TOKEN,
        base_url=server.base_url,
        base_file_url=server.base_file_url,
        request=CarefulRequest(),
        get_updates_request=CarefulRequest(2),
        rate_limiter=ChatLimiter(clock=clock),
    ) as bot:
        yield bot
    assert not server.telegram.problems
    assert not server.telegram.violations


def at_home(
    server: TelegramServer,
    clock: Clock,
    storage: Storage,
    model: ScriptedModel,
    **settings: object,
) -> House:
    """The adapter, connected to the server."""
    house = House(server.telegram, clock, storage, model)
    address = server.base_url.removesuffix("/bot")
    house.settings = TelegramSettings.model_validate({"server": address, **settings})
    house.wired = True
    return house


async def test_a_talk_with_a_restart_in_between(
    server: TelegramServer, clock: Clock, storage: Storage, model: ScriptedModel
) -> None:
    house = at_home(server, clock, storage, model)
    await house.start()
    await house.create(house.ada)
    await house.stop()
    house.telegram.say(house.ada, "Who are you?")
    await house.start()
    note = await house.has(house.ada, "video_note")
    assert house.telegram.files[note["video_note"]["file_id"]].startswith(b"clip")
    voice = house.telegram.upload(b"Who are you really?") | {"duration": 1}
    house.telegram.say(house.ada, voice=voice)
    await house.said(house.ada, "Who are you really?")
    await house.has(house.ada, "video_note", 2)
    await house.stop()
    assert not server.telegram.problems
    assert not server.telegram.violations


@pytest.mark.parametrize("code", [502, 503])
async def test_what_the_gateway_did_not_pass_on_is_sent_again(
    wired: Bot, server: TelegramServer, code: int
) -> None:
    room = server.telegram.private(ADA)
    server.gateway = [code] * 3
    await wired.send_message(ADA, "Hello")
    assert room.texts == ["Hello"]


async def test_a_request_that_was_done_is_not_sent_again(
    wired: Bot, server: TelegramServer
) -> None:
    from telegram.error import NetworkError

    room = server.telegram.private(ADA)
    server.telegram.failures["sendMessage"].append(LostError())
    with pytest.raises(NetworkError) as caught:
        await wired.send_message(ADA, "Hello")
    assert room.texts == ["Hello"]
    assert TOKEN not in repr(caught.value)


async def test_a_network_that_is_gone_for_a_minute_loses_nothing(
    wired: Bot, server: TelegramServer, caplog: pytest.LogCaptureFixture
) -> None:
    room = server.telegram.private(ADA)
    await wired.send_message(ADA, "before")
    await server.stop()
    with caplog.at_level(logging.INFO, "bot.telegram"):
        sending = asyncio.create_task(wired.send_message(ADA, "meanwhile"))
        await asyncio.sleep(0.6)  # a minute of Telegram's clock
        await server.start()
        await sending
    assert room.texts == ["before", "meanwhile"]
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


async def test_updates_come_through_after_the_network_was_gone(
    server: TelegramServer,
    clock: Clock,
    storage: Storage,
    model: ScriptedModel,
    caplog: pytest.LogCaptureFixture,
) -> None:
    house = at_home(server, clock, storage, model)
    await house.start()
    await house.create(house.ada)
    await server.stop()
    house.telegram.say(house.ada, "Who are you?")
    await asyncio.sleep(0.3)
    await server.start()
    await house.has(house.ada, "video_note")
    await house.stop()
    warnings = [r for r in caplog.records if r.levelno >= logging.WARNING]
    assert len(warnings) <= 2


@pytest.fixture
def webhooked(
    server: TelegramServer,
    clock: Clock,
    storage: Storage,
    model: ScriptedModel,
    unused_tcp_port: int,
) -> House:
    """A house to which updates come."""
    url = f"https://127.0.0.1:{unused_tcp_port}/updates"
    webhook = WebhookSettings(url=url, port=unused_tcp_port)
    return at_home(server, clock, storage, model, webhook=webhook.model_dump())


async def test_a_webhook_takes_only_what_telegram_sends(
    server: TelegramServer, webhooked: House, unused_tcp_port: int
) -> None:
    house = webhooked
    server.plain_webhook = True  # a proxy in front of the program speaks https
    await house.start()
    await house.create(house.ada)
    assert set(server.posted) == {200}
    assert len(house.telegram.webhook["secret_token"]) >= 32
    forged = {"update_id": 1, "message": house.telegram.say(house.ada, "/delete")}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"http://127.0.0.1:{unused_tcp_port}/updates", json=forged) as refused,
    ):
        assert refused.status == 403
    await house.stop()
    assert house.telegram.webhook


async def test_a_webhook_that_fails_is_told(server: TelegramServer, webhooked: House) -> None:
    house = webhooked
    await house.start()
    await until(lambda: house.adapter.obstacle == "")
    refused = {"last_error_date": server.telegram.now, "last_error_message": "Connection refused"}
    server.telegram.undelivered = {"pending_update_count": 3, **refused}
    await until(lambda: "(Connection refused)" in house.adapter.obstacle)
    server.telegram.undelivered = refused  # all was delivered since
    await until(lambda: house.adapter.obstacle == "")
    server.telegram.webhook = {"url": "https://elsewhere.example.org"}
    await until(lambda: "another address" in house.adapter.obstacle)
    await house.stop()


async def test_a_wrong_token_is_a_sentence_without_the_token(
    server: TelegramServer, clock: Clock, storage: Storage, model: ScriptedModel
) -> None:
    house = at_home(server, clock, storage, model)
    house.token = "1:AAH-mistyped"
    await house.start()
    with pytest.raises(UnavailableError, match="does not accept the token") as caught:
        await house.running
    assert "mistyped" not in "".join(traceback.format_exception(caught.value))


async def test_it_can_be_closed_before_it_is_connected(
    server: TelegramServer, storage: Storage, model: ScriptedModel
) -> None:
    house = at_home(server, Clock(), storage, model)
    await server.stop()
    await house.start()
    await asyncio.sleep(0.1)
    await house.stop()


async def test_the_token_is_in_no_log(
    server: TelegramServer, clock: Clock, storage: Storage, model: ScriptedModel, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    handler = logging.FileHandler(log)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s"))
    root = logging.getLogger()
    before = root.level
    levels = {name: logging.getLogger(name).level for name in ("httpx", "httpcore")}
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        house = at_home(server, clock, storage, model)
        await house.start()
        await house.create(house.ada)
        server.dropping = True
        house.telegram.say(house.ada, "Who are you?")
        await asyncio.sleep(0.1)
        server.dropping = False
        house.telegram.say(house.ada, "And now?")  # what was on its way counts as sent
        await house.has(house.ada, "video_note")
        try:
            raise ValueError(f"https://api.telegram.org/bot{TOKEN}/getMe")
        except ValueError:
            logging.getLogger("somebody.else").exception("asked %s", TOKEN)
        await house.stop()
    finally:
        root.setLevel(before)
        root.removeHandler(handler)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
        handler.close()
    written = log.read_text()
    assert "somebody.else" in written
    assert secrets.HIDDEN in written
    assert TOKEN not in written
    assert TOKEN.partition(":")[2] not in written


CHATS, GROUPS = 200, 40


class Echo:
    """A chat in which every message is repeated, first as a look, then as it stays."""

    def __init__(self) -> None:
        self.replies = self.rooms = self.gallery = self.makings = self
        self.takeover_seconds = 0.0
        self._order: dict[str, asyncio.Lock] = {}

    async def receive(self, message: IncomingMessage, open_outlet: OpenOutlet) -> None:
        async with self._order.setdefault(message.place.channel, asyncio.Lock()):
            outlet = await open_outlet(cast("Persona", SimpleNamespace(portrait=None)), Before())
            async with outlet.activity(Activity.WRITING):
                await outlet.show([f"You said {message.text}"[:12]], final=False)
                await outlet.show([f"You said {message.text}"], final=True)

    async def take_over(self, platform: str) -> list[Making]:
        return []

    async def rules(self, place: Place) -> Policy:
        return Policy()

    async def form(self, place: Place) -> str:
        return ""

    async def page(self, *_: object, **__: object) -> SimpleNamespace:
        return SimpleNamespace(total=1)


async def test_two_hundred_chats_at_once(telegram: Telegram, server: TelegramServer) -> None:
    """The server keeps Telegram's limits: 30 a second, 1 a second in a chat, 20 a minute."""
    telegram.clock = Clock(20.0)
    settings = TelegramSettings(server=server.base_url.removesuffix("/bot"))
    adapter = TelegramAdapter(cast("Chat", Echo()), TOKEN, settings, clock=telegram.clock)
    running = asyncio.create_task(adapter.run())
    rooms = [telegram.private(1000 + n) for n in range(CHATS - GROUPS)]
    rooms += [telegram.group(-1000 - n) for n in range(GROUPS)]
    asked = {room.id: 3 if n % 10 == 0 else 1 for n, room in enumerate(rooms)}
    asked[rooms[-1].id] = 22  # more than a group may get in a minute
    for turn in range(22):
        for room in rooms:
            if turn < asked[room.id]:
                telegram.say(room, f"@anything_bot number {turn}", by=5000 + abs(room.id))
    await telegram.until(lambda: all(len(r.texts) >= asked[r.id] for r in rooms), 100)
    await adapter.aclose()
    await running
    assert not telegram.violations
    assert not telegram.problems
    for room in rooms:
        assert room.texts == [f"You said number {turn}" for turn in range(asked[room.id])]
    sent = telegram.named("sendMessage") + telegram.named("editMessageText")
    times = sorted(call.at for call in sent)
    assert all(b - a >= 1.0 for a, b in zip(times, times[30:], strict=False))
    for room in rooms:
        theirs = sorted(call.at for call in sent if call.chat == room.id)
        assert all(b - a >= 1.0 for a, b in itertools.pairwise(theirs))
        if not room.is_private:
            assert all(b - a >= 60.0 for a, b in zip(theirs, theirs[20:], strict=False))
