"""What people can ask for with a slash, and what the buttons do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from telegram import Message
from telegram.helpers import create_deep_linked_url

from bot.telegram import carrying, changing, pages, rules, talking
from bot.telegram.cards import details
from bot.telegram.creating import asked_in, seed_of, showing, watch
from bot.telegram.formatting import Rich
from bot.telegram.incoming import fetch
from bot.telegram.keys import key, link, pack, rows, unpack
from bot.telegram.menu import ABOUT, listed
from bot.telegram.visit import Visit
from personas.errors import InvalidInputError, NotFoundError

Answer = Callable[[Visit, str], Awaitable[None]]
_GREETINGS: Final = ("create", "hello")
"""Words in links of our own that lead to nobody in particular."""
EXAMPLE: Final = "a grumpy old lighthouse that loves poetry"


async def start(visit: Visit, words: str) -> None:
    """Greets; or follows a deep link."""
    if words.strip() not in ("", *_GREETINGS):
        await carrying.arrive(visit, words.strip())
        return
    hello = Rich().add("Hello! ", "bold").add(ABOUT)
    hello.add("\n\nDescribe somebody:\n").add(f"/create {EXAMPLE}")
    page = await visit.desk.chat.gallery.page(visit.place, visit.person, size=3)
    here = [
        [key(f"💬 Talk to {one.personality.name}", "talk", pack(one.id))] for one in page.personas
    ]
    adding = create_deep_linked_url(visit.desk.bot.username, "hello", group=True)
    group = [link("➕ Add me to a group", adding)] if visit.place.private else []
    await visit.say(hello, rows([key(f"🗼 {EXAMPLE.capitalize()}", "example")], *here, group))


async def guide(visit: Visit, words: str) -> None:
    """Says how it works."""
    text = Rich().add(ABOUT).add("\n")
    for name, entry in listed().items():
        if entry.scope != "admins" or visit.place.private or visit.person.is_moderator:
            text.add("\n").add(f"/{name}").add(f" – {entry.en}")
    where = (
        "\n\nHere every message is for whom you talk to. Voice messages are understood too."
        if visit.place.private
        else "\n\nIn a group, call somebody by name, reply to them, or mention "
        f"@{visit.desk.bot.username}."
    )
    await visit.say(text.add(where))


async def create(visit: Visit, words: str) -> None:
    """Makes a persona of a description, and of a photo if one came along."""
    description = words.strip()
    photo = _photo_of(visit.message)
    if not description and not photo:
        raise InvalidInputError(f"Describe somebody: /create {EXAMPLE}")
    wanted = description or "whoever is in this picture"
    visit.go_on(_create(visit, wanted, photo, asked_in(visit)))


async def _create(visit: Visit, description: str, photo: str | None, asked: str) -> None:
    picture = await fetch(visit.desk.bot, photo) if photo else None
    making = visit.desk.chat.gallery.create(
        visit.place,
        visit.person,
        description,
        photo=picture,
        seed=seed_of(visit),
        show=showing(settles=True),
        asked=asked,
    )
    await watch(visit, making)


def _photo_of(message: Message | None) -> str | None:
    """The largest size of the photo that came with a command, or that it replies to."""
    for one in (message, message.reply_to_message if message is not None else None):
        if one is not None and one.photo:
            return one.photo[-1].file_id
    return None


async def _gallery(visit: Visit, words: str) -> None:
    await pages.show_gallery(visit, words.strip())


async def _talk(visit: Visit, words: str) -> None:
    if not words.strip() and not (visit.message and visit.message.reply_to_message):
        page = await visit.desk.chat.gallery.page(visit.place, visit.person, size=2)
        if page.total != 1:
            await pages.show_gallery(visit)
            return
    await talking.talk(visit, await talking.target(visit, words))


async def _show(visit: Visit, words: str) -> None:
    persona = await talking.target(visit, words)
    await talking.show(visit, persona, details(persona))


async def _delete(visit: Visit, words: str) -> None:
    await changing.ask_to_delete(visit, await talking.target(visit, words))


async def _import(visit: Visit, words: str) -> None:
    visit.go_on(carrying.bring(visit, carrying.card_of(visit.message)))


async def _forget(visit: Visit, words: str) -> None:
    persona = await talking.target(visit, words) if words.strip() else None
    count = await visit.desk.chat.rooms.forget(visit.place, visit.person, persona)
    if not count:
        one = await talking.target(visit)
        count = await visit.desk.chat.rooms.forget(visit.place, visit.person, one)
    await visit.say("What was said here is forgotten.")


async def _again(visit: Visit, words: str) -> None:
    replied = visit.message.reply_to_message if visit.message is not None else None
    if replied is None:
        raise InvalidInputError("Reply to an answer with /again, and there will be another one.")
    opener = visit.desk.opener(visit.spot, visit.place, visit.person)
    visit.go_on(
        visit.desk.chat.replies.regenerate(
            visit.place, visit.person, str(replied.message_id), opener
        )
    )


async def _settings(visit: Visit, words: str) -> None:
    await rules.show_rules(visit)


COMMANDS: Final[Mapping[str, Answer]] = {
    "start": start,
    "help": guide,
    "create": create,
    "gallery": _gallery,
    "talk": _talk,
    "stop": talking.stop,
    "again": _again,
    "mode": rules.choose_mode,
    "voice": changing.voice,
    "portrait": changing.portrait,
    "rename": changing.rename,
    "show": _show,
    "delete": _delete,
    "export": carrying.export_words,
    "import": _import,
    "forget": _forget,
    "settings": _settings,
}


async def press(visit: Visit, data: str) -> None:
    """Does what a button is for.

    Raises:
        ChatAnythingError: it cannot be done; the sentence is for who touched it.
    """
    verb, _, rest = data.partition(":")
    match verb:
        case "example":
            await _press_example(visit)
        case "page" | "face":
            number, _, query = rest.partition(":")
            index = "0"
            if verb == "face":
                index, _, query = query.partition(":")
            await pages.turn_to(visit, _number(number), query, _number(index))
        case "mode":
            await rules.press_mode(visit, rest)
        case "rule":
            await rules.press_rule(visit, rest)
        case "kept":
            if visit.message is not None:
                await visit.change(visit.message, "Nobody was deleted.")
        case _:
            id, _, more = rest.partition(":")
            await _press_persona(visit, verb, unpack(id), more)


async def _press_persona(visit: Visit, verb: str, persona_id: str, more: str) -> None:
    persona = await visit.desk.chat.gallery.by_id(visit.place, visit.person, persona_id)
    match verb:
        case "talk":
            await talking.talk(visit, persona)
        case "card":
            await talking.show(visit, persona)
        case "hear":
            visit.go_on(talking.hear(visit, persona))
        case "voices":
            await changing.leaf_voices(visit, persona, _number(more))
        case "cast":
            await changing.recast(visit, persona, more)
        case "looks":
            await changing.leaf_looks(visit, persona, _number(more))
        case "draw":
            visit.go_on(changing.redraw(visit, persona, more))
        case "export":
            await carrying.export(visit, persona)
        case "delete":
            await changing.ask_to_delete(visit, persona)
        case "deleted":
            await changing.delete(visit, persona)
        case _:
            raise NotFoundError("This button does nothing any more.")


async def _press_example(visit: Visit) -> None:
    visit.go_on(_create(visit, EXAMPLE, None, asked_in(visit)))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0
