"""The gallery of a server: paged, with portraits, and of this server only."""

from __future__ import annotations

from tests.bot.discord.conftest import World
from tests.fakes.discord_seen import buttons, menus, pictures, words


async def fill(world: World, count: int) -> None:
    """Somebody has been busy."""
    from dataclasses import replace

    from engine.creation import CreationRequest

    request = CreationRequest("a lighthouse", gallery=f"discord:{world.home.id}", creator="7")
    for number in range(count):
        world.names = [f"Number {number}"]
        async for _ in world.chat.gallery._creator.create(replace(request, seed=number)):
            pass


async def test_an_empty_gallery_says_what_to_do(world: World) -> None:
    result = await world.ana.slash(world.general, "gallery")
    assert "/create" in words(result.response)


async def test_pages_with_portraits(world: World) -> None:
    await fill(world, 7)
    await world.ana.slash(world.general, "gallery")
    [page] = world.general.history()
    assert "7 personas · page 1 of 2" in words(page)
    assert len(pictures(page)) == 5 == len(page.attachments)
    assert "**Number 6**" in words(page) and "by <@7>" in words(page)
    assert buttons(page) == ["On", "Search"]
    await world.ben.click(page, label="On")
    [page] = world.general.history()
    assert "page 2 of 2" in words(page)
    assert len(pictures(page)) == 2 == len(page.attachments)
    assert buttons(page) == ["Back", "Search"]


async def test_pages_turn_after_a_restart_and_after_months(world: World) -> None:
    await fill(world, 6)
    await world.ana.slash(world.general, "gallery")
    await world.env.restart_bot(world.new_bot())
    await world.env.advance_time(100 * 24 * 3_600)
    await world.ben.click(world.general.history()[0], label="On")
    assert "page 2 of 2" in words(world.general.history()[0])


async def test_search(world: World) -> None:
    await fill(world, 7)
    await world.ana.slash(world.general, "gallery", search="number 3")
    [page] = world.general.history()
    assert "1 persona with “number 3”" in words(page)
    form = await world.ben.click(page, label="Search")
    assert form.modal is not None
    [row] = form.modal["components"]
    field = row["component"] if "component" in row else row["components"][0]
    await world.ben.submit_modal(form, {field["custom_id"]: "number 5"})
    [page] = world.general.history()
    assert "**Number 5**" in words(page)


async def test_meet_somebody(world: World) -> None:
    await fill(world, 2)
    await world.ana.slash(world.general, "gallery")
    page = world.general.history()[0]
    [menu] = menus(page)
    assert [option.label for option in menu.options] == ["Number 1", "Number 0"]
    await world.ben.select(page, [menu.options[1].value], custom_id=menu.custom_id)
    card = world.general.last_message
    assert card is not None and "## Number 0 ✦" in words(card)
    assert "Talk here" in buttons(card)


async def test_no_server_sees_the_personas_of_another(world: World) -> None:
    await fill(world, 2)
    result = await world.anas.slash(world.square, "gallery")
    assert "Nobody lives here yet" in words(result.response)
    result = await world.anas.slash(world.square, "gallery", search="number")
    assert "0 personas" in words(result.response)
    for command in ("ask", "persona show", "persona delete", "talk", "forget"):
        assert await world.anas.autocomplete(world.square, command, "persona", "") == []
    secret = await world.persona()
    for name in ("Number 1", secret.slug, secret.id):
        result = await world.anas.slash(world.square, "persona show", persona=name)
        assert result.ephemeral and "Number" not in words(result.response).replace(f'"{name}"', "")


async def test_autocomplete_offers_names_of_here(world: World) -> None:
    await fill(world, 3)
    offered = await world.ben.autocomplete(world.general, "ask", "persona", "number 1")
    assert [one["name"] for one in offered] == ["Number 1 ✦ — Grumbles in perfect rhyme"]


async def test_a_private_chat_has_a_gallery_of_its_own(world: World) -> None:
    await world.ana.user.slash("create", description="a diary")
    await world.ana.user.slash("gallery")
    page = world.ana.user.dm_channel.last_message
    assert page is not None and "1 persona" in words(page)
    result = await world.ben.user.slash("gallery")
    assert "Nobody lives here yet" in words(result.response)


async def test_a_search_for_markup_stays_a_search(world: World) -> None:
    await world.ana.slash(world.general, "gallery", search="**<@1>** ```\n:x:")
    [page] = world.general.history()
    assert "\\*\\*\\<\\@1\\>" in words(page)
