"""A message comes in, and whoever it is for answers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from bot.chat.base import Activity, Before, GoneError, RefusedError
from bot.chat.listeners import NobodyError
from bot.chat.quotas import QuotaError
from bot.chat.settings import ChatSettings
from engine.fairness import BusyError
from engine.hearing.base import NothingHeardError, Transcript
from engine.llm.failures import ContextOverflowError
from engine.speech.base import Speech
from engine.talkinghead.base import Clip
from personas.errors import InvalidInputError, NotFoundError, UnavailableError
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
    sound,
    until,
)
from tests.fakes.language_model import BrokenOff
from tests.fakes.outlet import Platform


@dataclass
class Listening:
    """A SpeechRecognizer that hears what a test says."""

    heard: list[str | Exception] = field(default_factory=list)
    name: str = "ears"
    online: bool = False

    def warm_up(self) -> None: ...

    def transcribe(self, data: bytes, language: str | None = None) -> Transcript:
        heard = self.heard.pop(0)
        if isinstance(heard, Exception):
            raise heard
        return Transcript(heard, "en", (), 1.0)


# Whom a message is for


async def test_where_nobody_lives_nothing_is_answered(world: World) -> None:
    await world.make()
    await world.say("Hello everybody!")
    assert world.platform.said == []


async def test_who_lives_in_a_channel_answers_everything_there(world: World) -> None:
    persona = await world.make()
    await world.chat.rooms.settle(HERE, ANA, persona)
    await world.say("Good evening!", BEN)
    assert world.platform.said == ["Mind the rocks."]
    assert world.platform.by["m1"] == persona
    assert world.platform.activities == [Activity.WRITING]


async def test_a_thread_has_the_personas_of_its_channel_until_it_has_its_own(world: World) -> None:
    first, second = await world.make(name="Ada Lamp"), await world.make(name="Bo Kettle")
    await world.chat.rooms.settle(HERE, ANA, first)
    await world.say("Hi", place=THREAD)
    await world.chat.rooms.settle(THREAD, ANA, second)
    await world.say("Hi", place=THREAD)
    assert [one.slug for one in world.platform.by.values()] == [first.slug, second.slug]


async def test_of_several_the_one_that_is_called_answers(world: World) -> None:
    ada, bo = await world.make(name="Ada Lamp"), await world.make(name="Bo Kettle")
    for persona in (ada, bo):
        await world.chat.rooms.settle(HERE, ANA, persona)
    for text, who in [
        ("bo kettle, are you there?", "Bo Kettle"),
        ("And you?", "Bo Kettle"),  # whoever spoke last
        ("ADA! Your turn.", "Ada Lamp"),
        ("adapters are boring", "Ada Lamp"),  # a part of a word is no name
    ]:
        await world.say(text)
        assert list(world.platform.by.values())[-1].personality.name == who, text


async def test_words_can_call_a_persona(world: World) -> None:
    ada, bo = await world.make(name="Ada Lamp"), await world.make(name="Bo Kettle")
    await world.chat.rooms.settle(HERE, ANA, ada, "light, bright one")
    await world.chat.rooms.settle(HERE, ANA, bo, "tea")
    await world.say("Some tea, please!")
    await world.say("Oh bright one, shine.")
    assert [one.personality.name for one in world.platform.by.values()] == ["Bo Kettle", "Ada Lamp"]


async def test_names_in_other_scripts_are_found(world: World) -> None:
    for name in ("灯台さん", "Маяк"):
        persona = await world.chat.gallery.rename(HERE, ANA, await world.make(), name)
        await world.chat.rooms.settle(HERE, ANA, persona)
    await world.say("маяк, привет!")
    await world.say("ねえ灯台さん、元気？")
    assert [one.personality.name for one in world.platform.by.values()] == ["Маяк", "灯台さん"]


async def test_a_reply_is_for_who_is_replied_to(world: World) -> None:
    ada, bo = await world.make(name="Ada Lamp"), await world.make(name="Bo Kettle")
    for persona in (ada, bo):
        await world.chat.rooms.settle(HERE, ANA, persona)
    await world.say("Ada?")
    await world.say("Bo?")
    await world.say("What do you mean, Bo?", reply_to="m1")
    assert list(world.platform.by.values())[-1] == ada


async def test_two_that_are_called_both_answer(world: World) -> None:
    for name in ("Ada Lamp", "Bo Kettle"):
        await world.chat.rooms.settle(HERE, ANA, await world.make(name=name))
    await world.say("Ada and Bo, sing!")
    assert {one.personality.name for one in world.platform.by.values()} == {"Ada Lamp", "Bo Kettle"}


async def test_a_mention_of_the_bot_calls_the_one_persona_there_is(world: World) -> None:
    await world.make()
    await world.say("hello?", mentioned=True)
    assert world.platform.said == ["Mind the rocks."]


async def test_a_mention_without_a_name_among_many_asks_who_is_meant(world: World) -> None:
    await world.make(name="Ada Lamp")
    await world.make(name="Bo Kettle")
    with pytest.raises(NobodyError, match=r"Ada Lamp, Bo Kettle"):
        await world.say("hello?", mentioned=True)


async def test_a_mention_where_there_is_nobody_says_what_to_do(world: World) -> None:
    with pytest.raises(NobodyError, match=r"/create"):
        await world.say("hello?", mentioned=True)


async def test_in_private_every_message_is_for_the_newest_persona(world: World) -> None:
    await world.make(PRIVATE, "Ada Lamp")
    await world.make(PRIVATE, "Bo Kettle")
    await world.say("Hi", place=PRIVATE)
    assert list(world.platform.by.values())[-1].personality.name == "Bo Kettle"


async def test_a_community_can_want_personas_to_be_called(world: World) -> None:
    persona = await world.make(name="Ada Lamp")
    await world.chat.rooms.settle(HERE, ANA, persona)
    await world.chat.rooms.set_rules(HERE, MOD, trigger="called")
    await world.say("Nice weather.")
    assert world.platform.said == []
    await world.say("Nice weather, Ada.")
    assert world.platform.said == ["Mind the rocks."]


async def test_a_community_can_keep_personas_out_of_a_channel(world: World) -> None:
    persona = await world.make()
    await world.chat.rooms.settle(HERE, ANA, persona)
    await world.chat.rooms.set_rules(HERE, MOD, channels=("discord:99",))
    await world.say("Hello!")
    assert world.platform.said == []


async def test_personas_of_one_community_are_never_heard_in_another(world: World) -> None:
    persona = await world.make()
    with pytest.raises(NotFoundError):
        await world.chat.rooms.settle(ELSEWHERE, MOD, persona)
    await world.say("Hello!")
    with pytest.raises(NobodyError):
        await world.say("Barnaby Beam!", place=ELSEWHERE, mentioned=True)
    with pytest.raises(NotFoundError):
        await world.chat.replies.who(ELSEWHERE, MOD, "m1")


async def test_programs_and_empty_messages_set_nobody_off(world: World) -> None:
    await world.chat.rooms.settle(HERE, ANA, await world.make())
    await world.say("Beep", type(ANA)("7", "Bot", is_bot=True))
    await world.say("  \n ")
    assert world.platform.said == []


# Once and in order


async def test_a_message_that_arrives_twice_is_answered_once(world: World) -> None:
    await world.chat.rooms.settle(HERE, ANA, await world.make())
    await asyncio.gather(*(world.say("Hi", id="u77") for _ in range(3)))
    assert len(world.platform.said) == 1


async def test_also_by_two_processes(make_world: MakeWorld) -> None:
    one, other = make_world(), make_world()
    persona = await other.make()
    await other.chat.rooms.settle(HERE, ANA, persona)
    await asyncio.gather(one.say("Hi", id="u77"), other.say("Hi", id="u77"))
    assert len(one.platform.said) + len(other.platform.said) == 1


async def test_answers_come_in_the_order_of_the_messages(make_world: MakeWorld) -> None:
    world = make_world(settings=ChatSettings(at_once=8, waiting_each=100))
    await world.chat.rooms.settle(HERE, ANA, await world.make())
    world.answers = lambda asked: f"You said {asked[-1]}."
    await asyncio.gather(*(world.say(f"number {n}") for n in range(6)))
    assert sorted(world.platform.said) == world.platform.said


async def test_the_persona_sees_who_talks(world: World) -> None:
    await world.chat.rooms.settle(HERE, ANA, await world.make())
    await world.say("I like the sea.", ANA)
    await world.say("I do not.", BEN)
    seen = "\n".join(message.content for message in world.model.asked[-1].messages)
    assert "Ana: I like the sea." in seen
    assert "Ben: I do not." in seen


# What is shown


async def test_a_long_answer_becomes_several_messages(make_world: MakeWorld) -> None:
    world = make_world(text_limit=100)
    await world.chat.rooms.settle(HERE, ANA, await world.make())
    world.answers = " ".join(f"Wave number {n} was taller than me." for n in range(12))
    await world.say("Tell me more.")
    assert len(world.platform.said) > 2
    assert all(len(text) <= 100 for text in world.platform.said)
    for message in world.platform.messages:
        assert (await world.chat.replies.who(HERE, BEN, message))[1].asked_by == ANA.id


async def test_text_is_shown_while_it_is_written(world: World) -> None:
    await world.chat.rooms.settle(HERE, ANA, await world.make())
    world.model.pause = 0.001
    world.answers = "The sea is wide and grey, and so am I. " * 4
    await world.say("Well?")
    assert world.platform.looks > 3


async def test_text_is_not_shown_more_often_than_the_platform_likes(make_world: MakeWorld) -> None:
    world = make_world(interval=30.0)
    await world.chat.rooms.settle(HERE, ANA, await world.make())
    world.model.pause = 0.001
    world.answers = "The sea is wide and grey, and so am I. " * 4
    await world.say("Well?")
    assert world.platform.looks == 2  # the first words, and the whole


async def test_a_look_that_fails_breaks_no_answer_off(world: World) -> None:
    await world.chat.rooms.settle(HERE, ANA, await world.make())
    world.model.pause = 0.001
    world.answers = "The sea is wide and grey, and so am I."
    world.platform.away_for = 2
    await world.say("Well?")
    assert world.platform.said == [world.answers]


async def test_a_clip_follows_the_text(make_world: MakeWorld) -> None:
    world = make_world(mode="clip")
    await world.chat.rooms.settle(HERE, ANA, await world.make())
    await world.say("Hi")
    (clip,) = world.platform.files.values()
    assert isinstance(clip, Clip)
    assert world.platform.activities == [Activity.WRITING, Activity.FILMING]
    post = (await world.chat.replies.who(HERE, ANA, "m2"))[1]
    assert post.kind == "file"


async def test_a_channel_can_choose_its_mode(make_world: MakeWorld) -> None:
    world = make_world(mode="clip")
    await world.chat.rooms.settle(HERE, ANA, await world.make())
    await world.chat.rooms.set_mode(HERE, ANA, "voice")
    await world.say("Hi")
    await world.say("Hi", place=THREAD)
    assert all(isinstance(file, Speech) for file in world.platform.files.values())
    assert len(world.platform.files) == 2
    await world.chat.rooms.set_mode(THREAD, ANA, "text")
    await world.say("Hi", place=THREAD)
    assert len(world.platform.files) == 2
    with pytest.raises(InvalidInputError, match="text, voice or clip"):
        await world.chat.rooms.set_mode(HERE, ANA, "hologram")


async def test_a_community_can_choose_mode_and_length(make_world: MakeWorld) -> None:
    world = make_world(mode="clip")
    await world.chat.rooms.settle(HERE, ANA, await world.make())
    await world.chat.rooms.set_rules(HERE, MOD, mode="voice", clip_seconds=3)
    world.answers = "The fog is thick tonight, friend. And so is the soup that they gave me here."
    await world.say("Hi")
    assert world.speech.spoken == ["The fog is thick tonight, friend."]
    assert world.platform.said == [world.answers]


async def test_a_clip_that_fails_costs_only_the_picture(make_world: MakeWorld) -> None:
    world = make_world(mode="clip")
    await world.chat.rooms.settle(HERE, ANA, await world.make())
    world.head.failures.append(UnavailableError("The head is off."))
    await world.say("Hi")
    assert world.platform.said == ["Mind the rocks."]
    assert [type(file) for file in world.platform.files.values()] == [Speech]


async def test_a_clip_that_cannot_be_made_small_is_sent_as_sound(make_world: MakeWorld) -> None:
    world = make_world(mode="clip", file_limit=10, takes=10_000)
    await world.chat.rooms.settle(HERE, ANA, await world.make())
    await world.say("Hi")
    assert [type(file) for file in world.platform.files.values()] == [Speech]


async def test_a_clip_that_the_platform_refuses_is_sent_as_sound(make_world: MakeWorld) -> None:
    world = make_world(mode="clip", takes=0)
    await world.chat.rooms.settle(HERE, ANA, await world.make())
    await world.say("Hi")
    assert world.platform.files == {}
    assert world.platform.told == ["The file is too large."]


async def test_a_channel_that_goes_away_ends_the_answer_quietly(make_world: MakeWorld) -> None:
    for calls in range(3):
        world = make_world(mode="clip", gone_after=calls)
        persona = await world.make(name=f"Ada {calls}")
        await world.chat.rooms.settle(HERE, ANA, persona)
        await world.say(f"{persona.personality.name}, hi")
        assert world.chat.in_flight == 0 and world.platform.told == []


@pytest.mark.parametrize("error", [GoneError("Gone."), UnavailableError("Out of reach.")])
async def test_who_asks_by_a_command_is_told_where_nothing_can_be_shown(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail() -> None:
        raise error

    world = make_world()
    ada, bo = await world.make(name="Ada Lamp"), await world.make(name="Bo Kettle")
    replies, platform = world.chat.replies, world.platform
    monkeypatch.setattr(platform, "call", fail)
    await replies.ask(HERE, ANA, ada, "Hi", "i1", platform.open)
    assert platform.told == [str(error)]
    await replies.converse(HERE, ANA, (ada, bo), "Tea", "i2", platform.open)
    assert platform.told == [str(error)] * 2
    assert await world.storage.usage.used(HERE.gallery, "message") == 0


async def test_without_a_model_people_are_told_why(world: World) -> None:
    await world.chat.rooms.settle(HERE, ANA, await world.make())
    world.answers = lambda asked: ContextOverflowError("This is too long for the model.")
    await world.say("Hi")
    assert world.platform.said == []
    assert world.platform.told == ["This is too long for the model."]
    assert await world.storage.usage.used(HERE.gallery, "message") == 0


async def test_an_answer_that_breaks_off_is_kept(world: World) -> None:
    await world.chat.rooms.settle(HERE, ANA, await world.make())
    broken = BrokenOff(["I was about ", "to say. And"], UnavailableError("The line is dead."))
    world.model._left = [broken]
    await world.say("Hi")
    assert world.platform.said == ["I was about to say."]


# Again, stop, delete


async def test_an_answer_can_be_had_again_in_its_place(make_world: MakeWorld) -> None:
    world = make_world(mode="clip")
    await world.chat.rooms.settle(HERE, ANA, await world.make())
    await world.say("Hi")
    world.answers = "Another thing entirely."
    await world.chat.replies.regenerate(HERE, ANA, "m1", world.platform.open)
    assert world.platform.messages == {"m1": "Another thing entirely."}
    assert list(world.platform.files) == ["m3"]
    await world.say("And then?")
    seen = [message.content for message in world.model.asked[-1].messages]
    assert any("Another thing entirely." in text for text in seen)
    assert not any("Mind the rocks." in text for text in seen)


async def test_only_who_asked_or_a_moderator_may_have_it_again(world: World) -> None:
    await world.chat.rooms.settle(HERE, ANA, await world.make())
    await world.say("Hi", ANA)
    with pytest.raises(RefusedError, match="Only who asked"):
        await world.chat.replies.regenerate(HERE, BEN, "m1", world.platform.open)
    with pytest.raises(RefusedError, match="Only who asked"):
        await world.chat.replies.remove(HERE, BEN, "m1")
    await world.chat.replies.regenerate(HERE, MOD, "m1", world.platform.open)
    with pytest.raises(NotFoundError):
        await world.chat.replies.regenerate(HERE, MOD, "m999", world.platform.open)


async def test_two_presses_are_one_other_answer(world: World) -> None:
    await world.chat.rooms.settle(HERE, ANA, await world.make())
    await world.say("Hi")
    world.platform.lets_in.clear()
    presses = [
        asyncio.create_task(world.chat.replies.regenerate(HERE, ANA, "m1", world.platform.open))
        for _ in range(2)
    ]
    await until(lambda: any(press.done() for press in presses))
    with pytest.raises(InvalidInputError, match="still at it"):
        await world.chat.replies.regenerate(HERE, ANA, "m1", world.platform.open)
    world.platform.lets_in.set()
    ends = await asyncio.gather(*presses, return_exceptions=True)
    assert sorted(str(end) for end in ends) == ["I am still at it.", "None"]
    assert await world.storage.usage.used(HERE.gallery, "message") == 2


async def test_who_takes_an_answer_back_gets_no_other_one(world: World) -> None:
    await world.chat.rooms.settle(HERE, ANA, await world.make())
    await world.say("Hi")
    world.platform.lets_in.clear()
    again = asyncio.create_task(world.chat.replies.regenerate(HERE, ANA, "m1", world.platform.open))
    await until(lambda: world.platform.opened == 2)
    await world.chat.replies.remove(HERE, ANA, "m1")
    assert world.chat.in_flight == 0
    await again
    assert await world.storage.usage.used(HERE.gallery, "message") == 1


async def test_an_answer_can_be_taken_back(world: World) -> None:
    await world.chat.rooms.settle(HERE, ANA, await world.make())
    await world.say("My secret is blue.")
    assert await world.chat.replies.remove(HERE, ANA, "m1") == Before(("m1",), ())
    await world.say("What do you know?")
    seen = "\n".join(message.content for message in world.model.asked[-1].messages)
    assert "My secret is blue." not in seen


async def stopped_midway(world: World) -> asyncio.Task[object]:
    """An answer of which some words are shown."""
    await world.chat.rooms.settle(HERE, ANA, await world.make())
    world.model.pause = 0.01
    waves = (f"And then comes wave number {index}." for index in range(20))
    world.answers = " ".join(("One. Two. Three.", *waves))
    task: asyncio.Task[object] = asyncio.create_task(world.say("Count!", id="u1000"))
    await world.platform.posted.wait()
    return task


async def test_an_answer_can_be_stopped_and_what_was_shown_stays(world: World) -> None:
    task = await stopped_midway(world)
    with pytest.raises(RefusedError):
        await world.chat.replies.stop(HERE, BEN, "m1")
    assert await world.chat.replies.stop(HERE, ANA, "m1") == 1
    await task
    assert world.chat.in_flight == 0
    (shown,) = world.platform.said
    _, post = await world.chat.replies.who(HERE, ANA, "m1")
    assert post.turn_id is not None
    turn = await world.storage.conversations.turn(post.turn_id)
    assert turn is not None and turn.text == shown.strip()
    assert await world.chat.replies.stop(HERE, ANA) == 0


async def test_an_answer_that_is_stopped_out_of_reach_has_ended(world: World) -> None:
    task = await stopped_midway(world)
    world.platform.away_for = 10_000
    assert await world.chat.replies.stop(HERE, ANA) == 1
    await task
    assert await world.chat.replies.take_over("discord") == []


async def test_an_answer_whose_platform_is_out_of_reach_comes_whole_at_a_later_look(
    world: World,
) -> None:
    task = await stopped_midway(world)
    world.platform.away_for = 10_000
    world.model.pause = 0.0
    await task
    world.platform.away_for = 0
    [pending] = await world.chat.replies.take_over("discord")
    await world.chat.replies.resume(pending, world.platform.open)
    assert world.platform.said == [world.answers]


async def test_a_question_that_is_deleted_stops_its_answer(world: World) -> None:
    task = await stopped_midway(world)
    assert await world.chat.replies.retract(HERE.channel, "u1000") == 1
    await task
    assert world.model.unfinished <= 1
    assert world.chat.in_flight == 0


async def test_closing_finishes_what_is_nearly_done(world: World) -> None:
    task = await stopped_midway(world)
    world.model.pause = 0.0
    await world.chat.aclose(grace=30)
    await task
    assert world.platform.said[0].endswith("wave number 19.")


async def test_closing_stops_what_takes_too_long(world: World) -> None:
    task = await stopped_midway(world)
    await world.chat.aclose(grace=0.01)
    await task
    assert world.platform.said[0].startswith("One.")
    assert world.chat.in_flight == 0


async def test_an_edited_question_is_answered_anew(world: World) -> None:
    await world.chat.rooms.settle(HERE, ANA, await world.make())
    await world.say("What is wrong?", id="u500")
    world.answers = "That is better."
    await world.chat.replies.edited(world.message("What is right?", id="u500"), world.platform.open)
    assert world.platform.said == ["That is better."]
    await world.say("And now?")
    seen = "\n".join(message.content for message in world.model.asked[-1].messages)
    assert "What is right?" in seen and "What is wrong?" not in seen
    await world.chat.replies.edited(world.message("Too late.", id="u500"), world.platform.open)
    assert world.platform.said == ["That is better.", "That is better."]


async def two_who_listen(world: World) -> None:
    """Ada Lamp and Bo Kettle, who both answer to their names."""
    for name in ("Ada Lamp", "Bo Kettle"):
        await world.chat.rooms.settle(HERE, ANA, await world.make(name=name))


async def test_all_who_have_answered_an_edited_question_answer_anew(world: World) -> None:
    await two_who_listen(world)
    await world.say("Ada, Bo, what is wrong?", id="u500")
    world.answers = "That is better."
    edited = world.message("Ada, Bo, what is right?", id="u500")
    await world.chat.replies.edited(edited, world.platform.open)
    assert world.platform.said == ["That is better."] * 2
    assert await world.storage.usage.used(HERE.gallery, "message") == 4


async def test_who_had_not_begun_to_answer_an_edited_question_answers_the_new_one(
    make_world: MakeWorld,
) -> None:
    world = make_world(settings=ChatSettings(at_once=1))
    await two_who_listen(world)
    world.model.pause = 0.01
    waves = (f"And then comes wave number {index}." for index in range(20))
    world.answers = " ".join(("One. Two. Three.", *waves))
    asking = asyncio.create_task(world.say("Ada, Bo, what is wrong?", id="u500"))
    await world.platform.posted.wait()
    world.model.pause, world.answers = 0.0, "That is better."
    edited = world.message("Ada, Bo, what is right?", id="u500")
    await world.chat.replies.edited(edited, world.platform.open)
    await asking
    assert world.platform.said == ["That is better."] * 2
    assert {one.personality.name for one in world.platform.by.values()} == {"Ada Lamp", "Bo Kettle"}
    for asked in world.model.asked[-2:]:
        assert any("what is right?" in message.content for message in asked.messages)


async def test_an_edit_that_leaves_the_words_changes_nothing(world: World) -> None:
    await world.chat.rooms.settle(HERE, ANA, await world.make())
    await world.say("What  is wrong? ", id="u500")
    world.answers = "Something else."
    same = world.message("What is wrong?", id="u500")
    await world.chat.replies.edited(same, world.platform.open)
    assert world.platform.said == ["Mind the rocks."]
    assert await world.storage.usage.used(HERE.gallery, "message") == 1


async def test_nor_does_it_stop_an_answer_that_is_being_made(world: World) -> None:
    task = await stopped_midway(world)
    await world.chat.replies.edited(world.message("Count!", id="u1000"), world.platform.open)
    assert world.chat.in_flight == 1
    world.model.pause = 0.0
    await task
    assert world.platform.said[0].endswith("wave number 19.")


async def test_an_edit_that_is_told_twice_is_answered_once(world: World) -> None:
    await world.chat.rooms.settle(HERE, ANA, await world.make())
    await world.say("What is wrong?", id="u500")
    edited, known = world.message("What is right?", id="u500"), len(world.model.asked)
    await asyncio.gather(
        *(world.chat.replies.edited(edited, world.platform.open) for _ in range(2))
    )
    assert len(world.model.asked) == known + 1
    assert await world.storage.usage.used(HERE.gallery, "message") == 2


# Limits


async def test_quotas_of_a_day(make_world: MakeWorld) -> None:
    world = make_world(settings=ChatSettings(messages_each=2, messages=3))
    await world.chat.rooms.settle(HERE, ANA, await world.make())
    await world.say("one")
    await world.say("two")
    with pytest.raises(QuotaError, match="your 2 messages of today"):
        await world.say("three")
    await world.say("four")  # told once is enough
    await world.say("one", BEN)
    with pytest.raises(QuotaError, match="This community has had its 3 messages"):
        await world.say("two", BEN)
    assert len(world.platform.said) == 3


async def test_a_community_can_only_lower_them(make_world: MakeWorld) -> None:
    world = make_world(settings=ChatSettings(messages_each=2))
    persona = await world.make()
    await world.chat.rooms.settle(HERE, ANA, persona)
    await world.chat.rooms.set_rules(HERE, MOD, messages_each=50)
    for text in "ab":
        await world.say(text)
    with pytest.raises(QuotaError):
        await world.say("c")


async def test_a_flood_is_told_once_and_leaves_nothing_behind(make_world: MakeWorld) -> None:
    world = make_world(settings=ChatSettings(at_once=1, waiting_each=2))
    await world.chat.rooms.settle(HERE, ANA, await world.make())
    world.platform.lets_in.clear()
    flood = [asyncio.create_task(world.say(f"flood {n}")) for n in range(100)]
    waiting = set(flood)
    while len(waiting) > 3:
        _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    world.platform.lets_in.set()
    results = await asyncio.gather(*flood, return_exceptions=True)
    assert len([result for result in results if isinstance(result, BusyError)]) == 1
    assert world.platform.said == ["Mind the rocks."] * 3
    assert world.chat.in_flight == 0


async def test_a_flood_in_many_channels_leaves_room_for_others(make_world: MakeWorld) -> None:
    world = make_world(settings=ChatSettings(at_once=1, waiting_each=50))
    for place in (HERE, ELSEWHERE):
        await world.chat.rooms.settle(place, ANA, await world.make(place))
    world.platform.lets_in.clear()
    flood = [
        asyncio.create_task(world.say(f"flood {n}", place=replace(THREAD, channel=f"discord:9{n}")))
        for n in range(20)
    ]
    await until(lambda: world.chat.in_flight == 20)
    polite = asyncio.create_task(world.say("Good evening.", BEN, ELSEWHERE))
    await until(lambda: world.chat.in_flight == 21)
    world.platform.lets_in.set()
    await asyncio.gather(*flood, polite)
    places = [one.gallery for one in world.platform.by.values()]
    assert places.index(ELSEWHERE.gallery) <= 2


# Listening


async def test_a_voice_message_is_quoted_and_answered(make_world: MakeWorld) -> None:
    world = make_world(hears=Listening(["Do you like poems?"]))
    await world.chat.rooms.settle(HERE, ANA, await world.make())
    await world.say("", sound=sound())
    assert world.platform.quoted == ["Do you like poems?"]
    assert world.platform.said == ["Mind the rocks."]
    assert "Do you like poems?" in world.model.asked[-1].last


async def test_a_community_can_have_voice_messages_written_down_only(make_world: MakeWorld) -> None:
    world = make_world(hears=Listening(["Do you like poems?"]))
    await world.chat.rooms.settle(HERE, ANA, await world.make())
    await world.chat.rooms.set_rules(HERE, MOD, hearing="transcribe")
    await world.say("", sound=sound())
    assert world.platform.quoted == ["Do you like poems?"]
    assert world.platform.said == []


@pytest.mark.parametrize(
    ("heard", "seconds", "sentence"),
    [
        (NothingHeardError("Nobody speaks in this recording."), 3, "Nobody speaks"),
        ("too long", 300, "I listen for 60 seconds at most"),
    ],
)
async def test_what_cannot_be_heard_is_explained(
    make_world: MakeWorld, heard: str | Exception, seconds: float, sentence: str
) -> None:
    world = make_world(hears=Listening([heard]))
    await world.chat.rooms.settle(HERE, ANA, await world.make())
    with pytest.raises(InvalidInputError, match=sentence):
        await world.say("", sound=sound(seconds=seconds))
    assert await world.storage.usage.used(HERE.gallery, "message") == 0


async def test_where_nobody_can_listen_people_are_asked_to_write(world: World) -> None:
    await world.chat.rooms.settle(HERE, ANA, await world.make())
    with pytest.raises(UnavailableError, match="Please write"):
        await world.say("", sound=sound())
    await world.chat.rooms.set_rules(HERE, MOD, hearing="off")
    with pytest.raises(RefusedError, match="Please write"):
        await world.say("", sound=sound())


# Two personas


async def test_two_personas_talk_and_stop_in_time(world: World) -> None:
    ada, bo = await world.make(name="Ada Lamp"), await world.make(name="Bo Kettle")
    await world.chat.replies.converse(
        HERE, ANA, (ada, bo), "Is tea better than light?", "u1", world.platform.open, turns=3
    )
    names = [one.personality.name for one in world.platform.by.values()]
    assert names == ["Ada Lamp", "Bo Kettle", "Ada Lamp"]
    assert "Is tea better than light?" in world.model.asked[-2].last
    await world.chat.replies.converse(
        HERE, ANA, (ada, bo), "More!", "u2", world.platform.open, turns=10_000
    )
    assert len(world.platform.said) == 3 + 12
    with pytest.raises(InvalidInputError):
        await world.chat.replies.converse(HERE, ANA, (ada, ada), "x", "u3", Platform().open)
