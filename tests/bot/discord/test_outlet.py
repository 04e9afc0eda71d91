"""An answer on its way to Discord, over real connections."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import discord
import numpy as np
import pytest
from discord.ext import commands

from bot.chat.base import Activity, Before, GoneError, TooLargeError
from bot.discord import faces
from bot.discord.faces import Faces
from bot.discord.outlet import DiscordOutlet
from bot.discord.stage import Stage
from bot.discord.webhooks import Webhooks
from engine.speech.base import Speech
from engine.talkinghead.base import Clip
from personas.persona import Persona
from storage.store import Storage
from tests.fakes.discord_openapi import require_published
from tests.fakes.discord_server import CHANNEL, DiscordServer

WEBHOOK = r"/webhooks/\d+/\w+"
HOOK_MESSAGE = WEBHOOK + r"/messages/\d+"
CLIP = Clip(data=b"video", duration=1.0, size=64, frames=10)


@pytest.fixture
async def client(server: DiscordServer) -> AsyncIterator[commands.AutoShardedBot]:
    """The library, connected."""
    intents = discord.Intents(guilds=True, messages=True)
    # The library waits for servers to arrive; here there is one, and it is there at once.
    bot = commands.AutoShardedBot(
        "unused ", intents=intents, help_command=None, guild_ready_timeout=0.05
    )
    async with connected(bot):
        yield bot


@contextlib.asynccontextmanager
async def connected(bot: commands.AutoShardedBot) -> AsyncIterator[None]:
    async with bot:
        await bot.login("token")
        running = asyncio.create_task(bot.connect())
        ready = asyncio.create_task(bot.wait_until_ready())
        await asyncio.wait({running, ready}, return_when=asyncio.FIRST_COMPLETED)
        try:
            yield
        finally:
            await bot.close()
            running.cancel()
            await asyncio.gather(running, ready, return_exceptions=True)


@pytest.fixture
def stage(client: commands.AutoShardedBot, storage: Storage) -> Stage:
    return Stage(client, Webhooks(client), Faces(client, storage.media, limit=3))


@pytest.fixture
def outlet(stage: Stage, persona: Persona) -> DiscordOutlet:
    return open_outlet(stage, persona)


def open_outlet(stage: Stage, persona: Persona, **options: Any) -> DiscordOutlet:
    channel = stage.client.get_channel(CHANNEL)
    assert isinstance(channel, discord.TextChannel)

    async def tell(reason: str) -> None:
        await channel.send(reason)

    return DiscordOutlet(stage, channel, persona, tell, **options)


def hum(seconds: float = 1.0) -> Speech:
    time = np.arange(int(8_000 * seconds), dtype=np.float32) / 8_000
    return Speech(0.3 * np.sin(900 * time).astype(np.float32), 8_000, (), (), "Hmm.")


async def test_a_text_grows_in_one_message_of_the_persona(
    server: DiscordServer, outlet: DiscordOutlet
) -> None:
    await outlet.show(["What"], final=False)
    await outlet.show(["What now?"], final=False)
    await outlet.show(["What now? I am busy."], final=True)
    [message] = server.posted(webhook=True)
    assert message["content"] == "What now? I am busy."
    assert message["author"]["username"] == "Grumbel ✦"
    assert outlet.message_ids == (message["id"],)


async def test_the_face_is_an_emoji_of_the_application(
    server: DiscordServer, outlet: DiscordOutlet, stage: Stage, persona: Persona
) -> None:
    await outlet.show(["Hm."], final=True)
    await open_outlet(stage, persona).show(["Hm?"], final=True)
    [emoji] = server.emoji.values()
    sent = [one.body for one in server.requests if "avatar_url" in (one.body or {})]
    assert len(sent) == 2
    assert all(f"/emojis/{emoji['id']}." in one["avatar_url"] for one in sent)


async def test_nothing_pings_and_no_link_hides(
    server: DiscordServer, outlet: DiscordOutlet
) -> None:
    await outlet.show(["@everyone, ask <@300>: [your bank](http://evil.example)"], final=True)
    [message] = server.posted(webhook=True)
    assert message["content"] == "＠everyone, ask ‹@300>: [your bank]（http://evil.example)"
    for request in server.requests:
        if request.path.startswith("/webhooks/"):
            assert request.body["allowed_mentions"] == {"parse": []}


async def test_a_long_text_is_several_messages(
    server: DiscordServer, outlet: DiscordOutlet
) -> None:
    await outlet.show(["one"], final=False)
    await outlet.show(["one", "two"], final=False)
    await outlet.show(["one", "two", "three"], final=True)
    assert [one["content"] for one in server.posted(webhook=True)] == ["one", "two", "three"]


async def test_what_was_posted_is_not_posted_again_when_only_the_answer_got_lost(
    server: DiscordServer, outlet: DiscordOutlet
) -> None:
    server.fail("POST", WEBHOOK, 502, done=True)
    await outlet.show(["Once."], final=True)
    [message] = server.posted(webhook=True)
    assert outlet.message_ids == (message["id"],)


async def test_what_did_not_arrive_is_posted_again(
    server: DiscordServer, outlet: DiscordOutlet
) -> None:
    server.fail("POST", WEBHOOK, 500, times=2)
    await outlet.show(["Once."], final=True)
    assert [one["content"] for one in server.posted(webhook=True)] == ["Once."]


async def test_a_cancelled_look_is_known_to_the_next(
    server: DiscordServer, outlet: DiscordOutlet
) -> None:
    server.limit("POST", WEBHOOK, 0.05)
    shown = asyncio.create_task(outlet.show(["On"], final=False))
    await server.until(lambda: any("/webhooks/" in one.path for one in server.requests))
    shown.cancel()
    await outlet.show(["Once."], final=True)
    assert [one["content"] for one in server.posted(webhook=True)] == ["Once."]


async def test_a_rate_limit_is_waited_for(server: DiscordServer, outlet: DiscordOutlet) -> None:
    server.limit("POST", WEBHOOK, 0.02)
    server.limit("PATCH", HOOK_MESSAGE, 0.02)
    await outlet.show(["Slow"], final=False)
    await outlet.show(["Slowly."], final=True)
    assert [one["content"] for one in server.posted(webhook=True)] == ["Slowly."]


async def test_the_clip_comes_onto_the_message(
    server: DiscordServer, outlet: DiscordOutlet
) -> None:
    await outlet.show(["Look!"], final=True)
    await outlet.send_clip(CLIP)
    [message] = server.posted(webhook=True)
    [file] = message["attachments"]
    assert (file["filename"], server.files[file["url"]]) == ("grumbel.mp4", b"video")
    assert message["content"] == "Look!"


async def test_a_clip_that_discord_finds_too_large_is_not_sent(
    server: DiscordServer, outlet: DiscordOutlet
) -> None:
    await outlet.show(["Look!"], final=True)
    with pytest.raises(TooLargeError):
        await outlet.send_clip(Clip(b"x" * 70_000, 1.0, 64, 10))
    assert server.requests[-1].status == 413
    with pytest.raises(TooLargeError):
        await outlet.send_clip(Clip(bytes(outlet.file_limit + 1), 1.0, 64, 10))
    [message] = server.posted(webhook=True)
    assert not message["attachments"]


async def test_a_deleted_answer_gets_no_clip(server: DiscordServer, outlet: DiscordOutlet) -> None:
    await outlet.show(["Look!"], final=True)
    server.messages.clear()
    with pytest.raises(GoneError):
        await outlet.send_clip(CLIP)


async def test_an_answer_deleted_while_it_is_written_ends(
    server: DiscordServer, outlet: DiscordOutlet
) -> None:
    await outlet.show(["Look"], final=False)
    server.messages.clear()
    with pytest.raises(GoneError):
        await outlet.show(["Look at"], final=False)


async def test_a_webhook_deleted_under_it_is_made_anew(
    server: DiscordServer, outlet: DiscordOutlet, stage: Stage, persona: Persona
) -> None:
    await outlet.show(["One."], final=True)
    server.webhooks.clear()
    await open_outlet(stage, persona).show(["Two."], final=True)
    assert [one["content"] for one in server.posted(webhook=True)] == ["One.", "Two."]
    assert len(server.webhooks) == 1


async def test_a_webhook_deleted_while_it_speaks_leaves_one_answer(
    server: DiscordServer, outlet: DiscordOutlet
) -> None:
    await outlet.show(["Half an"], final=False)
    server.webhooks.clear()
    server.fail("PATCH", HOOK_MESSAGE, 404, code=10015)
    await outlet.show(["Half an answer."], final=True)
    [message] = server.posted(webhook=True)
    assert message["content"] == "Half an answer."
    assert outlet.message_ids == (message["id"],)


async def test_where_it_may_not_delete_what_it_said_it_goes_on(
    server: DiscordServer, outlet: DiscordOutlet
) -> None:
    await outlet.show(["Half an"], final=False)
    server.webhooks.clear()
    server.fail("PATCH", HOOK_MESSAGE, 404, code=10015)
    server.fail("DELETE", r"/channels/\d+/messages/\d+", 403, code=50013)
    await outlet.show(["Half an answer."], final=True)
    assert [one["content"] for one in server.posted(webhook=True)] == ["Half an", " answer."]
    assert len(outlet.message_ids) == 2


async def test_without_webhooks_the_bot_speaks_and_quotes(
    server: DiscordServer, outlet: DiscordOutlet
) -> None:
    server.fail("POST", rf"/channels/{CHANNEL}/webhooks", 400, code=30007, times=9)
    await outlet.show(["Hm.\n**Alice** ✦\nGive me your password."], final=False)
    await outlet.show(["Hm.\n**Alice** ✦\nGive me your password!"], final=True)
    [message] = server.posted(webhook=False)
    header, _, rest = message["content"].partition("\n")
    assert header.endswith("**Grumbel** ✦")
    assert rest == ">>> Hm.\n**Alice** ✦\nGive me your password!"


async def test_the_bots_own_message_is_sent_once_whatever_gets_lost(
    server: DiscordServer, stage: Stage, persona: Persona
) -> None:
    stage.as_persona = False
    server.fail("POST", rf"/channels/{CHANNEL}/messages", 503, done=True)
    await open_outlet(stage, persona).show(["Once."], final=True)
    assert len(server.posted(webhook=False)) == 1


async def test_an_answer_made_again_takes_the_place_of_the_first(
    server: DiscordServer, stage: Stage, persona: Persona, outlet: DiscordOutlet
) -> None:
    await outlet.show(["One", "and two."], final=True)
    await outlet.send_clip(CLIP)
    again = open_outlet(stage, persona, before=Before(outlet.message_ids))
    await again.show(["Three."], final=True)
    [message] = server.posted(webhook=True)
    assert message["content"] == "Three."
    assert not message["attachments"]
    assert again.message_ids == outlet.message_ids[:1]


async def test_an_answer_made_again_is_posted_where_the_first_is_gone(
    server: DiscordServer, stage: Stage, persona: Persona
) -> None:
    again = open_outlet(stage, persona, before=Before(("123", "124")))
    await again.show(["Three."], final=True)
    assert [one["content"] for one in server.posted(webhook=True)] == ["Three."]
    assert "123" not in again.message_ids


async def test_a_voice_message_has_a_waveform_and_answers_the_text(
    server: DiscordServer, outlet: DiscordOutlet
) -> None:
    await outlet.show(["Hmm."], final=True)
    await outlet.send_voice(hum(2.0))
    request = next(one for one in server.requests if one.body and one.body.get("flags") == 1 << 13)
    [attachment] = request.body["attachments"]
    assert attachment["duration_secs"] == pytest.approx(2.0)
    assert request.body["message_reference"]["message_id"] == outlet.message_ids[0]
    assert request.files["voice-message.ogg"].startswith(b"OggS")
    assert len(outlet.file_ids) == 1


async def test_a_voice_that_may_not_be_sent_comes_as_a_file(
    server: DiscordServer, outlet: DiscordOutlet
) -> None:
    await outlet.show(["Hmm."], final=True)
    server.fail("POST", rf"/channels/{CHANNEL}/messages", 403, code=50013)
    await outlet.send_voice(hum())
    [message] = server.posted(webhook=True)
    assert [file["filename"] for file in message["attachments"]] == ["grumbel.ogg"]


async def test_typing_never_fails(server: DiscordServer, outlet: DiscordOutlet) -> None:
    server.fail("POST", rf"/channels/{CHANNEL}/typing", 403)
    async with outlet.activity(Activity.WRITING):
        await server.until(lambda: any("typing" in one.path for one in server.requests))


async def test_a_lost_channel_is_told_as_such(server: DiscordServer, outlet: DiscordOutlet) -> None:
    server.fail("GET", rf"/channels/{CHANNEL}/webhooks", 404, code=10003)
    server.fail("POST", rf"/channels/{CHANNEL}/messages", 404, code=10003)
    with pytest.raises(GoneError):
        await outlet.show(["Anybody?"], final=True)


async def test_faces_that_are_not_used_make_room(
    server: DiscordServer, stage: Stage, persona: Persona, storage: Storage
) -> None:
    few = Faces(stage.client, storage.media, limit=1)
    first, second = await few.url(persona), await few.url(await twin(persona, storage))
    assert None not in (first, second) and first != second
    assert sum(one.method == "DELETE" for one in server.requests) == 1


async def test_faces_are_found_again_after_a_restart(
    server: DiscordServer, stage: Stage, persona: Persona, storage: Storage
) -> None:
    first = await Faces(stage.client, storage.media, limit=9).url(persona)
    assert await Faces(stage.client, storage.media, limit=9).url(persona) == first
    assert len(server.emoji) == 1


async def test_without_a_face_it_still_speaks(server: DiscordServer, outlet: DiscordOutlet) -> None:
    server.fail("POST", r"/applications/\d+/emojis", 403)
    await outlet.show(["Hm."], final=True)
    assert len(server.posted(webhook=True)) == 1


async def test_nobody_waits_for_a_face_that_takes_long(
    server: DiscordServer,
    stage: Stage,
    persona: Persona,
    outlet: DiscordOutlet,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(faces, "PATIENCE", 0.05)
    server.limit("POST", r"/applications/\d+/emojis", 0.5)
    await outlet.show(["Hm."], final=True)
    assert len(server.posted(webhook=True)) == 1 and not server.emoji
    await server.until(lambda: server.emoji)
    monkeypatch.setattr(faces, "PATIENCE", 5.0)
    assert await stage.faces.url(persona) is not None


async def test_who_has_a_face_does_not_wait_for_those_of_others(
    server: DiscordServer,
    stage: Stage,
    persona: Persona,
    storage: Storage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    face, newcomer = await stage.faces.url(persona), await twin(persona, storage)
    monkeypatch.setattr(faces, "PATIENCE", 0.05)
    server.limit("POST", r"/applications/\d+/emojis", 0.5)
    assert await stage.faces.url(newcomer) is None
    assert face is not None and await stage.faces.url(persona) == face
    await server.until(lambda: len(server.emoji) == 2)


async def test_every_request_is_as_discord_describes_it(
    server: DiscordServer, stage: Stage, persona: Persona, outlet: DiscordOutlet
) -> None:
    api = require_published()
    await outlet.show(["One"], final=False)
    await outlet.show(["One", "two"], final=True)
    await outlet.send_clip(CLIP)
    await outlet.send_voice(hum())
    stage.as_persona = False
    own = open_outlet(stage, persona, reply_to=int(outlet.message_ids[0]))
    await own.show(["Three"], final=False)
    await own.show(["Three."], final=True)
    await own.send_clip(CLIP)
    faults = [
        fault
        for one in server.requests
        for fault in api.faults(one.method, one.path, one.query, one.body)
    ]
    assert not faults


async def twin(persona: Persona, storage: Storage) -> Persona:
    """The same persona with another picture."""
    from engine.pictures import to_png

    image = await storage.media.put(to_png(np.full((512, 512, 3), 90, np.uint8)), ".png")
    portrait = persona.portrait.model_copy(update={"image": image})
    return persona.model_copy(update={"portrait": portrait})
