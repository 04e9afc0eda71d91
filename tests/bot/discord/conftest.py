"""Discord on the loopback and in the process, and a persona to speak there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from discord.http import Route

from personas.persona import Persona
from storage.settings import StorageSettings
from storage.store import Storage
from tests.fakes.discord_server import DiscordServer
from tests.fakes.portrait import DiscPortraits
from tests.storage.examples import build


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DiscordServer]:
    """Discord on the loopback, with room for files of 64 KB; the library speaks to it."""
    async with DiscordServer(upload_limit=65_536).running() as running:
        monkeypatch.setattr(Route, "BASE", running.rest)
        yield running


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Storage]:
    settings = StorageSettings(data_folder=tmp_path / "data", busy_seconds=20)
    async with await Storage.open(settings) as opened:
        yield opened


@pytest.fixture
async def persona(storage: Storage) -> Persona:
    """Grumbel, with a portrait that is stored."""
    from engine.pictures import to_png
    from personas.persona import PortraitBrief

    draft = DiscPortraits(size=512).generate(PortraitBrief(subject="lighthouse"), 7)
    image = await storage.media.put(to_png(draft.image), ".png")
    return await storage.personas.add(build("grumbel", image, gallery="discord:100"))


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits before it tries again waits for nothing."""
    from bot.discord import failures, speakers

    monkeypatch.setattr(speakers, "PAUSES", (0.0, 0.0, 0.0))
    monkeypatch.setattr(failures.persistently, "__defaults__", ((0.0, 0.0, 0.0),))
