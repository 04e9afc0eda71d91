"""Talking with personas on Discord: who hears, who answers, and how it looks."""

from __future__ import annotations

from typing import Any

import discord
import pytest
from simcord.backend.serializers import message_payload

from engine.hearing.base import Transcript
from engine.observing import current
from personas.errors import UnavailableError
from tests.bot.discord.conftest import MakeWorld, World
from tests.bot.discord.test_cards import told
from tests.fakes.discord_seen import buttons, words


class Listener:
    """Understands the same in every recording."""

    name = "listener"
    online = False

    def transcribe(self, data: bytes, *_: Any, **__: Any) -> Transcript:
        assert data.startswith(b"OggS")
        return Transcript("Where is the harbour?", "en", (), 1.0)


async def settle(world: World, name: str = "Barnaby Beam", channel: Any = None) -> None:
    """Somebody is made and lives in a channel."""
    channel = channel or world.general
    card = await world.create(channel=channel, name=name)
    await world.ana.click(card, label="Talk here")


def last(world: World, channel: Any = None) -> discord.Message:
    return world.said(channel)[-1]


async def test_it_answers_in_its_own_name_and_face(world: World) -> None:
    await settle(world)
    await world.ben.send(world.general, "Good evening!")
    answer = last(world)
    assert answer.content == "Mind the rocks."
    assert answer.author.name == "Barnaby Beam ✦"
    stored = world.env.backend.messages[world.general.id][answer.id]
    [emoji] = world.env.backend.application_emojis
    assert stored.author_avatar is not None and f"/emojis/{emoji}." in stored.author_avatar
    assert buttons(answer) == ["Regenerate", "Delete"]


async def test_it_sees_who_is_talking(world: World) -> None:
    await settle(world)
    world.answers = lambda question: "Heard."
    await world.ana.send(world.general, "I live in the tower.")
    await world.ben.send(world.general, f"I am {world.ana.mention}'s friend {world.mention}")
    asked = " ".join(message.content for message in world.model.asked[-1].messages)
    assert "ana: I live" in asked and "ben: I am @ana's friend" in asked
    assert "<@" not in asked


async def test_the_text_grows_and_can_be_stopped_on_the_way(world: World) -> None:
    await settle(world)
    world.answers, world.model.pause = "Once upon a time there was a light.", 100.0
    before = len(world.said())
    await world.ben.send(world.general, "A story, please.")
    await world.until(lambda: len(world.said()) > before, 100)
    begun = last(world)
    assert buttons(begun) == ["Stop"]
    assert "moderator" in told(await world.ana.click(begun, label="Stop"))
    await world.ben.click(begun, label="Stop")
    stopped = last(world)
    assert "Once upon a time there was a light.".startswith(stopped.content)
    await world.env.advance_time(10_000)
    assert last(world).content == stopped.content


async def test_long_answers_are_cut_without_breaking_code(world: World) -> None:
    await settle(world)
    lines = "\n".join(f"line_{number} = {number} * {number}" for number in range(200))
    world.model.piece = 500
    world.answers = f"Look at this code of mine.\n```python\n{lines}\n```\nThat is all of it."
    await world.ben.send(world.general, "Show me!")
    answers = world.said()[1:]
    assert len(answers) > 1
    for one in answers:
        assert len(one.content) <= 2_000 and one.content.count("```") % 2 == 0
    assert [bool(buttons(one)) for one in answers] == [False] * (len(answers) - 1) + [True]


async def test_names_and_words_call_somebody(world: World) -> None:
    await settle(world, "Barnaby Beam")
    card = await world.create(name="Mira Moth")
    await world.ben.slash(
        world.general, "talk", persona=(await world.persona()).id, triggers="lamp, dust"
    )
    assert card
    world.answers = lambda question: "Yes?"
    for text, who in (
        ("Where is the dust?", "Mira Moth ✦"),
        ("Barnaby, are you there?", "Barnaby Beam ✦"),
        ("And you, Mira?", "Mira Moth ✦"),
    ):
        await world.ben.send(world.general, text)
        assert last(world).author.name == who


