"""Every command and every button, in private and in groups."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from telegram import InlineQuery, User

from bot.chat.base import Person
from bot.chat.gallery import Page
from bot.telegram import inline
from bot.telegram.menu import listed
from bot.telegram.request import NotArrivedError
from bot.telegram.spots import Spot, place_of
from bot.telegram.visit import Visit
from personas.errors import UnavailableError
from tests.bot.telegram.house import ADA, BOB, EVE, House
from tests.fakes.telegram_rooms import LostError, RefusedError, Room, buttons_of


def labels(message: dict[str, Any]) -> list[str]:
    return [button["text"] for button in buttons_of(message.get("reply_markup", {}))]


async def personas(house: House, room: Room) -> list[str]:
    listed = await house.storage.personas.list(f"telegram:{room.id}")
    return [one.personality.name for one in listed]


# -- start, help, the list of commands


async def test_start_greets_with_an_example_that_works(house: House) -> None:
    house.telegram.say(house.ada, "/start")
    hello = await house.said(house.ada, "Hello!")
    assert any("Add me to a group" in label for label in labels(hello))
    house.telegram.press_named(house.ada, hello, "lighthouse")
    await house.card(house.ada)
    house.telegram.say(house.ada, "/start")
    await house.telegram.until(lambda: sum("Hello!" in text for text in house.ada.texts) == 2)
    again = await house.said(house.ada, "Hello!")
    house.telegram.press_named(house.ada, again, "Talk to Barnaby Beam")
    await house.said(house.ada, "Barnaby Beam\nMind the steps")


async def test_a_link_takes_somebody_along_from_a_group(house: House) -> None:
    group = house.group()
    await house.create(group, by=ADA)
    card = await house.card(group)
    (link,) = [b["url"] for b in buttons_of(card["reply_markup"]) if "url" in b]
    assert link.startswith("https://t.me/anything_bot?start=")
    word = link.rpartition("=")[2]
    house.telegram.say(house.ada, f"/start {word}")
    await house.said(house.ada, "Barnaby Beam\nMind the steps")
    assert await personas(house, house.ada) == ["Barnaby Beam"]
    stranger = house.telegram.private(77)
    house.telegram.say(stranger, f"/start {word}")
    await house.said(stranger, "not in")
    house.telegram.say(stranger, "/start nonsense")
    await house.said(stranger, "leads to nobody")


async def test_a_rank_counts_only_in_the_group_where_the_persona_lives(house: House) -> None:
    group, own = house.group(), house.telegram.group(-2002, admins=(ADA,))
    await house.create(group, by=EVE)
    admin = Person(str(EVE), "Eve", is_moderator=True)
    await house.chat.rooms.set_rules(place_of(Spot(group.id)), admin, export="moderators")
    card = await house.card(group)
    (link,) = [b["url"] for b in buttons_of(card["reply_markup"]) if "url" in b]
    word = link.rpartition("=")[2]
    house.telegram.say(own, f"/start {word}", by=ADA)
    await house.said(own, "Only moderators can export")
    eve = house.telegram.private(EVE)
    house.telegram.say(eve, f"/start {word}")
    await house.said(eve, "Barnaby Beam\nMind the steps")
    assert (await personas(house, own), await personas(house, eve)) == ([], ["Barnaby Beam"])


async def test_help_says_what_there_is(house: House) -> None:
    house.telegram.say(house.ada, "/help")
    shown = await house.said(house.ada, "/create")
    assert all(f"/{name} " in shown["text"] for name in listed())
    group = house.group()
    house.telegram.say(group, "/help@anything_bot", by=ADA)
    shown = await house.said(group, "/create")
    assert "/settings" not in shown["text"]


async def test_the_list_of_commands_is_set_for_each_place_and_language(house: House) -> None:
    house.telegram.say(house.ada, "/help")
    await house.said(house.ada, "/create")
    lists = house.telegram.commands
    assert len(lists) == 3 * 7
    names = {key: [c["command"] for c in commands] for key, commands in lists.items()}
    assert "settings" not in names["all_group_chats:"]
    assert "settings" in names["all_chat_administrators:de"]
    assert lists["all_private_chats:de"] != lists["all_private_chats:"]


async def test_commands_for_other_bots_are_not_ours(house: House) -> None:
    group = house.group()
    house.telegram.say(group, "/help@other_bot", by=ADA)
    house.telegram.say(group, "/dance", by=ADA)
    house.telegram.say(group, "/dance@anything_bot", by=ADA)
    await house.said(group, "no /dance")
    assert len(group.from_bot) == 1


# -- create


async def test_create_is_one_message_that_becomes_the_card(house: House) -> None:
    await house.create(house.ada)
    (card,) = house.ada.from_bot
    assert card["caption"].startswith("Barnaby Beam\nGrumbles in perfect rhyme\n\nMind the steps")
    shown = [c.text for c in house.telegram.calls if c.chat == ADA and c.text]
    assert shown[0] == "Thinking up who it is …"
    assert any("Drawing the portrait" in text for text in shown)


async def test_a_photo_can_be_the_face(house: House) -> None:
    import io

    from PIL import Image

    picture = io.BytesIO()
    Image.new("RGB", (80, 60), "teal").save(picture, "JPEG")
    small, large = house.telegram.upload(b"small"), house.telegram.upload(picture.getvalue())
    sizes = [{**small, "width": 8, "height": 6}, {**large, "width": 80, "height": 60}]
    entity = {"type": "bot_command", "offset": 0, "length": 7}
    house.telegram.say(
        house.ada, caption="/create my neighbour", caption_entities=[entity], photo=sizes
    )
    await house.card(house.ada, "")
    (seen,) = house.portraits.photos
    assert seen is not None
    assert seen.shape == (60, 80, 3)


async def test_create_without_words_says_how(house: House) -> None:
    house.telegram.say(house.ada, "/create")
    await house.said(house.ada, "/create a grumpy old lighthouse")


async def test_what_fails_is_said_in_the_same_message(house: House) -> None:
    house.portraits.failures = [UnavailableError("The brushes are dry.")] * 9
    house.telegram.say(house.ada, "/create a lighthouse")
    await house.said(house.ada, "The brushes are dry.")
    assert len(house.ada.from_bot) == 1


@pytest.mark.parametrize(
    "failure",
    [LostError(), NotArrivedError("ConnectError")],
    ids=["answer lost", "not arrived"],
)
async def test_a_progress_bar_that_cannot_be_shown_is_not_missed(
    house: House, failure: Exception
) -> None:
    spot = Spot(house.ada.id, private=True)
    visit = Visit(house.adapter._desk, spot, place_of(spot), Person(str(ADA)))
    message = await visit.say("Thinking up who it is …")
    assert message is not None
    await house.clock.sleep(1.5)
    house.telegram.failures["editMessageText"].append(failure)
    await visit.change(message, "▰▰▱", fleeting=True)
    assert not house.telegram.failures["editMessageText"]
    await visit.change(message, "Here they are.")
    assert house.ada.texts == ["Here they are."]


async def test_who_may_not_create_gets_no_message_to_take_back(house: House) -> None:
    group = house.group()
    house.telegram.say(group, "/settings", by=EVE)
    rules = await house.said(group, "The rules")
    house.telegram.press_named(group, rules, "Create personas", by=EVE)
    await house.telegram.until(lambda: "Create personas: admins" in labels(group.last()))
    house.telegram.say(group, "/create a lighthouse", by=ADA)
    await house.said(group, "Only moderators")
    assert await personas(house, group) == []
    await house.create(group, by=EVE)


# -- gallery, talk, stop


async def test_a_gallery_is_leafed_through_with_its_pictures(house: House) -> None:
    house.telegram.say(house.ada, "/gallery")
    await house.said(house.ada, "Nobody lives here yet")
    barnaby = await house.create(house.ada)
    for number in range(7):
        who = barnaby.personality.model_copy(update={"name": f"Bob {number}"})
        made = barnaby.created_at + timedelta(seconds=number + 1)
        portrait = barnaby.portrait
        if number == 6:
            portrait = portrait.model_copy(update={"image": await house.another_picture()})
        changes = {"id": f"{number:032x}", "slug": f"bob-{number}", "created_at": made}
        await house.storage.personas.add(
            barnaby.model_copy(update={**changes, "personality": who, "portrait": portrait})
        )
    house.telegram.say(house.ada, "/gallery")
    page = await house.said(house.ada, "Personas (8)")
    assert page["photo"]
    assert "Bob 6" in page["caption"]
    house.telegram.press_named(house.ada, page, "▶")
    await house.said(house.ada, "Barnaby Beam")
    await house.telegram.until(lambda: "2 / 2" in labels(house.ada.last("photo")))
    house.telegram.press_named(house.ada, page, "▶")
    await house.said(house.ada, "▸ Bob 6")
    first = house.ada.last("photo")["photo"][0]["file_id"]
    house.telegram.press_named(house.ada, page, "Bob 4")
    await house.said(house.ada, "▸ Bob 4")
    assert house.ada.last("photo")["photo"][0]["file_id"] != first
    house.telegram.press_named(house.ada, page, "▶")
    await house.said(house.ada, "▸ Bob 0")
    house.telegram.press_named(house.ada, page, "Barnaby Beam")
    await house.said(house.ada, "▸ Barnaby Beam")
    house.telegram.press_named(house.ada, page, "Talk to Barnaby Beam")
    await house.said(house.ada, "Barnaby Beam\nMind the steps")
    house.telegram.press_named(house.ada, page, "Card")
    await house.card(house.ada)
    house.telegram.say(house.ada, "/gallery nobody like that")
    await house.said(house.ada, "Nobody here is like")


async def test_a_portrait_is_uploaded_once(house: House) -> None:
    await house.create(house.ada)
    for _ in range(2):
        house.telegram.say(house.ada, "/show")
    await house.telegram.until(lambda: len(house.telegram.named("sendPhoto")) == 2)
    assert not any(call.files for call in house.telegram.named("sendPhoto"))


async def test_a_chat_sees_only_its_own_personas(house: House) -> None:
    await house.create(house.ada)
    house.telegram.say(house.group(), "/gallery", by=ADA)
    await house.said(house.group(), "Nobody lives here yet")


async def test_talk_changes_whom_a_private_chat_is_with(house: House) -> None:
    await house.create(house.ada)
    await house.create(house.ada, "a shy lighthouse")
    house.telegram.say(house.ada, "/talk barnaby")
    await house.said(house.ada, "Barnaby Beam\nMind the steps")
    house.telegram.say(house.ada, "Who are you?")
    await house.has(house.ada, "video_note")
    asked = house.model.asked[-1].messages[0].content
    assert "Barnaby" in asked
    house.telegram.say(house.ada, "/talk")
    await house.said(house.ada, "Personas (2)")
    house.telegram.say(house.ada, "/talk somebody else")
    await house.quiet()


async def test_stop_ends_an_answer_and_then_the_talk(house: House) -> None:
    await house.create(house.ada)
    house.model.pause = 0.05
    house.telegram.say(house.ada, "Tell me a long story")
    await house.telegram.until(lambda: house.telegram.named("sendMessageDraft"))
    house.telegram.say(house.ada, "/stop")
    await house.said(house.ada, "Stopped.")
    house.telegram.say(house.ada, "/stop")
    await house.said(house.ada, "left")
    house.telegram.say(house.ada, "/stop barnaby")
    await house.said(house.ada, "is not here")
    assert not any("video_note" in message for message in house.ada.from_bot)


async def test_again_gives_another_answer_in_place(house: House) -> None:
    await house.create(house.ada)
    house.telegram.say(house.ada, "Who are you?")
    note = await house.has(house.ada, "video_note")
    await house.quiet()
    house.telegram.reply(house.ada, note, "/again")
    await house.telegram.until(lambda: house.telegram.named("deleteMessage"))
    await house.has(house.ada, "video_note")
    await house.quiet()
    assert sum("video_note" in message for message in house.ada.from_bot) == 1
    house.telegram.say(house.ada, "/again")
    await house.said(house.ada, "Reply to an answer")


# -- mode and settings


@pytest.mark.parametrize(
    ("mode", "kind"), [("note", "video_note"), ("video", "video"), ("voice", "voice")]
)
async def test_a_chat_chooses_how_answers_are(house: House, mode: str, kind: str) -> None:
    await house.create(house.ada)
    house.telegram.say(house.ada, "/mode")
    shown = await house.said(house.ada, "How shall answers be")
    wanted = {"note": "Round", "video": "Videos", "voice": "Voice notes"}[mode]
    house.telegram.press_named(house.ada, shown, wanted)
    await house.telegram.until(lambda: "✓ " in " ".join(labels(house.ada.last())))
    house.telegram.say(house.ada, "Who are you?")
    await house.has(house.ada, kind)


async def test_text_only(house: House) -> None:
    await house.create(house.ada)
    house.telegram.say(house.ada, "/mode text")
    await house.said(house.ada, "Text only")
    house.telegram.say(house.ada, "Who are you?")
    await house.said(house.ada, "ships")
    await house.quiet()
    assert not house.speech.spoken
    house.telegram.say(house.ada, "/mode loud")
    await house.said(house.ada, "Choose note, video, voice or text")


async def test_settings_are_for_admins_and_every_rule_can_be_changed(house: House) -> None:
    group = house.group()
    house.telegram.say(group, "/settings", by=ADA)
    await house.said(group, "Only moderators")
    house.telegram.say(group, "/settings", by=EVE)
    rules = await house.said(group, "The rules of this group")
    assert "Today: 0 answers, 0 new personas." in rules["text"]
    for label in labels(rules):
        name = label.partition(":")[0]
        house.telegram.press_named(group, rules, name, by=EVE)
        await house.telegram.until(lambda label=label: label not in labels(group.last()))
    before = labels(group.last())
    house.telegram.press_named(group, rules, "Create", by=ADA)
    refused = await house.telegram.until(
        lambda: [c for c in house.telegram.named("answerCallbackQuery") if c.text]
    )
    assert "Only moderators" in refused[-1].text
    assert labels(group.last()) == before


async def test_an_admin_who_hides_is_an_admin(house: House) -> None:
    group = house.group()
    house.telegram.say(group, "/settings", by=1087968824, sender_chat=group.chat)
    await house.said(group, "The rules of this group")


# -- changing


async def test_a_voice_is_chosen_and_heard(house: House) -> None:
    await house.create(house.ada)
    house.telegram.say(house.ada, "/voice")
    shown = await house.said(house.ada, "speaks with the voice")
    first = labels(shown)
    if "More voices" in first:
        house.telegram.press_named(house.ada, shown, "More voices")
        await house.telegram.until(lambda: labels(house.ada.last()) != first)
    wanted = next(label for label in labels(house.ada.last()) if "✓" not in label)
    house.telegram.press_named(house.ada, house.ada.last(), wanted)
    await house.said(house.ada, f"now speaks with the voice “{wanted}”")
    await house.has(house.ada, "video_note")
    house.telegram.say(house.ada, "/voice barnaby = no such voice")
    await house.said(house.ada, "no voice called")


async def test_a_portrait_is_drawn_anew(house: House) -> None:
    before = await house.create(house.ada)
    house.telegram.say(house.ada, "/portrait")
    shown = await house.said(house.ada, "How shall")
    house.telegram.press_named(house.ada, shown, "Surprise me")
    await house.said(house.ada, "anew")
    await house.quiet()
    after = await house.storage.personas.by_id(before.id)
    assert after is not None
    assert after.portrait.image != before.portrait.image
    house.telegram.say(house.ada, "/portrait barnaby = no such look")
    await house.said(house.ada, "no style called")


async def test_rename(house: House) -> None:
    await house.create(house.ada)
    house.telegram.say(house.ada, "/rename Old Salt")
    await house.said(house.ada, "Barnaby Beam is now called Old Salt")
    house.telegram.say(house.ada, "/rename old salt = Captain")
    await house.said(house.ada, "Old Salt is now called Captain")
    house.telegram.say(house.ada, "/rename")
    await house.said(house.ada, "Write the new name")


async def test_show_tells_all(house: House) -> None:
    persona = await house.create(house.ada)
    house.telegram.say(house.ada, "/show barn")
    shown = await house.said(house.ada, "Described as: a grumpy lighthouse")
    assert persona.portrait.credits[0].licence in shown["caption"]


async def test_hear_is_the_greeting_as_a_clip(house: House) -> None:
    await house.create(house.ada)
    house.telegram.press_named(house.ada, await house.card(house.ada), "Hear")
    await house.has(house.ada, "video_note")
    assert "Mind the steps" in house.speech.spoken[-1]


async def test_delete_asks_first(house: House) -> None:
    await house.create(house.ada)
    house.telegram.say(house.ada, "/delete")
    question = await house.said(house.ada, "Delete Barnaby Beam")
    house.telegram.press_named(house.ada, question, "Keep")
    await house.said(house.ada, "Nobody was deleted")
    house.telegram.press_named(house.ada, await house.card(house.ada), "Delete")
    question = await house.said(house.ada, "Delete Barnaby Beam")
    house.telegram.press_named(house.ada, question, "Delete")
    await house.said(house.ada, "Barnaby Beam is gone")
    assert await personas(house, house.ada) == []
    house.telegram.press_named(house.ada, await house.card(house.ada), "Hear")
    refused = await house.telegram.until(
        lambda: [c for c in house.telegram.named("answerCallbackQuery") if c.text]
    )
    assert "does not exist any more" in refused[0].text


async def test_somebody_elses_persona_is_not_theirs_to_delete(house: House) -> None:
    group = house.group()
    await house.create(group, by=ADA)
    card = await house.card(group)
    house.telegram.press_named(group, card, "Delete", by=BOB)
    question = await house.said(group, "Delete Barnaby Beam")
    house.telegram.press_named(group, question, "Delete", by=BOB)
    refused = await house.telegram.until(
        lambda: [c for c in house.telegram.named("answerCallbackQuery") if c.text]
    )
    assert "Only who made" in refused[0].text
    house.telegram.press_named(group, question, "Delete", by=EVE)
    await house.said(group, "is gone")


async def test_forget(house: House) -> None:
    await house.create(house.ada)
    house.telegram.say(house.ada, "Remember the number seven")
    await house.has(house.ada, "video_note")
    await house.quiet()
    house.telegram.say(house.ada, "/forget")
    await house.said(house.ada, "is forgotten")
    house.telegram.say(house.ada, "What did I say?")
    await house.has(house.ada, "video_note", 2)
    said = " ".join(m.content for m in house.model.asked[-1].messages)
    assert "seven" not in said


# -- cards in and out


@pytest.mark.parametrize("form", ["png", "json"])
async def test_a_card_goes_out_and_comes_in_elsewhere(house: House, form: str) -> None:
    await house.create(house.ada)
    house.telegram.say(house.ada, f"/export barnaby {form}")
    sent = await house.has(house.ada, "document")
    (call,) = house.telegram.named("sendDocument")
    assert call.files["document"]
    group = house.group()
    document = {**sent["document"], "file_name": f"barnaby.{form}"}
    entity = {"type": "bot_command", "offset": 0, "length": 7}
    house.telegram.say(
        group, by=ADA, caption="/import", caption_entities=[entity], document=document
    )
    await house.card(group)
    assert await personas(house, group) == ["Barnaby Beam"]
    # The same card again is the same persona; in private it needs no command.
    house.telegram.say(house.ada, document=document)
    await house.telegram.until(lambda: len([m for m in house.ada.from_bot if "photo" in m]) == 2)


async def test_what_is_no_card_is_a_sentence(house: House) -> None:
    document = {**house.telegram.upload(b"{}"), "file_name": "card.json"}
    house.telegram.say(house.ada, document=document)
    await house.telegram.until(lambda: house.ada.from_bot)
    house.telegram.say(house.ada, "/import")
    await house.said(house.ada, "Send a character card")
    large = {**document, "file_size": 30_000_000}
    house.telegram.say(house.ada, document=large)
    await house.said(house.ada, "up to 20 MB")
    house.telegram.say(house.ada, document={**document, "file_name": "tax.pdf"})
    await house.said(house.ada, "cannot see pictures and files")


# -- inline mode, strange input


async def test_inline_mode_posts_ones_own_personas(house: House) -> None:
    def ask(words: str, by: int) -> None:
        query = {"id": "i1", "from": house.telegram.user(by), "query": words, "offset": ""}
        house.telegram.update({"inline_query": query})

    ask("barn", ADA)
    (empty,) = await house.telegram.until(lambda: house.telegram.named("answerInlineQuery"))
    assert json.loads(empty.parameters["results"]) == []
    assert "button" in empty.parameters
    await house.create(house.ada)
    ask("barn", ADA)
    _, full = await house.telegram.until(
        lambda: calls if len(calls := house.telegram.named("answerInlineQuery")) == 2 else None
    )
    (result,) = json.loads(full.parameters["results"])
    assert result["type"] == "photo"
    assert result["caption"].startswith("Barnaby Beam")
    await house.stop()
    await house.start()
    ask("barn", ADA)
    *_, restarted = await house.telegram.until(
        lambda: calls if len(calls := house.telegram.named("answerInlineQuery")) == 3 else None
    )
    (result,) = json.loads(restarted.parameters["results"])
    assert result["type"] == "article"


@pytest.mark.parametrize(
    "data",
    [
        "",
        ":",
        "talk",
        "talk:",
        "talk:%%%",
        "page:-1:",
        "page:9999999:x",
        "rule:__class__",
        "mode:loud",
        "cast:AAAA:x",
        "face:1",
        "nothing:at:all",
        "deleted:" + "A" * 22,
    ],
)
async def test_a_button_that_makes_no_sense_is_answered(house: House, data: str) -> None:
    await house.create(house.ada)
    house.telegram.press(house.ada, await house.card(house.ada), data)
    await house.telegram.until(lambda: not house.telegram.unanswered)
    assert await personas(house, house.ada) == ["Barnaby Beam"]


async def test_a_button_under_a_message_that_is_too_old(house: House) -> None:
    await house.create(house.ada)
    card = await house.card(house.ada)
    old = {"chat": house.ada.chat, "message_id": card["message_id"], "date": 0}
    for button in buttons_of(card["reply_markup"]):
        house.telegram.press(house.ada, old, button["callback_data"])
    await house.telegram.until(lambda: not house.telegram.unanswered)
    await house.quiet()


async def test_a_button_that_is_answered_too_late_does_its_work_quietly(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    await house.create(house.ada)
    card = await house.card(house.ada)
    for data in (buttons_of(card["reply_markup"])[0]["callback_data"], ""):
        query = house.telegram.press(house.ada, card, data)
        house.telegram.unanswered.discard(query)  # Telegram has forgotten it
    await house.said(house.ada, "Barnaby Beam\nMind the steps")
    await house.said(house.ada, "This persona does not exist any more.")
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_a_button_does_not_wait_for_what_takes_long(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.telegram.router._PATIENCE", 0.01)
    await house.create(house.ada)
    card = await house.card(house.ada)
    house.telegram.failures["sendMessage"].append(RefusedError(429, "Too Many", retry_after=20))
    house.telegram.press_named(house.ada, card, "Talk to")
    await house.telegram.until(lambda: not house.telegram.unanswered)
    assert not any("text" in message for message in house.ada.from_bot)
    await house.said(house.ada, "Barnaby Beam\nMind the steps")


async def test_what_goes_wrong_after_that_is_a_message(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = house.group()
    house.telegram.say(group, "/settings", by=EVE)
    rules = await house.said(group, "The rules of this group")
    monkeypatch.setattr("bot.telegram.router._PATIENCE", 0.0)
    house.telegram.press_named(group, rules, "Create", by=ADA)
    await house.said(group, "Only moderators")


async def test_an_inline_query_that_cannot_be_answered_is_let_be(
    house: House, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> Page:
        raise ValueError("no page at all")

    too_old = RefusedError(400, "Bad Request: query is too old and response timeout expired")
    desk = house.adapter._desk
    query = InlineQuery("i1", User(ADA, "Ada", is_bot=False), "barn", "")
    query.set_bot(desk.bot)
    house.telegram.failures["answerInlineQuery"].append(too_old)
    await inline.answer(desk, query)
    assert not caplog.records
    monkeypatch.setattr(house.chat.gallery, "page", broken)
    await inline.answer(desk, query)
    assert [record.levelname for record in caplog.records] == ["ERROR"]


async def test_buttons_work_after_a_restart(house: House) -> None:
    await house.create(house.ada)
    card = await house.card(house.ada)
    await house.stop()
    await house.start()
    house.telegram.press_named(house.ada, card, "Talk to")
    await house.said(house.ada, "Barnaby Beam\nMind the steps")


async def test_names_with_markup_and_mentions_are_shown_as_they_are(house: House) -> None:
    await house.create(house.ada)
    house.telegram.say(house.ada, "/rename <b>Bob</b> @everyone *x*")
    await house.said(house.ada, "is now called")
    house.telegram.say(house.ada, "/show")
    await house.telegram.until(lambda: len([m for m in house.ada.from_bot if "photo" in m]) == 2)
    assert not any("parse_mode" in call.parameters for call in house.telegram.calls)
