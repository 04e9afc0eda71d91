"""/settings: the rules of a server, by those who manage it."""

from __future__ import annotations

import pytest
from simcord.backend.errors import SetupError

from personas.gallery import Trigger, Who
from tests.bot.discord.conftest import World
from tests.bot.discord.test_cards import told
from tests.bot.discord.test_persona_commands import fields
from tests.fakes.discord_seen import words


async def policy(world: World):  # type: ignore[no-untyped-def]
    return await world.storage.galleries.policy(f"discord:{world.home.id}")


async def test_only_who_manages_the_server_sees_them(world: World) -> None:
    result = await world.mo.slash(world.general, "settings")
    assert result.ephemeral and "How personas are used here" in words(result.response)
    with pytest.raises(SetupError, match="not visible"):
        await world.ben.slash(world.general, "settings")


async def test_rules_are_chosen_from_menus(world: World) -> None:
    panel = (await world.mo.slash(world.general, "settings")).response
    for key, value in (("create", "moderators"), ("trigger", "called"), ("mode", "text")):
        await world.mo.select(panel, [value], custom_id=f"ca:rule:{key}")
    rules = await policy(world)
    assert (rules.create, rules.trigger, rules.mode) == (Who.MODERATORS, Trigger.CALLED, "text")
    await world.mo.select(panel, ["usual"], custom_id="ca:rule:mode")
    assert (await policy(world)).mode is None


async def test_channels_are_chosen(world: World) -> None:
    await world.create()
    other = world.home.create_text_channel("other")
    panel = (await world.mo.slash(world.general, "settings")).response
    await world.mo.select(panel, [other], custom_id="ca:rule:channels")
    refused = await world.ben.slash(world.general, "ask", persona="barnaby", message="Hello?")
    assert "not used in this channel" in told(refused)
    await world.mo.select(panel, [], custom_id="ca:rule:channels")
    assert (await policy(world)).channels == ()


async def test_limits(world: World) -> None:
    panel = (await world.mo.slash(world.general, "settings")).response
    shown = await world.mo.click(panel, label="Limits")
    form = fields(shown.modal)
    values = {field["custom_id"]: "" for field in form.values()}
    each = form["Messages of one member a day"]["custom_id"]
    wrong = await world.mo.submit_modal(shown, {**values, each: "many"})
    assert "has to be a number" in told(wrong)
    shown = await world.mo.click(panel, label="Limits")
    form = fields(shown.modal)
    values = {field["custom_id"]: "" for field in form.values()}
    each = form["Messages of one member a day"]["custom_id"]
    await world.mo.submit_modal(shown, {**values, each: "1"})
    assert (await policy(world)).messages_each == 1
    card = await world.create()
    await world.ben.click(card, label="Talk here")
    await world.ben.send(world.general, "One.")
    await world.ben.send(world.general, "Two.")
    notice = world.general.last_message
    assert notice is not None and "of today" in notice.content


async def test_a_budget_and_what_was_used_of_it(world: World) -> None:
    panel = (await world.mo.slash(world.general, "settings")).response
    assert "Today: 0 answers, 0 new personas." in words(panel)
    shown = await world.mo.click(panel, label="Budget")
    form = fields(shown.modal)
    assert list(form) == [
        "Tokens of one member a day",
        "Tokens of the whole server a day",
        "CPU seconds of one member a day",
        "CPU seconds of the server a day",
    ]
    values = {field["custom_id"]: "" for field in form.values()}
    values[form["Tokens of the whole server a day"]["custom_id"]] = "5000000000"
    values[form["CPU seconds of one member a day"]["custom_id"]] = "60"
    await world.mo.submit_modal(shown, values)
    rules = await policy(world)
    assert (rules.tokens, rules.cpu_seconds_each, rules.tokens_each) == (5_000_000_000, 60, None)
    panel = (await world.mo.slash(world.general, "settings")).response
    assert "0 of 5,000,000,000 tokens" in words(panel)


async def test_a_panel_in_strange_hands_changes_nothing(world: World) -> None:
    """Ephemeral messages are seen by one person, but their ids can be guessed."""
    from bot.discord.places import person_of

    panel = (await world.mo.slash(world.general, "settings")).response
    assert panel is not None
    member = world.env.backend.guilds[world.home.id].members[world.mo.id]
    member.role_ids.clear()
    assert person_of
    result = await world.mo.select(panel, ["nobody"], custom_id="ca:rule:create")
    assert "Only moderators" in told(result)
    assert (await policy(world)).create is Who.EVERYONE
