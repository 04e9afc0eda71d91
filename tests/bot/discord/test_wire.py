"""The whole adapter over real connections: gateway, REST, uploads and limits."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from bot.discord.adapter import DiscordAdapter
from bot.discord.answers import open_stage
from bot.discord.client import PersonaBot
from bot.discord.context import Context
from bot.discord.settings import DiscordSettings
from engine.talkinghead.base import Clip
from personas.errors import UnavailableError
from personas.persona import Persona
from storage.channels import Resident
from storage.store import Storage
from tests.bot.discord.conftest import MakeChat
from tests.fakes.discord_openapi import require_published
from tests.fakes.discord_server import CHANNEL, DiscordServer
from tests.fakes.head import encode_frames

HOOK = r"/webhooks/\d+/\w+"


@pytest.fixture
async def bot(
    server: DiscordServer, storage: Storage, make_chat: MakeChat, persona: Persona
) -> AsyncIterator[PersonaBot]:
    """The bot, logged in, with Grumbel living in the channel; answers are text and a clip."""
    await storage.channels.settle(f"discord:{CHANNEL}", Resident(persona_id=persona.id))
    async with running(storage, make_chat) as started:
        yield started


@contextlib.asynccontextmanager
async def running(
    storage: Storage, make_chat: MakeChat, **options: Any
) -> AsyncIterator[PersonaBot]:
    settings = DiscordSettings(message_content=True)
    # The library waits for servers to arrive; here there is one, and it is there at once.
    bot = PersonaBot(settings, guild_ready_timeout=0.05)
    chat = make_chat(**{"mode": "clip", **options})
    bot.context = Context(chat, open_stage(bot, settings, storage.media))
    adapter = DiscordAdapter(bot, "token", grace=5.0)
    serving = asyncio.create_task(adapter.run())
    ready = asyncio.create_task(bot.wait_until_ready())
    await asyncio.wait({serving, ready}, return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        ready.cancel()
        serving.result()
    yield bot
    await chat.aclose(5.0)
    await adapter.aclose()
    await serving


def with_clip(server: DiscordServer) -> list[dict[str, object]]:
    return [one for one in server.posted(webhook=True) if one["attachments"]]


async def test_login(server: DiscordServer, bot: PersonaBot) -> None:
    [identify] = server.identified
    assert identify["token"] == "token"
    intents = (1 << 0) | (1 << 9) | (1 << 12) | (1 << 15)
    assert identify["intents"] == intents
    [commands] = [one.body for one in server.requests if one.method == "PUT"]
    names = {command["name"] for command in commands}
    assert {"create", "gallery", "talk", "persona", "ask", "forget", "help", "settings"} <= names
    assert "Who is this?" in names


async def test_a_message_a_streamed_reply_and_its_clip(
    server: DiscordServer, bot: PersonaBot
) -> None:
    await server.say("Hello there!")
    await server.until(lambda: with_clip(server))
    [message] = server.posted(webhook=True)
    assert message["content"] == "Mind the rocks."
    [file] = message["attachments"]
    assert file["filename"] == "grumbel.mp4"
    assert server.files[file["url"]].startswith(b"clip")
    [upload] = [one for one in server.requests if one.files]
    assert upload.method == "PATCH" and upload.body["allowed_mentions"] == {"parse": []}


async def test_a_clip_that_is_too_large_comes_as_sound(
    server: DiscordServer, storage: Storage, make_chat: MakeChat, persona: Persona
) -> None:
    def encode(*arguments: Any, **options: Any) -> Clip:
        clip = encode_frames(*arguments, **options)
        return replace(clip, data=clip.data + bytes(server.upload_limit))

    await storage.channels.settle(f"discord:{CHANNEL}", Resident(persona_id=persona.id))
    async with running(storage, make_chat, encode=encode):
        await server.say("Hello there!")
        await server.until(lambda: any(one.files for one in server.requests if one.status == 200))
    assert 413 in [one.status for one in server.requests]
    spoken = next(one for one in server.requests if one.files and one.status == 200)
    assert spoken.body["flags"] == 1 << 13
    assert spoken.files["voice-message.ogg"].startswith(b"OggS")


async def test_limits_are_kept(server: DiscordServer, bot: PersonaBot) -> None:
    server.limit("POST", HOOK, 0.05)
    server.limit("PATCH", HOOK + r"/messages/\d+", 0.05, times=2)
    await server.say("Hello there!")
    await server.until(lambda: with_clip(server))
    assert [one["content"] for one in server.posted(webhook=True)] == ["Mind the rocks."]


async def test_a_dropped_connection_resumes_and_loses_nothing(
    server: DiscordServer, bot: PersonaBot
) -> None:
    await server.drop()
    await server.say("Did you hear that?")
    await server.until(lambda: with_clip(server))
    assert server.resumed == 1 and len(server.identified) == 1
    assert len(server.posted(webhook=True)) == 1


async def test_a_slash_command_is_answered_at_once(server: DiscordServer, bot: PersonaBot) -> None:
    token = await server.invoke("help")
    await server.until(lambda: token in server.callbacks)
    answer = server.callbacks[token]
    assert answer["type"] == 4 and answer["data"]["flags"] & 64


async def test_all_of_it_is_as_discord_describes_it(server: DiscordServer, bot: PersonaBot) -> None:
    api = require_published()
    description = [{"name": "description", "type": 3, "value": "a lamp"}]
    await server.invoke("create", description)
    await server.say("Hello there!")
    await server.until(lambda: with_clip(server))
    faults = [
        fault
        for one in server.requests
        for fault in api.faults(one.method, one.path, one.query, one.body)
    ]
    assert not faults


async def test_a_wrong_token_is_told(
    server: DiscordServer, storage: Storage, make_chat: MakeChat
) -> None:
    server.fail("GET", "/users/@me", 401)
    with pytest.raises(UnavailableError, match="does not accept the token"):
        async with running(storage, make_chat):
            pass
