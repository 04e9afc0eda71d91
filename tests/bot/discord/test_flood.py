"""A flood of messages: fair between servers and people, told once, and soon forgotten."""

from __future__ import annotations

from bot.chat.settings import ChatSettings
from personas.persona import Persona
from storage.channels import Resident
from storage.store import Storage
from tests.bot.discord.conftest import MakeChat
from tests.bot.discord.test_wire import running
from tests.fakes.discord_server import GUILD, MEMBER, DiscordServer
from tests.fakes.language_model import ScriptedModel

CHANNELS, MESSAGES = 20, 100
ABROAD, SQUARE = 101, 900_000
FLOODER = 302


async def set_up(server: DiscordServer, storage: Storage, persona: Persona) -> list[int]:
    """Twenty channels at home and one abroad, with a persona in each; gives those at home."""
    channels = list(range(1_000, 1_000 + CHANNELS))
    server.guilds = {GUILD: channels, ABROAD: [SQUARE]}
    other = persona.model_copy(update={"id": "abroad", "gallery": f"discord:{ABROAD}"})
    await storage.personas.add(other)
    for channel in channels:
        await storage.channels.settle(f"discord:{channel}", Resident(persona_id=persona.id))
    await storage.channels.settle(f"discord:{SQUARE}", Resident(persona_id=other.id))
    return channels


def spoken(server: DiscordServer) -> list[dict[str, object]]:
    return server.posted(webhook=True)


async def test_who_floods_holds_up_nobody_else(
    server: DiscordServer, storage: Storage, make_chat: MakeChat, persona: Persona
) -> None:
    channels = await set_up(server, storage, persona)
    model = ScriptedModel(("Mind the rocks.",), pause=0.01)
    settings = ChatSettings(at_once=1, waiting_each=6, messages_each=9)
    async with running(storage, make_chat, mode="text", model=model, settings=settings) as bot:
        for number in range(MESSAGES):
            channel = channels[number % CHANNELS]
            await server.say(f"flood {number}", channel=channel, author=FLOODER)
        await server.say("one word", channel=SQUARE, author=MEMBER)
        await server.until(lambda: any(one["channel_id"] == str(SQUARE) for one in spoken(server)))
        await bot.context.chat.aclose(60.0)
        await bot.finish(60.0)

        # Whoever comes from another server is let in as soon as one of the flood is answered.
        asked = [one.last for one in model.asked]
        flooded = [text for text in asked if text.startswith("flood")]
        assert len(flooded) <= 9
        assert asked.count("one word") == 1
        # Who floods is told so, but not a hundred times.
        told = [str(one["content"]) for one in server.posted(webhook=False)]
        assert 1 <= len(told) <= 2 * CHANNELS
        assert all("busy" in text or "of today" in text for text in told)
        # And nothing of it stays in memory.
        assert not bot.context.chat.in_flight and not bot.context.tasks
        assert not any(bot._connection._view_store._views.values())
