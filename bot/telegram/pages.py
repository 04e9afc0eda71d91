"""The gallery of a chat: one persona at a time with its picture, or a list to leaf through."""

from __future__ import annotations

from typing import Final

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.chat.gallery import Page
from bot.telegram.formatting import Rich, harmless
from bot.telegram.keys import cut, key, pack, rows
from bot.telegram.visit import Visit

SIZE: Final = 6
_QUERY_BYTES: Final = 40


async def show_gallery(visit: Visit, query: str = "") -> None:
    """Shows the first page: the newest persona's picture over the names of all.

    Raises:
        ChatAnythingError: this person may not look, or nothing can be written here.
    """
    page = await visit.desk.chat.gallery.page(
        visit.place, visit.person, query=cut(query, _QUERY_BYTES), size=SIZE
    )
    if not page.personas:
        await visit.say(_nobody(query), example() if not query else None)
        return
    await visit.show(page.personas[0], _list(page), _buttons(page, shown=0))


async def turn_to(visit: Visit, number: int, query: str, shown: int = 0) -> None:
    """Turns the message with the gallery to another page, or shows another face on it.

    Raises:
        ChatAnythingError: this person may not look, or the message is gone.
    """
    page = await visit.desk.chat.gallery.page(
        visit.place, visit.person, query=query, number=number, size=SIZE
    )
    if visit.message is None:
        return
    if not page.personas:
        await visit.change(visit.message, _nobody(query))
        return
    face = page.personas[min(shown, len(page.personas) - 1)]
    picture = await visit.picture(face)
    sent = await visit.turn_into_picture(
        visit.message, picture, _list(page, shown), _buttons(page, shown)
    )
    visit.remember(face, sent)


def example() -> InlineKeyboardMarkup:
    """A button for who has no idea yet."""
    return rows([key("🗼 A grumpy old lighthouse that loves poetry", "example")])


def _nobody(query: str) -> str:
    if query:
        return f"Nobody here is like “{query}”."
    return "Nobody lives here yet. Describe somebody: /create a shy teapot who collects gossip"


def _list(page: Page, shown: int = 0) -> Rich:
    title = "Personas" if not page.query else f"Personas like “{harmless(page.query)}”"
    text = Rich().add(f"{title} ({page.total})", "bold").add("\n")
    for index, persona in enumerate(page.personas):
        who = persona.personality
        text.add("\n▸ " if index == shown else "\n• ").add(harmless(who.name), "bold")
        if about := who.tagline or who.kind:
            text.add(f" – {harmless(about)}")
    return text


def _buttons(page: Page, shown: int) -> InlineKeyboardMarkup:
    here = [
        key(persona.personality.name, "face", str(page.number), str(index), page.query)
        for index, persona in enumerate(page.personas)
    ]
    face = page.personas[min(shown, len(page.personas) - 1)]
    pairs = [here[at : at + 2] for at in range(0, len(here), 2)]
    return rows(
        *pairs,
        [
            key(f"💬 Talk to {face.personality.name}", "talk", pack(face.id)),
            key("👤 Card", "card", pack(face.id)),
        ],
        _leafing(page),
    )


def _leafing(page: Page) -> list[InlineKeyboardButton]:
    if page.pages < 2:
        return []
    before, after = (page.number - 1) % page.pages, (page.number + 1) % page.pages
    return [
        key("◀", "page", str(before), page.query),
        key(f"{page.number + 1} / {page.pages}", "page", str(page.number), page.query),
        key("▶", "page", str(after), page.query),
    ]
