"""/persona: show, rename, edit, voice, portrait, delete, export, import."""

from __future__ import annotations

import io
from typing import Any

import discord
import pytest

from tests.bot.discord.conftest import World
from tests.bot.discord.test_cards import told
from tests.fakes.discord_seen import buttons, words


def fields(modal: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The fields of a form by their labels."""
    found: dict[str, dict[str, Any]] = {}
    for row in modal["components"]:
        for field in row.get("components", [row.get("component")]):
            found[row.get("label") or field.get("label")] = field
    return found


async def test_show(world: World) -> None:
    await world.create()
    await world.ben.slash(world.general, "persona show", persona="barnaby")
    card = world.general.last_message
    assert card is not None and "## Barnaby Beam ✦" in words(card)
    assert "Talk here" in buttons(card)


async def test_rename(world: World) -> None:
    await world.create()
    refused = await world.ben.slash(world.general, "persona rename", persona="barnaby", to="Bob")
    assert "Only who made" in told(refused)
    await world.ana.slash(world.general, "persona rename", persona="barnaby", to="Bob **Beam**")
    persona = await world.persona()
    assert (persona.personality.name, persona.slug) == ("Bob Beam", "bob-beam")


async def test_edit_in_a_form(world: World) -> None:
    await world.create()
    shown = await world.ana.slash(world.general, "persona edit", persona="barnaby")
    assert shown.modal is not None
    form = fields(shown.modal)
    assert form["Tagline"]["value"] == "Grumbles in perfect rhyme"
    values = {field["custom_id"]: field.get("value", "") for field in form.values()}
    values[form["Tagline"]["custom_id"]] = "Shines softly"
    assert "has changed" in told(await world.ana.submit_modal(shown, values))
    assert (await world.persona()).personality.tagline == "Shines softly"


async def test_explicit_words_make_somebody_a_persona_for_adults(world: World) -> None:
    await world.create()
    refused = await world.ana.slash(
        world.general, "persona rename", persona="barnaby", to="Sexy Sam"
    )
    assert "age restriction" in told(refused)
    channel = world.bot.get_channel(world.general.id)
    assert isinstance(channel, discord.TextChannel)
    channel.nsfw = True
    await world.ana.slash(world.general, "persona rename", persona="barnaby", to="Sexy Sam")
    answer = world.general.last_message
    assert answer is not None and "for adults now" in answer.content
    assert (await world.persona()).adult


async def test_who_may_not_edit_is_told_when_it_matters(world: World) -> None:
    await world.create()
    shown = await world.ben.slash(world.general, "persona edit", persona="barnaby")
    assert shown.modal is not None
    values = {field["custom_id"]: field.get("value", "") for field in fields(shown.modal).values()}
    values[fields(shown.modal)["Name"]["custom_id"]] = "Bens Own"
    assert "Only who made" in told(await world.ben.submit_modal(shown, values))
    assert (await world.persona()).personality.name == "Barnaby Beam"


async def test_voice(world: World) -> None:
    await world.create()
    await world.ana.slash(world.general, "persona voice", persona="barnaby", voice="granny")
    assert (await world.persona()).voice.preset == "granny"
    unknown = await world.ana.slash(world.general, "persona voice", persona="barnaby", voice="zzz")
    assert unknown.ephemeral


async def test_portrait(world: World) -> None:
    await world.create()
    before = await world.persona()
    await world.ana.slash(world.general, "persona portrait", persona="barnaby", style="storybook")
    after = await world.persona()
    assert after.portrait.image != before.portrait.image
    card = world.general.last_message
    assert card is not None and "Talk here" in buttons(card)
    refused = await world.ben.slash(world.general, "persona portrait", persona="barnaby")
    assert "Only who made" in told(refused)


async def test_delete(world: World) -> None:
    await world.create()
    asked = await world.ana.slash(world.general, "persona delete", persona="barnaby")
    assert asked.ephemeral and asked.response is not None
    await world.ana.click(asked.response, label="Yes, delete it for ever")
    assert await world.storage.personas.count(f"discord:{world.home.id}") == 0


@pytest.mark.parametrize("form", ["png", "v3-json", "v2-json"])
async def test_a_persona_travels_to_another_server(world: World, form: str) -> None:
    await world.create()
    result = await world.ana.slash(world.general, "persona export", persona="barnaby", format=form)
    message = result.response
    assert message is not None and message.ephemeral
    [file] = message.attachments
    data = world.env.backend.cdn.get(file.url)
    assert data is not None
    await world.anas.slash(world.square, "persona import", card=(file.filename, data))
    card = world.square.last_message
    assert card is not None and "## Barnaby Beam ✦" in words(card)
    brought = await world.persona(world.abroad)
    assert brought.creator == str(world.anas.id)


async def test_an_import_of_anything_else(world: World) -> None:
    file = io.BytesIO(b"MZ no card").getvalue()
    result = await world.ana.slash(world.general, "persona import", card=("card.png", file))
    shown = told(result) + "".join(words(one) for one in world.general.history())
    assert "card" in shown
    assert await world.storage.personas.count(f"discord:{world.home.id}") == 0


async def test_a_name_that_nobody_has(world: World) -> None:
    await world.create()
    result = await world.ben.slash(world.general, "ask", persona="barnabi", message="Hello?")
    assert "Did you mean" in told(result)
