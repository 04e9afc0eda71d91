"""What can go wrong between the bot and Discord: nothing is said twice, nobody is left waiting."""

from __future__ import annotations

import asyncio

import discord

from bot.discord.adapter import DiscordAdapter
from tests.bot.discord.conftest import MakeWorld, World
from tests.bot.discord.test_talk import last, settle

HOOK = "/webhooks/*/simcord_webhook_*"


async def test_server_errors_double_nothing(world: World) -> None:
    await settle(world)
    count = len(world.said())
    world.env.inject_error("POST", HOOK, status=503, times=2)
    world.env.inject_error("PATCH", HOOK, status=500, times=2)
    await world.ben.send(world.general, "Hello?")
    assert [one.content for one in world.said()[count:]] == ["Mind the rocks."]


async def test_a_webhook_deleted_between_two_answers(world: World) -> None:
    await settle(world)
    await world.ben.send(world.general, "One?")
    for hook in list(world.env.backend.webhooks):
        world.env.backend.delete_webhook(hook)
    await world.ben.send(world.general, "Two?")
    assert last(world).author.name == "Barnaby Beam ✦"
    assert len(world.env.backend.webhooks) == 1


async def test_a_channel_deleted_mid_answer(world: World) -> None:
    await settle(world)
    world.model.pause = 100.0
    before = len(world.said())
    await world.ben.send(world.general, "A long story, please.")
    await world.until(lambda: len(world.said()) > before, 100)
    world.env.backend.delete_channel(world.general.id)
    await world.until(lambda: not world.chat.in_flight)


async def test_permission_lost_mid_answer(world: World) -> None:
    await settle(world)
    world.model.pause = 100.0
    before = len(world.said())
    await world.ben.send(world.general, "A long story, please.")
    await world.until(lambda: len(world.said()) > before, 100)
    world.env.inject_error("PATCH", HOOK, status=403, code=50013, times=None)
    world.env.inject_error("POST", HOOK, status=403, code=50013, times=None)
    await world.until(lambda: not world.chat.in_flight)


async def test_a_message_deleted_before_its_clip_is_ready(make_world: MakeWorld) -> None:
    world = await make_world(mode="clip")
    await settle(world)
    world.model.pause = 100.0
    before = len(world.said())
    await world.ben.send(world.general, "Look at me!")
    await world.until(lambda: len(world.said()) > before, 100)
    world.env.backend.delete_message(world.general.id, last(world).id)
    await world.until(lambda: not world.chat.in_flight)
    assert len(world.said()) == before


async def test_a_shard_that_drops_out_comes_back(world: World) -> None:
    await settle(world)
    shard = world.bot.get_shard(0)
    assert shard is not None
    await shard.disconnect()
    await world.ben.send(world.general, "Nobody hears this.")
    count = len(world.said())
    await world.anas.slash(world.square, "help")
    await shard.reconnect()
    await world.ben.send(world.general, "But this.")
    assert len(world.said()) == count + 1


async def test_a_message_that_comes_twice_is_answered_once(world: World) -> None:
    await settle(world)
    question = await world.ben.send(world.general, "Hello?")
    count = len(world.said())
    again = await world.bot.get_channel(world.general.id).fetch_message(question.id)  # type: ignore[union-attr]
    world.bot.dispatch("message", again)
    await world.env.settle()
    await world.env.restart_bot(world.new_bot())
    world.bot.dispatch("message", again)
    await world.env.settle()
    assert len(world.said()) == count


async def test_nobody_is_told_what_only_the_log_shall_know(world: World) -> None:
    await settle(world)
    world.answers = lambda question: 1 / 0  # type: ignore[assignment, return-value]
    await world.ben.send(world.general, "Hello?")
    shown = " ".join(one.content for one in world.general.history())
    assert "went wrong" in shown and "division" not in shown


async def test_what_is_in_flight_is_finished_at_the_end(world: World) -> None:
    await settle(world)
    world.model.pause = 100.0
    await world.ben.send(world.general, "Before you go ...")
    closing = asyncio.get_running_loop().create_task(world.chat.aclose(100_000.0))
    await world.until(closing.done)
    await closing
    assert last(world).content == "Mind the rocks."
    before = len(world.said())
    await world.ben.send(world.general, "And now?")
    assert len(world.said()) == before


async def test_what_takes_too_long_at_the_end_stays_as_it_was(world: World) -> None:
    await settle(world)
    world.model.pause = 100.0
    before = len(world.said())
    await world.ben.send(world.general, "A long story, please.")
    await world.until(lambda: len(world.said()) > before, 100)
    await world.chat.aclose(0.0)
    assert "Mind the rocks.".startswith(last(world).content)
    assert not any(
        isinstance(one, discord.Button) and one.label == "Stop"
        for row in last(world).components
        for one in getattr(row, "children", ())
    )


async def test_it_knows_whether_it_is_connected(world: World) -> None:
    adapter = DiscordAdapter(world.bot, "token", 1.0)
    assert adapter.obstacle == ""
    await world.bot.close()
    assert adapter.obstacle == "It is not connected with Discord."