async def test_a_reply_is_for_who_is_replied_to(world: World) -> None:
    await settle(world, "Barnaby Beam")
    await world.ben.send(world.general, "Hello?")
    barnabys = last(world)
    await settle(world, "Mira Moth")
    await world.ben.send(world.general, "Hm, Mira?")
    await world.ben.send(world.general, "As I said.", reply_to=barnabys)
    assert last(world).author.name == "Barnaby Beam ✦"


async def test_a_mention_calls_from_anywhere(world: World) -> None:
    await world.create()
    other = world.home.create_text_channel("other")
    await world.ben.send(other, f"{world.mention} hello!")
    assert last(world, other).content == "Mind the rocks."
    await world.ben.send(other, "Nobody is called now.")
    assert len(world.said(other)) == 1


async def test_a_mention_where_nobody_is(world: World) -> None:
    await world.ben.send(world.general, f"{world.mention} hello!")
    [_, notice] = world.general.history()
    assert "/create" in notice.content
    await world.env.advance_time(30)
    assert len(world.general.history()) == 1


async def test_talk_off(world: World) -> None:
    await settle(world)
    offered = await world.ben.autocomplete(world.general, "talk", "persona", "")
    assert offered[0]["value"] == "off"
    assert offered[1]["name"].startswith("off: Barnaby Beam")
    await world.ben.slash(world.general, "talk", persona="off")
    count = len(world.said())
    await world.ben.send(world.general, "Still there?")
    assert len(world.said()) == count


async def test_talk_off_in_a_thread_makes_the_thread_quiet(world: World) -> None:
    await settle(world)
    world.env.backend.create_thread(world.general.id, "quiet", world.ben.id)
    [thread] = world.general.threads
    offered = await world.ben.autocomplete(thread, "talk", "persona", "")
    assert offered[0]["value"] == "off"
    gone = await world.ben.slash(thread, "talk", persona="off")
    assert "quiet here now" in gone.response.content
    await world.ben.send(thread, "Between ourselves ...")
    assert not world.said(thread)
    await world.ben.slash(thread, "talk", persona="barnaby")
    gone = await world.ben.slash(thread, "talk", persona="off")
    assert "Those of the channel answer here again" in gone.response.content


async def test_one_of_two_leaves(world: World) -> None:
    await settle(world, "Barnaby Beam")
    leaving = await world.persona()
    await settle(world, "Mira Moth")
    await world.ben.slash(world.general, "talk", persona=f"off:{leaving.id}")
    await world.ben.send(world.general, "Who is left?")
    assert last(world).author.name == "Mira Moth ✦"


async def test_threads_and_forum_posts(world: World) -> None:
    await settle(world)
    start = await world.ben.send(world.general, "Let us go somewhere quiet.")
    backend = world.env.backend
    backend.create_thread(world.general.id, "quiet", world.ben.id, message_id=start.id)
    [thread] = world.general.threads
    await world.ben.send(thread, "Here?")
    assert last(world, thread).content == "Mind the rocks."
    forum = world.home.create_forum_channel("forum")
    backend.create_thread(forum.id, "A post", world.ben.id)
    [post] = forum.threads
    card = await world.persona()
    await world.ben.slash(post, "talk", persona=card.id)
    await world.ben.send(post, "And here?")
    assert last(world, post).content == "Mind the rocks."
    assert len(backend.webhooks) == 2


async def test_without_webhooks_the_bot_lends_its_voice(world: World) -> None:
    world.home.create_role("x")
    for role in world.env.backend.guilds[world.home.id].roles.values():
        role.permissions &= ~discord.Permissions(manage_webhooks=True, administrator=True).value
    world.env.backend.announce_channel_update(world.general.id)
    for role in world.bot.get_guild(world.home.id).roles:  # type: ignore[union-attr]
        role._permissions &= ~discord.Permissions(manage_webhooks=True, administrator=True).value
    await settle(world)
    await world.ben.send(world.general, "Who speaks?")
    answer = world.general.last_message
    assert answer is not None and answer.webhook_id is None
    head, _, rest = answer.content.partition("\n")
    assert head.endswith("**Barnaby Beam** ✦") and head.startswith("<:ca_")
    assert rest == ">>> Mind the rocks."
    assert buttons(answer) == ["Regenerate", "Delete"]


