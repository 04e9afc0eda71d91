"""/create on Discord: a persona is born before everybody's eyes."""

from __future__ import annotations

import asyncio

import discord
import pytest

from bot.chat.settings import ChatSettings
from personas.errors import UnavailableError
from personas.gallery import Policy, Who
from tests.bot.discord.conftest import MakeWorld, World
from tests.bot.discord.test_cards import told
from tests.fakes.discord_seen import buttons, pictures, words


async def test_it_ends_in_a_card(world: World) -> None:
    result = await world.ana.slash(world.general, "create", description="a grumpy lighthouse")
    assert result.ephemeral
    [card] = world.general.history()
    assert words(card).splitlines()[1:3] == [
        "## Barnaby Beam ✦",
        "*Grumbles in perfect rhyme*",
    ]
    assert "Mind the steps." in words(card)
    assert f"by {world.ana.mention}" in words(card)
    assert len(pictures(card)) == 1
    assert buttons(card) == ["Talk here", "Hear me", "Details", "Delete"]


async def test_it_outlives_the_interaction(world: World) -> None:
    world.model.pause = 1_200.0  # five minutes longer than the token
    await world.ana.slash(world.general, "create", description="a slow lighthouse")
    [progress] = world.general.history()
    assert "Imagining" in words(progress)
    await world.env.advance_time(1_200)
    await world.until(lambda: "## Barnaby Beam" in words(world.general.history()[-1]), 1)
    [card] = world.general.history()
    assert card.id == progress.id
    assert "## Barnaby Beam" in words(card)


async def test_look_voice_and_image_are_chosen(world: World) -> None:
    from io import BytesIO

    from PIL import Image

    file = BytesIO()
    Image.new("RGB", (64, 64), "teal").save(file, "PNG")
    await world.ana.slash(
        world.general,
        "create",
        description="a lighthouse",
        style="flat",
        voice="granny",
        image=("me.png", file.getvalue()),
    )
    persona = await world.persona()
    assert (persona.voice.preset, persona.portrait.style) == ("granny", "flat")
    assert world.portraits.photos[-1] is not None


async def test_looks_and_voices_are_offered(world: World) -> None:
    looks = await world.ana.autocomplete(world.general, "create", "style", "fl")
    assert "flat" in [one["value"] for one in looks]
    voices = await world.ana.autocomplete(world.general, "create", "voice", "gran")
    assert voices[0]["value"] == "granny"
    assert len(await world.ana.autocomplete(world.general, "create", "voice", "")) == 25


async def test_who_may_not_is_told_and_nobody_sees_it(world: World) -> None:
    await world.storage.galleries.set_policy(
        f"discord:{world.home.id}", Policy(create=Who.MODERATORS)
    )
    result = await world.ana.slash(world.general, "create", description="a lighthouse")
    assert result.ephemeral
    assert result.response is not None and "moderators" in result.response.content
    assert world.general.history() == []


async def test_who_has_had_enough_is_told(make_world: MakeWorld) -> None:
    world = await make_world(chat_settings=ChatSettings(creations_each=1))
    await world.create()
    result = await world.ana.slash(world.general, "create", description="one more")
    assert result.response is not None and "your 1 new persona" in result.response.content
    assert len(world.general.history()) == 1


async def test_a_portrait_that_fails_is_told(world: World) -> None:
    world.portraits.failures += [UnavailableError("The ink has dried up.")] * 9
    await world.ana.slash(world.general, "create", description="a lighthouse")
    [message] = world.general.history()
    assert "The ink has dried up." in words(message)
    assert not buttons(message) and not message.attachments


async def test_a_crash_is_told_without_its_details(world: World) -> None:
    world.portraits.failures += [RuntimeError("secret path")] * 9
    await world.ana.slash(world.general, "create", description="a lighthouse")
    [message] = world.general.history()
    assert "The log says why." in words(message)
    assert "secret" not in words(message)


async def test_a_file_that_is_no_picture_is_told(world: World) -> None:
    await world.ana.slash(
        world.general, "create", description="a lighthouse", image=("me.png", b"no picture")
    )
    [message] = world.general.history()
    assert "no picture" in words(message)


async def test_a_channel_where_nothing_can_be_written(world: World) -> None:
    me = world.home.default_role
    silent = discord.PermissionOverwrite(send_messages=False)
    muted = world.home.create_text_channel("muted", overwrites={me: silent})
    result = await world.ana.slash(muted, "create", description="a lighthouse")
    assert result.response is not None and "may not write" in result.response.content
    assert await world.storage.personas.count(f"discord:{world.home.id}") == 0


async def test_for_adults_only_where_adults_are(world: World) -> None:
    result = await world.ana.slash(world.general, "create", description="a rogue", adult=True)
    assert result.response is not None and "adults" in result.response.content
    channel = world.bot.get_channel(world.general.id)
    assert isinstance(channel, discord.TextChannel)
    channel.nsfw = True
    await world.ana.slash(world.general, "create", description="a rogue", adult=True)
    assert (await world.persona()).adult
    result = await world.ana.slash(world.general, "create", description="a sexy rogue")
    assert "only age-restricted channels see it" in told(result)
    assert (await world.persona()).adult


async def test_switched_off_on_the_way_it_says_so(world: World) -> None:
    world.model.pause = 500.0
    await world.ana.slash(world.general, "create", description="a slow lighthouse")
    [progress] = world.general.history()
    task = asyncio.get_running_loop().create_task(world.bot.finish(0.0))
    await world.env.advance_time(1)
    await task
    [message] = world.general.history()
    assert message.id == progress.id
    assert "switched off" in words(message)


@pytest.mark.parametrize("description", ["@everyone ## <@1> ```", "x" * 2_000, "‮evil\n\n\n"])
async def test_descriptions_stay_data(world: World, description: str) -> None:
    await world.ana.slash(world.general, "create", description=description)
    [message] = world.general.history()
    assert "\n```" not in words(message) and " @everyone" not in words(message)
    assert not message.mention_everyone
    sent = [one.json for one in world.env.http_requests if "/messages" in one.path and one.json]
    assert all(one["allowed_mentions"] == {"parse": []} for one in sent)
