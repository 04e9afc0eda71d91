"""A persona's card: its buttons, who may press them, and that they work for ever."""

from __future__ import annotations

import json
from typing import Any

from personas.errors import UnavailableError
from tests.bot.discord.conftest import World
from tests.fakes.discord_seen import buttons, words


def told(result: Any) -> str:
    """What somebody was told, and nobody else."""
    messages = (result.response, *result.followups)
    return "\n".join(words(one) for one in messages if one is not None and one.ephemeral)


async def test_talk_here(world: World) -> None:
    card = await world.create()
    result = await world.ben.click(card, label="Talk here")
    assert "lives here now" in told(result)
    [greeting] = world.said()
    assert greeting.content.startswith("Mind the steps.")
    assert greeting.author.name == "Barnaby Beam ✦"


async def test_hear_me(world: World) -> None:
    card = await world.create()
    result = await world.ben.click(card, label="Hear me")
    [message] = [result.response, *result.followups]
    assert message is not None and message.ephemeral
    assert [file.filename for file in message.attachments] == ["barnaby-beam.mp4"]


async def test_hear_me_without_a_film(world: World) -> None:
    card = await world.create()
    world.head.failures += [UnavailableError("No film left.")] * 9
    result = await world.ben.click(card, label="Hear me")
    files = [
        file.filename
        for message in (result.response, *result.followups)
        if message is not None
        for file in message.attachments
    ]
    assert files == ["barnaby-beam.ogg"]


async def test_details(world: World) -> None:
    card = await world.create()
    shown = told(await world.ben.click(card, label="Details"))
    for fact in ("You are Barnaby Beam", "captain", "flat", "Disc by Nobody", "barnaby\\-beam"):
        assert fact in shown


async def test_delete_asks_once_more(world: World) -> None:
    card = await world.create()
    asked = await world.ana.click(card, label="Delete")
    assert asked.response is not None and asked.response.ephemeral
    assert await world.storage.personas.count(f"discord:{world.home.id}") == 1
    await world.ana.click(asked.response, label="Yes, delete it for ever")
    assert await world.storage.personas.count(f"discord:{world.home.id}") == 0


async def test_only_who_made_it_deletes_it(world: World) -> None:
    card = await world.create(world.ana)
    asked = await world.ben.click(card, label="Delete")
    refused = await world.ben.click(asked.response, label="Yes, delete it for ever")
    assert "Only who made Barnaby Beam" in told(refused)
    assert await world.storage.personas.count(f"discord:{world.home.id}") == 1
    asked = await world.mo.click(card, label="Delete")
    await world.mo.click(asked.response, label="Yes, delete it for ever")
    assert await world.storage.personas.count(f"discord:{world.home.id}") == 0


async def test_a_card_of_somebody_who_is_gone(world: World) -> None:
    card = await world.create()
    asked = await world.ana.click(card, label="Delete")
    await world.ana.click(asked.response, label="Yes, delete it for ever")
    assert "does not exist any more" in told(await world.ben.click(card, label="Talk here"))


async def test_buttons_from_before_a_restart(world: World) -> None:
    card = await world.create()
    await world.env.restart_bot(world.new_bot())
    card = world.general.history()[0]
    assert buttons(card) == ["Talk here", "Hear me", "Details", "Delete"]
    assert "You are Barnaby Beam" in told(await world.ben.click(card, label="Details"))


async def test_buttons_that_are_months_old(world: World) -> None:
    card = await world.create()
    await world.env.advance_time(200 * 24 * 3_600)
    assert "You are Barnaby Beam" in told(await world.ben.click(card, label="Details"))


async def test_a_forged_button_reaches_no_other_server(world: World) -> None:
    await world.create()
    secret = await world.persona()
    await world.create(world.anas, world.square, name="Other")
    other = await world.persona(world.abroad)
    for message in world.env.backend.messages[world.square.id].values():
        told_apart = json.dumps(message.components).replace(other.id, secret.id)
        message.components = json.loads(told_apart)
    [forged] = world.square.history()
    for label in ("Talk here", "Hear me", "Details"):
        assert "does not exist" in told(await world.anas.click(forged, label=label))


async def test_the_library_remembers_no_view(world: World) -> None:
    for number in range(3):
        await world.create(name=f"Number {number}")
    store = world.bot._connection._view_store
    assert not store._synced_message_views
    assert not any(store._views.values())