async def test_in_private_it_just_talks(world: World) -> None:
    ana = world.ana.user
    await ana.slash("create", description="a diary")
    await ana.send_dm("Dear diary ...")
    answer = ana.dm_channel.last_message
    assert answer is not None and answer.content.endswith("Mind the rocks.")


async def test_bots_and_webhooks_never_set_it_off(world: World) -> None:
    await settle(world)
    hook = world.home.create_webhook(world.general, "News")
    await hook.send("Barnaby, the news!")
    robot = world.home.add_member(world.env.create_user("robot", bot=True))
    await robot.send(world.general, f"Barnaby! {world.mention}")
    assert len([one for one in world.said() if one.author.name.endswith("✦")]) == 1


async def test_two_personas_talk_for_so_many_turns(world: World) -> None:
    await world.create(name="Barnaby Beam")
    await world.create(name="Mira Moth")
    await world.ben.slash(
        world.general,
        "duet",
        first="Barnaby Beam",
        second="Mira Moth",
        topic="light @everyone",
        turns=4,
    )
    spoken = [one.author.name for one in world.said()]
    assert spoken == ["Barnaby Beam ✦", "Mira Moth ✦"] * 2


async def test_regenerate_takes_the_place_and_the_memory(world: World) -> None:
    await settle(world)
    world.answers = "The first."
    await world.ben.send(world.general, "Say something.")
    world.answers = "The second."
    refused = await world.ana.click(last(world), label="Regenerate")
    assert "Only who asked" in told(refused)
    before = len(world.said())
    await world.ben.click(last(world), label="Regenerate")
    assert last(world).content == "The second." and len(world.said()) == before
    world.answers = "Yes."
    await world.ben.send(world.general, "Really?")
    asked = [message.content for message in world.model.asked[-1].messages]
    assert any("The second." in one for one in asked)
    assert not any("The first." in one for one in asked)


async def test_delete_takes_it_out_of_the_memory(world: World) -> None:
    await settle(world)
    world.answers = "A secret word: mackerel."
    await world.ben.send(world.general, "Tell me a secret.")
    before = len(world.said())
    await world.mo.click(last(world), label="Delete")
    assert len(world.said()) == before - 1
    await world.ben.send(world.general, "What did you say?")
    assert not any("mackerel" in one.content for one in world.model.asked[-1].messages)


async def test_what_a_moderator_deletes_with_discords_own_menu_is_forgotten(world: World) -> None:
    await settle(world)
    world.answers = "A secret word: mackerel."
    await world.ben.send(world.general, "Tell me a secret.")
    world.env.backend.delete_message(world.general.id, last(world).id)
    await world.env.settle()
    await world.ben.send(world.general, "What did you say?")
    assert not any("mackerel" in one.content for one in world.model.asked[-1].messages)


async def test_an_answer_that_got_shorter_is_remembered(world: World) -> None:
    await settle(world)
    world.model.piece = 500
    world.answers = "A long answer. " * 200
    await world.ben.send(world.general, "Talk!")
    world.answers = "A mackerel."
    await world.ben.click(last(world), label="Regenerate")
    assert last(world).content == "A mackerel."
    await world.ben.send(world.general, "What did you say?")
    assert any("mackerel" in one.content for one in world.model.asked[-1].messages)


async def test_a_reply_to_a_greeting_or_a_card_is_for_its_persona(world: World) -> None:
    card = await world.create(name="Mira Moth")
    await settle(world, "Barnaby Beam")
    greeting = last(world)
    await world.ben.send(world.general, "Hello you!", reply_to=card)
    assert last(world).author.name == "Mira Moth ✦"
    await world.ben.send(world.general, "And you!", reply_to=greeting)
    assert last(world).author.name == "Barnaby Beam ✦"


async def test_buttons_of_answers_after_a_restart(world: World) -> None:
    await settle(world)
    await world.ben.send(world.general, "Hello?")
    await world.env.restart_bot(world.new_bot())
    world.answers = "Again."
    await world.ben.click(last(world), label="Regenerate")
    assert last(world).content == "Again."
    assert len(world.env.backend.webhooks) == 1


