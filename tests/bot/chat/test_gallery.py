"""What people do with the personas of their community, and what they may not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest

from bot.chat.base import Person, RefusedError
from bot.chat.decency import Decency
from bot.chat.quotas import QuotaError
from bot.chat.settings import ChatSettings
from engine.events import ClipReady, CreationFailed
from engine.pictures import LONGEST_SIDE
from engine.portrait.benchmark.prompts import load_prompts
from engine.talkinghead.base import Clip
from personas import cards_png as png
from personas.cards import Form, write_card
from personas.errors import InvalidInputError, NotFoundError, UnavailableError
from personas.persona import Exchange, Persona
from tests.bot.chat.conftest import (
    ANA,
    BEN,
    ELSEWHERE,
    HERE,
    MOD,
    PRIVATE,
    THREAD,
    MakeWorld,
    World,
    last,
    made,
)
from tests.personas.pictures import picture as noise

AFTER_DARK = replace(HERE, channel="discord:18", adult=True)


async def test_a_persona_belongs_to_its_place_and_maker(world: World) -> None:
    persona = await world.make(person=BEN)
    assert (persona.gallery, persona.creator) == ("discord:100", BEN.id)


async def test_a_gallery_has_pages_newest_first(world: World) -> None:
    for number in range(5):
        await world.make(name=f"Number {['Alba', 'Bruno', 'Carla', 'Dora', 'Elsa'][number]}")
    page = await world.chat.gallery.page(HERE, BEN, size=2)
    assert [one.personality.name for one in page.personas] == ["Number Elsa", "Number Dora"]
    assert (page.number, page.pages, page.total) == (0, 3, 5)
    page = await world.chat.gallery.page(HERE, BEN, number=99, size=2)
    assert [one.personality.name for one in page.personas] == ["Number Alba"]
    page = await world.chat.gallery.page(HERE, BEN, query="number CARLA")
    assert [one.personality.name for one in page.personas] == ["Number Carla"]
    assert (await world.chat.gallery.page(ELSEWHERE, MOD)).total == 0
    assert await world.chat.gallery.complete(HERE, BEN, "number bruno")
    assert await world.chat.gallery.complete(ELSEWHERE, MOD, "number bruno") == []


async def test_a_community_can_let_everybody_see_only_their_own(world: World) -> None:
    mine, other = await world.make(name="Mine"), await world.make(name="Other", person=BEN)
    await world.chat.rooms.set_rules(HERE, MOD, visibility="creator")
    assert (await world.chat.gallery.page(HERE, ANA)).personas == (mine,)
    assert (await world.chat.gallery.page(HERE, MOD)).total == 2
    with pytest.raises(NotFoundError):
        await world.chat.gallery.get(HERE, ANA, "Other")
    with pytest.raises(RefusedError, match="no such persona"):
        await world.chat.gallery.by_id(HERE, ANA, other.id)


async def test_a_name_means_whom_people_see(world: World) -> None:
    for person in (ANA, BEN):
        await world.make(name="Luna", person=person)
    await world.make(AFTER_DARK, "Lunatic", adult=True)
    await world.chat.rooms.set_rules(HERE, MOD, visibility="creator")
    for name in ("luna", "Luna", "lun", "lighthouse"):
        assert (await world.chat.gallery.get(HERE, BEN, name)).creator == BEN.id
    with pytest.raises(NotFoundError) as raised:
        await world.chat.gallery.get(HERE, MOD, "Lunatix")
    assert "lunatic" not in str(raised.value)


async def test_nothing_reaches_another_community(world: World) -> None:
    persona = await world.make()
    gallery = world.chat.gallery
    for attempt in (
        gallery.get(ELSEWHERE, MOD, persona.slug),
        gallery.get(ELSEWHERE, MOD, persona.id),
        gallery.by_id(ELSEWHERE, MOD, persona.id),
        gallery.rename(ELSEWHERE, MOD, persona, "Mine now"),
        gallery.recast(ELSEWHERE, MOD, persona),
        gallery.delete(ELSEWHERE, MOD, persona),
        gallery.export(ELSEWHERE, MOD, persona),
        gallery.greet(ELSEWHERE, MOD, persona),
        last(gallery.redraw(ELSEWHERE, MOD, persona)),
    ):
        with pytest.raises(NotFoundError):
            await attempt
    assert await gallery.by_id(HERE, BEN, persona.id) == persona


@pytest.mark.parametrize("verb", ["rename", "redraw", "recast", "delete"])
async def test_only_its_maker_or_a_moderator_changes_a_persona(world: World, verb: str) -> None:
    persona = await world.make()
    gallery = world.chat.gallery

    async def attempt(who: Person) -> object:
        match verb:
            case "rename":
                return await gallery.rename(HERE, who, persona, "Bernard")
            case "redraw":
                return await made(gallery.redraw(HERE, who, persona, seed=5))
            case "recast":
                return await gallery.recast(HERE, who, persona)
            case _:
                return await gallery.delete(HERE, who, persona)

    with pytest.raises(RefusedError, match="Only who made Barnaby"):
        await attempt(BEN)
    await attempt(ANA)
    if verb != "delete":
        await attempt(MOD)


async def test_a_new_name_can_be_called(world: World) -> None:
    persona = await world.make()
    renamed = await world.chat.gallery.rename(HERE, ANA, persona, "  Bernard\n the Bright ")
    assert (renamed.personality.name, renamed.slug) == ("Bernard the Bright", "bernard-the-bright")
    assert await world.chat.gallery.get(HERE, ANA, "bernard") == renamed
    with pytest.raises(InvalidInputError):
        await world.chat.gallery.rename(HERE, ANA, persona, " \u200b ")


async def test_a_character_can_be_rewritten(world: World) -> None:
    persona = await world.make()
    changed = await world.chat.gallery.edit(HERE, ANA, persona, character="You love fog.")
    assert changed.personality.character == "You love fog."
    assert changed.personality.greeting == persona.personality.greeting
    with pytest.raises(InvalidInputError, match="greeting"):
        await world.chat.gallery.edit(HERE, ANA, persona, greeting="")
    with pytest.raises(InvalidInputError, match="tagline"):
        await world.chat.gallery.edit(HERE, ANA, persona, tagline="x" * 500)


async def test_a_card_goes_out_and_comes_in_elsewhere(world: World) -> None:
    persona = await world.make()
    for form in ("png", "json"):
        name, card = await world.chat.gallery.export(HERE, BEN, persona, form)
        assert name == f"barnaby-beam.{form}"
        brought = await made(world.chat.gallery.bring(ELSEWHERE, BEN, card))
        assert brought.personality == persona.personality
        assert (brought.gallery, brought.creator) == ("discord:200", BEN.id)
    with pytest.raises(InvalidInputError):
        await last(world.chat.gallery.bring(HERE, BEN, b"no card"))


@pytest.mark.parametrize("part", ["portrait", "background", "body"])
async def test_a_card_with_a_damaged_picture_is_refused(world: World, part: str) -> None:
    persona = await world.make()
    assert persona.portrait.layers is not None
    layers = persona.portrait.layers
    keys = {
        "portrait": persona.portrait.image,
        "background": layers.background,
        "body": layers.body,
    }
    pictures = {name: await world.storage.media.get(key) for name, key in keys.items()}
    pictures[part] = png.write_chunks(
        replace(chunk, data=b"nothing") if chunk.kind == b"IDAT" else chunk
        for chunk in png.read_chunks(pictures[part])
    )
    picture = pictures.pop("portrait")
    card = write_card(persona, picture, **pictures, form="v3-json")
    event = await last(world.chat.gallery.bring(ELSEWHERE, BEN, card))
    assert isinstance(event, CreationFailed) and "damaged" in event.reason
    assert (await world.chat.gallery.page(ELSEWHERE, BEN)).total == 0


async def test_a_card_with_a_very_large_picture_gets_one_that_can_be_used(world: World) -> None:
    persona = await world.make()
    large = persona.portrait.model_copy(update={"size": (2100, 64)})
    card = write_card(
        persona.model_copy(update={"portrait": large}), noise((2100, 64)), form="v3-json"
    )
    brought = await made(world.chat.gallery.bring(ELSEWHERE, BEN, card))
    assert brought.personality == persona.personality
    assert max(brought.portrait.size) <= LONGEST_SIDE


async def test_a_persona_can_be_taken_along_into_a_private_chat(world: World) -> None:
    persona = await world.make()
    copy = await world.chat.gallery.adopt(PRIVATE, ANA, persona.id, HERE)
    assert (copy.gallery, copy.personality) == (PRIVATE.gallery, persona.personality)
    assert await world.chat.gallery.adopt(PRIVATE, ANA, persona.id, HERE) == copy
    await world.chat.gallery.delete(HERE, ANA, persona)
    assert await world.chat.gallery.portrait(copy)
    await world.chat.rooms.set_rules(HERE, MOD, export="nobody")
    other = await world.make(name="Other")
    with pytest.raises(RefusedError, match="Nobody can export"):
        await world.chat.gallery.adopt(PRIVATE, ANA, other.id, HERE)


async def test_who_manages_one_community_takes_along_from_another_what_everybody_may(
    world: World,
) -> None:
    persona = await world.make()
    await world.chat.rooms.set_rules(HERE, MOD, export="moderators")
    with pytest.raises(RefusedError, match="Only moderators can export"):
        await world.chat.gallery.adopt(ELSEWHERE, MOD, persona.id, HERE)
    copy = await world.chat.gallery.adopt(ELSEWHERE, MOD, persona.id, HERE, manages_source=True)
    assert copy.gallery == ELSEWHERE.gallery


async def test_a_greeting_can_be_heard_and_is_made_once(world: World) -> None:
    persona = await world.make()
    first = await world.chat.gallery.greet(HERE, BEN, persona)
    assert isinstance(first[-1], ClipReady) and isinstance(first[-1].clip, Clip)
    again = await world.chat.gallery.greet(HERE, ANA, persona)
    assert again == first
    assert len(world.speech.spoken) == 1
    # What was said lately is found again; who has not spoken yet needs a voice.
    stranger = await world.make(name="Stranger", voice="robot")
    world.speech.failures.append(UnavailableError("No voice."))
    with pytest.raises(UnavailableError, match="no voice right now"):
        await world.chat.gallery.greet(HERE, ANA, stranger, mode="voice")


# Limits of making


async def test_quotas_of_making(make_world: MakeWorld) -> None:
    world = make_world(settings=ChatSettings(creations_each=1, creations=2))
    await world.make()
    with pytest.raises(QuotaError, match="your 1 new personas"):
        await last(world.chat.gallery.create(HERE, ANA, "another"))
    await world.make(person=BEN, name="Second")
    with pytest.raises(QuotaError, match="This community"):
        await last(world.chat.gallery.create(HERE, MOD, "another"))


async def test_what_comes_to_nothing_is_not_counted(make_world: MakeWorld) -> None:
    world = make_world(settings=ChatSettings(creations_each=1))
    event = await last(world.chat.gallery.create(HERE, ANA, "", seed=1))
    assert isinstance(event, CreationFailed)
    event = await last(world.chat.gallery.create(HERE, ANA, "a hat", style="no such style"))
    assert isinstance(event, CreationFailed) and "style" in event.reason
    await world.make()


async def test_a_gallery_that_is_full_says_so(world: World) -> None:
    await world.chat.rooms.set_rules(HERE, MOD, max_personas=1)
    await world.make()
    with pytest.raises(RefusedError, match="full"):
        await last(world.chat.gallery.create(HERE, MOD, "another"))


async def test_a_community_can_leave_making_to_moderators(world: World) -> None:
    await world.chat.rooms.set_rules(HERE, MOD, create="moderators")
    with pytest.raises(RefusedError, match="Only moderators"):
        await last(world.chat.gallery.create(HERE, ANA, "another"))
    await world.make(person=MOD)


async def test_personas_for_adults_stay_where_only_adults_are(world: World) -> None:
    persona = await world.make(AFTER_DARK, "Velvet", adult=True)
    with pytest.raises(InvalidInputError, match="for adults only"):
        await last(world.chat.gallery.create(HERE, ANA, "another", adult=True))
    assert (await world.chat.gallery.page(HERE, ANA)).total == 0
    assert (await world.chat.gallery.page(AFTER_DARK, ANA)).total == 1
    with pytest.raises(NotFoundError):
        await world.chat.rooms.settle(HERE, ANA, persona)
    await world.chat.rooms.settle(AFTER_DARK, ANA, persona)
    await world.say("Velvet?", place=AFTER_DARK)
    assert len(world.platform.said) == 1


CHILDREN = replace(HERE, adult=False)


@pytest.mark.parametrize(
    ("description", "word"),
    [("a sexy nurse", "sexy"), ("Hallo! Das ist ein richtiger Arsch und ein Esel", "arsch")],
)
async def test_explicit_words_are_for_channels_of_adults(
    world: World, description: str, word: str
) -> None:
    with pytest.raises(RefusedError, match=f"“{word}” is for channels with an age restriction"):
        await last(world.chat.gallery.create(CHILDREN, ANA, description))
    for adult in (True, False):
        making = world.chat.gallery.create(AFTER_DARK, ANA, description, adult=adult)
        assert (await made(making)).adult
    # Where the platform does not tell who reads, people decide for themselves.
    assert not (await made(world.chat.gallery.create(HERE, ANA, description))).adult
    assert not (await world.make(AFTER_DARK)).adult


async def test_they_come_in_by_no_other_way(world: World) -> None:
    persona = await world.make(CHILDREN)
    with pytest.raises(RefusedError, match="sexy"):
        await world.chat.gallery.edit(CHILDREN, ANA, persona, character="You are sexy.")
    changed = await world.chat.gallery.edit(AFTER_DARK, ANA, persona, name="Sexy Sam")
    assert changed.personality.name == "Sexy Sam" and changed.adult
    with pytest.raises(NotFoundError):
        await world.chat.gallery.by_id(CHILDREN, ANA, persona.id)


@pytest.mark.parametrize(
    "words",
    [
        {"kind": "sexy lighthouse"},
        {"speaking_style": "You sound sexy."},
        {"examples": (Exchange(user="Are you sexy?", reply="I am a lighthouse."),)},
        {"examples": (Exchange(user="Who are you?", reply="A sexy lighthouse."),)},
    ],
)
async def test_nor_on_a_card(world: World, words: dict[str, Any]) -> None:
    persona = await world.make()
    personality = persona.personality.model_copy(update=words)
    changed = persona.model_copy(update={"personality": personality})
    await no_child_gets(world, await world.storage.personas.change(persona.id, lambda _: changed))


async def test_nor_in_what_a_card_was_made_of(world: World) -> None:
    persona = await world.make()
    changed = persona.model_copy(update={"description": "a sexy lighthouse"})
    await no_child_gets(world, await world.storage.personas.change(persona.id, lambda _: changed))


async def no_child_gets(world: World, persona: Persona) -> None:
    """The card of a persona that uses an explicit word is for places for adults only."""
    gallery, elsewhere = world.chat.gallery, replace(ELSEWHERE, adult=True)
    for form in get_args(Form):
        _, card = await gallery.export(HERE, ANA, persona, form)
        with pytest.raises(RefusedError, match="sexy"):
            await last(gallery.bring(CHILDREN, ANA, card))
        assert (await made(gallery.bring(elsewhere, ANA, card))).adult
    assert await world.storage.personas.count(HERE.gallery) == 1


async def test_a_card_keeps_that_somebody_is_for_adults(world: World) -> None:
    gallery, elsewhere = world.chat.gallery, replace(ELSEWHERE, adult=True)
    persona = await world.make(AFTER_DARK, "Velvet", adult=True)
    for form in get_args(Form):
        _, card = await gallery.export(AFTER_DARK, ANA, persona, form)
        for place in (ELSEWHERE, replace(ELSEWHERE, adult=False), PRIVATE):
            with pytest.raises(RefusedError, match="for adults only"):
                await last(gallery.bring(place, ANA, card))
        assert (await made(gallery.bring(elsewhere, ANA, card))).adult


async def test_harmless_descriptions_are_not_taken_amiss() -> None:
    decency = Decency()
    for prompt in load_prompts():
        assert not decency.is_for_adults(CHILDREN, prompt.text)


# Rooms


async def test_only_moderators_change_the_rules(world: World) -> None:
    with pytest.raises(RefusedError, match="Only moderators"):
        await world.chat.rooms.set_rules(HERE, ANA, create="nobody")
    with pytest.raises(InvalidInputError, match="clip_seconds"):
        await world.chat.rooms.set_rules(HERE, MOD, clip_seconds=1)
    await world.chat.rooms.set_rules(PRIVATE, ANA, mode="voice")
    assert (await world.chat.rooms.rules(PRIVATE)).mode == "voice"
    assert (await world.chat.rooms.rules(HERE)).mode is None


async def test_personas_come_and_go(world: World) -> None:
    ada, bo = await world.make(name="Ada Lamp"), await world.make(name="Bo Kettle")
    await world.chat.rooms.settle(HERE, BEN, ada)
    await world.chat.rooms.settle(HERE, BEN, bo, "tea")
    await world.chat.rooms.settle(HERE, BEN, bo, "tea, coffee")
    here = await world.chat.rooms.here(HERE, BEN)
    assert [(one.persona.slug, one.triggers) for one in here] == [
        ("ada-lamp", ()),
        ("bo-kettle", ("tea", "coffee")),
    ]
    assert await world.chat.rooms.leave(HERE, BEN, ada) == 1
    assert await world.chat.rooms.leave(HERE, BEN) == 1
    await world.chat.rooms.set_rules(HERE, MOD, settle="moderators")
    with pytest.raises(RefusedError, match="Only moderators"):
        await world.chat.rooms.settle(HERE, BEN, ada)


async def test_a_thread_is_quiet_while_those_of_its_channel_go_on(world: World) -> None:
    ada, bo = await world.make(name="Ada Lamp"), await world.make(name="Bo Kettle")
    rooms = world.chat.rooms
    await rooms.settle(HERE, BEN, ada)
    assert await rooms.here(THREAD, BEN, inherited=False) == []
    assert await rooms.leave(THREAD, BEN, bo) == 0
    assert await rooms.leave(THREAD, BEN) == 1
    assert await rooms.here(THREAD, BEN) == []
    assert await rooms.leave(THREAD, BEN) == 0
    await world.say("Between ourselves ...", place=THREAD)
    assert not world.platform.by
    await world.say("Hi")
    assert len(world.platform.by) == 1
    await rooms.settle(THREAD, BEN, bo)
    assert await rooms.leave(THREAD, BEN) == 1
    assert [one.persona.slug for one in await rooms.here(THREAD, BEN)] == [ada.slug]


async def test_one_of_a_channel_leaves_a_thread_of_it(world: World) -> None:
    ada, bo = await world.make(name="Ada Lamp"), await world.make(name="Bo Kettle")
    rooms = world.chat.rooms
    await rooms.settle(HERE, BEN, ada)
    await rooms.settle(HERE, BEN, bo, "tea")
    assert await rooms.leave(THREAD, BEN, ada) == 1
    (left,) = await rooms.here(THREAD, BEN)
    assert (left.persona.slug, left.triggers) == (bo.slug, ("tea",))
    assert len(await rooms.here(HERE, BEN)) == 2


async def test_a_deleted_persona_lives_nowhere(world: World) -> None:
    persona = await world.make()
    await world.chat.rooms.settle(HERE, ANA, persona)
    await world.say("Hi")
    await world.chat.gallery.delete(HERE, ANA, persona)
    assert await world.chat.rooms.here(HERE, ANA) == []
    with pytest.raises(NotFoundError):
        await world.chat.replies.who(HERE, ANA, "m1")


async def test_a_persona_can_forget(world: World) -> None:
    persona = await world.make()
    await world.chat.rooms.settle(HERE, ANA, persona)
    await world.say("My secret is blue.")
    assert await world.chat.rooms.forget(HERE, ANA) == 1
    await world.say("What do you know?")
    seen = "\n".join(message.content for message in world.model.asked[-1].messages)
    assert "My secret is blue." not in seen


async def test_a_community_that_moves_takes_everything_along(world: World) -> None:
    old = replace(HERE, gallery="telegram:-5", channel="telegram:-5")
    topic = replace(old, channel="telegram:-5:7", parent="telegram:-5")
    new, new_topic = (
        replace(place, gallery="telegram:-1005", channel=place.channel.replace("-5", "-1005"))
        for place in (old, topic)
    )
    persona = await world.make(old)
    await world.chat.rooms.settle(old, ANA, persona)
    await world.chat.rooms.set_mode(topic, ANA, "voice")
    await world.chat.rooms.set_rules(old, MOD, trigger="called")
    await world.say("Barnaby, my secret is blue.", place=old)
    for _ in range(2):  # both chats announce it
        await world.chat.move(("telegram:-5", "telegram:-1005"), ("telegram:-5", "telegram:-1005"))
    moved = await world.chat.gallery.get(new, ANA, "barnaby-beam")
    assert moved.id == persona.id
    assert [one.persona for one in await world.chat.rooms.here(new, ANA)] == [moved]
    assert await world.chat.rooms.mode(new_topic) == "voice"
    assert (await world.chat.rooms.rules(new)).trigger.value == "called"
    with pytest.raises(NotFoundError):  # the new one numbers its messages anew
        await world.chat.replies.who(new, ANA, "m1")
    await world.say("Barnaby, what do you know?", place=new)
    seen = "\n".join(message.content for message in world.model.asked[-1].messages)
    assert "my secret is blue." in seen
    assert (await world.chat.gallery.page(old, ANA)).total == 0
