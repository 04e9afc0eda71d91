"""Adapters side by side, until told to stop."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import dataclass, field

import pytest

from bot.app import App
from bot.commands import serve
from bot.discord.settings import DiscordSettings
from bot.settings import Settings
from personas.errors import UnavailableError


@pytest.fixture(autouse=True)
def no_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own bots stay out of this."""
    for platform in serve.PLATFORMS:
        monkeypatch.delenv(f"{platform.upper()}_TOKEN", raising=False)


@dataclass
class Line:
    """An adapter that writes down what happens to it."""

    name: str
    told: list[str]
    fails: Exception | None = None
    running: asyncio.Event = field(default_factory=asyncio.Event)
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        self.told.append(f"{self.name} runs")
        self.running.set()
        if self.fails is not None:
            raise self.fails
        await self.closed.wait()

    async def aclose(self) -> None:
        if not self.closed.is_set():
            self.told.append(f"{self.name} closes")
        self.closed.set()


async def test_a_signal_finishes_first_and_disconnects_then() -> None:
    told: list[str] = []

    async def finish() -> None:
        told.append("finished")

    adapters = [Line("one", told), Line("two", told)]
    running = asyncio.create_task(serve.run(adapters, finish))
    for adapter in adapters:
        await adapter.running.wait()
    os.kill(os.getpid(), signal.SIGTERM)
    await running
    assert told == ["one runs", "two runs", "finished", "one closes", "two closes"]


async def test_a_second_signal_does_not_wait_for_the_rest() -> None:
    told: list[str] = []
    begun = asyncio.Event()

    async def finish() -> None:
        begun.set()
        await asyncio.sleep(3_600)

    one = Line("one", told)
    running = asyncio.create_task(serve.run([one], finish))
    await one.running.wait()
    os.kill(os.getpid(), signal.SIGINT)
    await begun.wait()
    os.kill(os.getpid(), signal.SIGINT)
    await running
    assert told == ["one runs", "one closes"]


async def test_one_that_cannot_be_connected_ends_all_with_the_reason() -> None:
    told: list[str] = []

    async def finish() -> None:
        told.append("finished")

    adapters = [Line("one", told), Line("two", told, UnavailableError("No such token."))]
    with pytest.raises(UnavailableError, match="No such token"):
        await serve.run(adapters, finish)
    assert told[-2:] == ["finished", "one closes"] or "one closes" in told


async def test_what_is_set_up_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    async with App(Settings()) as app:
        assert serve.configured(app) == []
        with pytest.raises(UnavailableError, match="No platform is set up"):
            await serve.serve(app)
        monkeypatch.setenv("TELEGRAM_TOKEN", "t")
        assert serve.configured(app) == ["telegram"]
    async with App(Settings(discord=DiscordSettings(token="d"))) as app:  # type: ignore[arg-type]
        assert serve.configured(app) == ["discord", "telegram"]


async def test_without_a_token_it_says_what_to_do() -> None:
    async with App(Settings()) as app:
        with pytest.raises(UnavailableError, match=r"discord\.token or DISCORD_TOKEN"):
            await serve.serve(app, ["discord"])
