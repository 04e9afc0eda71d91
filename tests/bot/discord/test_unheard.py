"""Without the message-content intent: mentions, slash commands, the Reply button, private chats."""

from __future__ import annotations

import discord
import pytest

from bot.discord.client import intents_of
from bot.discord.settings import DiscordSettings
from tests.bot.discord.conftest import MakeWorld, World
from tests.bot.discord.test_persona_commands import fields
from tests.bot.discord.test_talk import last, settle
from tests.fakes.discord_seen import buttons


@pytest.fixture
async def deaf(make_world: MakeWorld) -> World:
    world: World = await make_world(message_content=False)
    await settle(world)
    return world


async def test_the_intents_are_the_least() -> None:
    least = intents_of(DiscordSettings())
    assert {name for name, on in least if on} == {"guilds", "guild_messages", "dm_messages"}
    assert intents_of(DiscordSettings(message_content=True)).message_content


async def test_what_is_not_for_it_is_not_heard(deaf: World) -> None:
    before = len(deaf.said())
    await deaf.ben.send(deaf.general, "Barnaby?")
    assert len(deaf.said()) == before


async def test_a_mention_is_heard(deaf: World) -> None:
    await deaf.ben.send(deaf.general, f"{deaf.mention} are you there?")
    assert last(deaf).content == "Mind the rocks."
    assert buttons(last(deaf)) == ["Reply", "Regenerate", "Delete"]


async def test_the_reply_button(deaf: World) -> None:
    await deaf.ben.send(deaf.general, f"{deaf.mention} are you there?")
    form = await deaf.ana.click(last(deaf), label="Reply")
    assert form.modal is not None
    field = fields(form.modal)["What do you say?"]
    await deaf.ana.submit_modal(form, {field["custom_id"]: "I am **Ana**."})
    *_, asked, answer = deaf.general.history()
    assert "ana to Barnaby Beam" in asked.content and "I am \\*\\*Ana" in asked.content
    assert answer.content == "Mind the rocks."


async def test_a_reply_that_cannot_be_read_is_told_what_helps(deaf: World) -> None:
    await deaf.ben.send(deaf.general, f"{deaf.mention} are you there?")
    await deaf.ben.send(deaf.general, "And where is the sea?", reply_to=last(deaf))
    notice = deaf.general.last_message
    assert notice is not None and "cannot read this reply" in notice.content
    await deaf.ben.send(deaf.general, "Hello?", reply_to=last(deaf))
    assert deaf.general.last_message.content == "Hello?" or isinstance(  # type: ignore[union-attr]
        deaf.general.last_message, discord.Message
    )


async def test_slash_commands_and_private_chats(deaf: World) -> None:
    before = len(deaf.said())
    await deaf.ben.slash(deaf.general, "ask", persona="barnaby", message="Hello?")
    assert len(deaf.said()) == before + 1
    ana = deaf.ana.user
    await ana.slash("create", description="a diary")
    await ana.send_dm("Dear diary ...")
    answer = ana.dm_channel.last_message
    assert answer is not None and answer.content.endswith("Mind the rocks.")


async def test_in_the_bots_voice_replies_are_heard(make_world: MakeWorld) -> None:
    world = await make_world(message_content=False, speak_as="bot")
    await settle(world)
    await world.ben.send(world.general, f"{world.mention} hello?")
    answer = world.general.last_message
    assert answer.webhook_id is None and buttons(answer) == ["Regenerate", "Delete"]
    world.answers = "I heard you."
    await world.ben.send(world.general, "A reply.", reply_to=answer)
    assert world.general.last_message.content.endswith("I heard you.")
