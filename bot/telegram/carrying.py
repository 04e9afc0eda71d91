"""Personas carried in and out as character cards, and along from chat to chat."""

from __future__ import annotations

from typing import Final, Literal

from telegram import Document, Message

from bot.telegram.cards import read_start
from bot.telegram.creating import asked_in, showing, watch
from bot.telegram.incoming import DOWNLOAD_LIMIT, fetch
from bot.telegram.keys import unpack
from bot.telegram.spots import Spot, place_of
from bot.telegram.talking import talk, target
from bot.telegram.visit import Visit
from personas.cards import Form
from personas.errors import InvalidInputError, NotFoundError
from personas.persona import Persona

_ENDINGS: Final = (".png", ".json")


async def export(visit: Visit, persona: Persona, ending: Literal["png", "json"] = "png") -> None:
    """Sends a persona as a character card, as a file: a photo would lose what is in it.

    Raises:
        ChatAnythingError: it is not given away; says why.
    """
    form: Form = "png" if ending == "png" else "v3-json"
    _, data = await visit.desk.chat.gallery.export(visit.place, visit.person, persona, form)
    await visit.send(
        lambda: visit.desk.bot.send_document(
            visit.spot.chat,
            data,
            filename=f"{persona.slug}.{ending}",
            caption=f"{persona.personality.name}, as a character card. /import brings it in.",
            message_thread_id=visit.spot.topic,
            reply_parameters=visit.quoting,
            disable_content_type_detection=True,
        )
    )


async def export_words(visit: Visit, words: str) -> None:
    """`/export`, `/export persona`, `/export persona json`."""
    *name, last = words.split() or [""]
    ending: Literal["png", "json"] = "json" if last.lower() == "json" else "png"
    if last.lower() not in ("json", "png"):
        name.append(last)
    await export(visit, await target(visit, " ".join(name)), ending)


def card_of(message: Message | None) -> Document | None:
    """The file of a message that may be a character card."""
    for one in (message, message.reply_to_message if message is not None else None):
        if one is not None and one.document is not None:
            name = (one.document.file_name or "").lower()
            if name.endswith(_ENDINGS):
                return one.document
    return None


async def bring(visit: Visit, document: Document | None) -> None:
    """Makes a persona of a character card.

    Raises:
        ChatAnythingError: it is no card, or may not be brought; says why.
    """
    if document is None:
        raise InvalidInputError(
            "Send a character card, a .png or .json file, with /import as its caption; or reply "
            "to one with /import. Send it as a file: a photo loses what is in it."
        )
    if (document.file_size or 0) > DOWNLOAD_LIMIT:
        raise InvalidInputError("Telegram hands me files of up to 20 MB.")
    data = await fetch(visit.desk.bot, document.file_id)
    making = visit.desk.chat.gallery.bring(
        visit.place,
        visit.person,
        data,
        show=showing("Reading the card"),
        asked=asked_in(visit),
    )
    await watch(visit, making)


async def arrive(visit: Visit, word: str) -> None:
    """Follows a deep link to a persona: it comes along from the chat where it lives.

    Raises:
        ChatAnythingError: it stays there; says why.
    """
    named = read_start(word)
    if named is None:
        raise NotFoundError("This link leads to nobody.")
    packed, home = named
    source = place_of(Spot(home, private=home > 0))
    if source.gallery == visit.place.gallery:
        persona = await visit.desk.chat.gallery.by_id(visit.place, visit.person, unpack(packed))
    else:
        members, user = visit.desk.members, int(visit.person.id)
        if not await members.belongs(home, user):
            raise NotFoundError("This link leads to a chat that you are not in.")
        persona = await visit.desk.chat.gallery.adopt(
            visit.place,
            visit.person,
            unpack(packed),
            source,
            manages_source=await members.manages(home, user),
        )
    await talk(visit, persona)