@pytest.mark.parametrize("mode", ["voice", "clip"])
async def test_modes_of_a_channel(make_world: MakeWorld, mode: str) -> None:
    world = await make_world(mode="text")
    await settle(world)
    await world.ben.slash(world.general, "mode", mode=mode)
    await world.ben.send(world.general, "Hello?")
    answer = last(world)
    if mode == "clip":
        assert [file.filename for file in answer.attachments] == ["barnaby-beam.mp4"]
        assert buttons(answer) == ["Regenerate", "Delete"]
    else:
        spoken = world.general.last_message
        assert spoken is not None and spoken.flags.voice
        assert spoken.reference is not None and spoken.reference.message_id == answer.id


async def test_a_clip_that_fails_leaves_text_and_sound(make_world: MakeWorld) -> None:
    world = await make_world(mode="clip")
    await settle(world)
    world.head.failures += [UnavailableError("No film left.")] * 9
    await world.ben.send(world.general, "Hello?")
    assert last(world).content == "Mind the rocks."
    spoken = world.general.last_message
    assert spoken is not None and spoken.flags.voice


async def test_regenerate_leaves_no_old_clip(make_world: MakeWorld) -> None:
    world = await make_world(mode="clip")
    await settle(world)
    await world.ben.send(world.general, "Hello?")
    await world.ben.slash(world.general, "mode", mode="text")
    world.answers = "Other words."
    await world.ben.click(last(world), label="Regenerate")
    assert last(world).content == "Other words." and not last(world).attachments


async def test_a_voice_message_is_understood_and_answered(make_world: MakeWorld) -> None:
    world = await make_world(hears=Listener())
    await settle(world)
    await world.ben.send(world.general, attachments=[("voice-message.ogg", b"OggS ...")])
    heard = next(one for one in world.general.history() if one.content.startswith("🎙️"))
    assert heard.content == "🎙️\n>>> Where is the harbour?"
    assert "Where is the harbour?" in world.model.asked[-1].last
    assert last(world).content == "Mind the rocks."


async def test_ask_reaches_who_lives_elsewhere(world: World) -> None:
    await world.create()
    other = world.home.create_text_channel("other")
    await world.ben.slash(other, "ask", persona="barnaby", message="Is it you, <@1>?")
    asked, answer = other.history()
    assert "ben to Barnaby Beam" in asked.content and "<@1>" not in asked.content
    assert answer.content == "Mind the rocks."


async def test_where_nothing_can_be_written_nobody_is_asked(world: World) -> None:
    await world.create(name="Barnaby Beam")
    await world.create(name="Mira Moth")
    silent = discord.PermissionOverwrite(send_messages=False, manage_webhooks=False)
    muted = world.home.create_text_channel("muted", overwrites={world.home.default_role: silent})
    asked = await world.ben.slash(muted, "ask", persona="barnaby", message="Hello?")
    assert "may not write" in told(asked)
    met = await world.ben.slash(muted, "duet", first="barnaby", second="mira", topic="light")
    assert "may not write" in told(met)
    assert muted.history() == []
    assert await world.storage.usage.used(f"discord:{world.home.id}", "message") == 0


async def test_an_answer_that_cannot_be_shown_is_told_and_not_counted(world: World) -> None:
    await settle(world)
    hooks = "/webhooks/*/simcord_webhook_*"
    world.env.inject_error("POST", hooks, status=403, code=50013, times=None)
    asked = await world.ben.slash(world.general, "ask", persona="barnaby", message="Hello?")
    assert "may not write" in told(asked)
    assert await world.storage.usage.used(f"discord:{world.home.id}", "message") == 0


async def test_forget(world: World) -> None:
    await settle(world)
    await world.ben.send(world.general, "My name is Mackerel.")
    await world.ben.slash(world.general, "forget", persona="barnaby")
    await world.ben.send(world.general, "What is my name?")
    assert not any("Mackerel" in one.content for one in world.model.asked[-1].messages)


async def test_who_is_this(world: World) -> None:
    await settle(world)
    await world.ben.send(world.general, "Hello?")
    shown = told(await world.ana.context_menu(world.general, "Who is this?", last(world)))
    assert "You are Barnaby Beam" in shown and f"Asked by {world.ben.mention}" in shown
    stranger = await world.ben.send(world.general, "x")
    shown = told(await world.ana.context_menu(world.general, "Who is this?", stranger))
    assert "No persona" in shown


