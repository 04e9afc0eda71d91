"""Inline mode: `@bot name` in any chat posts the card of one's own persona."""

from __future__ import annotations

import logging
from typing import Final

from telegram import (
    InlineQuery,
    InlineQueryResult,
    InlineQueryResultArticle,
    InlineQueryResultCachedPhoto,
    InlineQueryResultsButton,
    InputTextMessageContent,
    LinkPreviewOptions,
)
from telegram.error import TelegramError
from telegram.helpers import create_deep_linked_url

from bot.telegram.cards import introduction
from bot.telegram.desk import Desk
from bot.telegram.incoming import person
from bot.telegram.keys import link, rows
from bot.telegram.spots import Spot, place_of
from personas.errors import ChatAnythingError
from personas.persona import Persona

log = logging.getLogger(__name__)

_MOST: Final = 20
_SECONDS: Final = 5


async def answer(desk: Desk, query: InlineQuery) -> None:
    """Offers the personas of somebody's private gallery. Never fails."""
    try:
        await _answer(desk, query)
    except TelegramError as error:
        log.info("An inline query was not answered: %s", error)  # whoever types asks again
    except Exception:
        log.exception("An inline query failed")


async def _answer(desk: Desk, query: InlineQuery) -> None:
    place = place_of(Spot(query.from_user.id, private=True))
    try:
        found = await desk.chat.gallery.page(
            place, person(query.from_user), query=query.query, size=_MOST
        )
        personas = found.personas
    except ChatAnythingError:
        personas = ()
    button = None
    if not personas:
        button = InlineQueryResultsButton("Describe somebody", start_parameter="create")
    await query.answer(
        [_offer(desk, persona) for persona in personas],
        cache_time=_SECONDS,
        is_personal=True,
        button=button,
    )


def _offer(desk: Desk, persona: Persona) -> InlineQueryResult:
    card, who = introduction(persona), persona.personality
    own = rows([link("Make your own", create_deep_linked_url(desk.bot.username, "create"))])
    known = desk.pictures.known.get(persona.portrait.image)
    if known is not None:
        return InlineQueryResultCachedPhoto(
            persona.id,
            known,
            title=who.name,
            description=who.tagline,
            caption=card.text[:1024],
            caption_entities=[e for e in card.entities if e.offset + e.length <= 1024],
            reply_markup=own,
        )
    return InlineQueryResultArticle(
        persona.id,
        who.name,
        InputTextMessageContent(
            card.text[:4096],
            entities=[e for e in card.entities if e.offset + e.length <= 4096],
            link_preview_options=LinkPreviewOptions(is_disabled=True),
        ),
        description=who.tagline or who.kind,
        reply_markup=own,
    )
