"""Nothing faked but Discord: /create, a message, and a clip that plays."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from bot.app import App
from bot.discord.adapter import open_adapter
from bot.discord.settings import DiscordSettings
from bot.settings import Settings
from engine.llm.settings import LanguageModelSettings
from storage.settings import StorageSettings
from tests.fakes.discord_server import BOT, DiscordServer

SECONDS = 240.0


async def test_create_then_talk(
    server: DiscordServer, tmp_path: Path, require_model: Callable[[str], Path]
) -> None:
    for model in ("smollm2-135m", "minilm-l6-int8", "fluent-emoji", "twemoji", "openmoji"):
        require_model(model)
    server.upload_limit = 10 * 1024 * 1024
    settings = Settings(
        discord=DiscordSettings(token="token"),  # type: ignore[arg-type]
        language_model=LanguageModelSettings(backend="local", model="smollm2-135m"),
        storage=StorageSettings(data_folder=tmp_path / "data"),
    )
    async with App(settings) as app:
        adapter = await open_adapter(app)
        serving = asyncio.create_task(adapter.run())
        await server.until(lambda: server.identified, SECONDS)
        text = "a grumpy old lighthouse that loves poetry"
        await server.invoke("create", [{"name": "description", "type": 3, "value": text}])
        await server.until(lambda: _cards(server), SECONDS)
        [card] = _cards(server)
        [portrait] = card["attachments"]
        assert server.files[portrait["url"]].startswith(b"\x89PNG")

        await server.say(f"<@{BOT}> Hello! Who are you?")
        await server.until(lambda: _films(server), SECONDS)
        [(words, film)] = _films(server)
        await (await app.chat()).aclose()
        await adapter.aclose()
        await serving

    assert len(words.split()) > 2
    with av.open(io.BytesIO(film)) as container:
        pictures = sum(1 for _ in container.decode(video=0))
    with av.open(io.BytesIO(film)) as container:
        sound = sum(frame.samples for frame in container.decode(audio=0))
        rate = container.streams.audio[0].rate
    assert pictures > 20
    assert sound / rate == pytest.approx(pictures / 25, abs=1.0)


def _cards(server: DiscordServer) -> list[dict]:  # type: ignore[type-arg]
    """The messages that have become a persona's card."""
    return [one for one in server.posted(webhook=False) if "Hear me" in json.dumps(one)]


def _films(server: DiscordServer) -> list[tuple[str, bytes]]:
    """What was said with a clip, and the clip."""
    return [
        (one["content"], server.files[one["attachments"][0]["url"]])
        for one in server.posted(webhook=True)
        if one["attachments"]
    ]