async def test_a_message_taken_back_is_not_answered(world: World) -> None:
    await settle(world)
    world.model.pause = 100.0
    before = len(world.said())
    question = await world.ben.send(world.general, "Never mind.")
    await world.ben.delete(question)
    await world.env.advance_time(10_000)
    assert len(world.said()) == before


async def test_nor_is_one_in_a_private_chat(world: World) -> None:
    ana = world.ana.user
    await ana.slash("create", description="a diary")
    world.model.pause = 100.0
    before = len(ana.dm_channel.history())
    question = await ana.send_dm("Never mind.")
    world.env.backend.delete_message(ana.dm_channel.id, question.id)
    await world.env.settle()
    await world.env.advance_time(10_000)
    assert len(ana.dm_channel.history()) == before


async def test_what_is_deleted_in_an_archived_thread_is_forgotten(world: World) -> None:
    await settle(world)
    backend = world.env.backend
    backend.create_thread(world.general.id, "quiet", world.ben.id)
    [thread] = world.general.threads
    world.answers = "A secret word: mackerel."
    await world.ben.send(thread, "Tell me a secret.")
    backend.edit_channel(thread.id, {}, thread_metadata={"archived": True})
    await world.env.settle()
    backend.delete_message(thread.id, last(world, thread).id)
    await world.env.settle()
    backend.edit_channel(thread.id, {}, thread_metadata={"archived": False})
    await world.env.settle()
    await world.ben.send(thread, "What did you say?")
    assert not any("mackerel" in one.content for one in world.model.asked[-1].messages)


async def test_a_preview_that_comes_to_an_edited_message_changes_nothing(world: World) -> None:
    await settle(world)
    question = await world.ben.send(world.general, "Helo")
    await world.ben.edit(question, "Hello")
    count = len(world.model.asked)
    assert world.bot._connection._messages
    world.bot._connection._messages.clear()  # as after many other messages
    backend = world.env.backend
    stored = backend.get_message(world.general.id, question.id)
    backend.emit("MESSAGE_UPDATE", dict(message_payload(backend, stored)))
    await world.env.settle()
    assert len(world.model.asked) == count


async def test_an_edited_message_is_answered_anew(world: World) -> None:
    await settle(world)
    world.answers = "First."
    question = await world.ben.send(world.general, "Helo")
    before = len(world.said())
    world.answers = "Second."
    await world.ben.edit(question, "Hello")
    assert last(world).content == "Second." and len(world.said()) == before


async def test_it_never_pings_nor_leaves_its_message(world: World) -> None:
    await settle(world)
    world.answers = "@everyone <@1> [safe](http://evil.example) <#1> </create:1>"
    await world.ben.send(world.general, "Be evil.")
    assert last(world).content == "＠everyone ‹@1> [safe]（http://evil.example) ‹#1> ‹/create:1>"
    sent = [one.json for one in world.env.http_requests if one.path.startswith("/webhooks/")]
    assert all(one["allowed_mentions"] == {"parse": []} for one in sent if one)


async def test_help(world: World) -> None:
    assert "/create" in told(await world.ben.slash(world.general, "help"))


async def test_persona_names_pass_for_nobody(world: World) -> None:
    for given, shown in (
        ("Discord Clyde", "Discоrd Clуde ✦"),
        ("ben", "ben ✦"),
        ("A" * 36, "A" * 36 + " ✦"),
    ):
        await settle(world, given)
        assert last(world).author.name == shown
    assert words(world.general.history()[0])


async def test_each_request_has_a_name_of_its_own_down_to_the_model(world: World) -> None:
    seen: list[str] = []

    def answer(_: str) -> str:
        request = current()
        assert request is not None and request.community == f"discord:{world.home.id}"
        seen.append(request.id)
        return "Mind the rocks."

    await settle(world)
    world.answers = answer
    said = await world.ben.send(world.general, "Good evening!")
    await world.ben.slash(world.general, "ask", persona="barnaby", message="And you?")
    await world.ben.click(last(world), label="Regenerate")
    channel = f"discord:{world.general.id}"
    assert seen[0] == f"{channel}/{said.id}"
    assert [one.rpartition("/")[0] for one in seen] == [channel] * 3
    assert [one.rpartition("/")[2][0] for one in seen[1:]] == ["i", "i"]  # interactions
    assert len(set(seen)) == 3
