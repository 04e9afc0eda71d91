"""Character cards: personas as files that other programs read and write.

Versions 1, 2 (`chara_card_v2`) and 3 (`chara_card_v3`), as JSON or inside a PNG picture. A
persona that was exported comes back whole, with face and voice; a card from elsewhere keeps all
of its fields through import and export.
"""

from __future__ import annotations

from datetime import UTC, datetime

from personas.cards_model import Card, Kept, KeptPortrait
from personas.cards_personality import to_personality
from personas.cards_read import MAX_CARD_BYTES, read_card
from personas.cards_write import MAX_EXPORT_BYTES, Form, write_card
from personas.errors import InvalidInputError
from personas.persona import MAX_DESCRIPTION, Layers, MediaKey, Persona, Portrait, slugify

__all__ = [
    "MAX_CARD_BYTES",
    "MAX_EXPORT_BYTES",
    "Card",
    "Form",
    "Kept",
    "KeptPortrait",
    "describe",
    "has_face",
    "is_for_adults",
    "read_card",
    "texts",
    "to_persona",
    "to_personality",
    "write_card",
]

_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
"""No persona is older; dates before are not understood everywhere."""


def has_face(card: Card) -> bool:
    """Whether the card holds a persona of ours with its face, so that nothing must be made."""
    return card.picture is not None and card.kept is not None and card.kept.portrait is not None


def is_for_adults(card: Card) -> bool:
    """Whether the card holds a persona of ours that is only for channels for adults."""
    return card.kept is not None and card.kept.adult


def texts(card: Card) -> list[str]:
    """All that people see of the card's persona, and all that it speaks from."""
    p = to_personality(card)
    said = [text for one in p.examples for text in (one.user, one.reply)]
    described = [card.kept.description] if card.kept is not None else []
    return [p.name, p.kind, p.tagline, p.character, p.speaking_style, p.greeting, *said, *described]


def to_persona(
    card: Card,
    *,
    id: str,
    gallery: str,
    image: MediaKey,
    layers: Layers | None = None,
    creator: str = "",
    adult: bool = False,
) -> Persona:
    """The persona that a card of ours holds.

    Args:
        card: one for which `has_face` is true.
        id: the new persona's.
        gallery: where it will live.
        image: the key under which `card.picture` was put.
        layers: the keys of `card.background` and `card.body`, where the card has them.
        creator: who imports it, as the platform names them.
        adult: it is for adults only, whatever the card says.

    Raises:
        InvalidInputError: the card holds no persona of ours with a face.
    """
    if card.kept is None or card.kept.portrait is None:
        raise InvalidInputError("This card holds no face; one has to be made.")
    kept, portrait = card.kept, card.kept.portrait
    personality = to_personality(card)
    return Persona(
        id=id,
        slug=slugify(personality.name),
        gallery=gallery,
        creator=creator,
        description=kept.description,
        personality=personality,
        portrait=Portrait(
            image=image,
            size=portrait.size,
            generator=portrait.generator,
            style=portrait.style,
            seed=portrait.seed,
            geometry=portrait.geometry,
            look=portrait.look,
            layers=layers,
            credits=portrait.credits,
        ),
        voice=kept.voice,
        seed=kept.seed,
        model=kept.model,
        created_at=_made_at(kept.created_at),
        adult=adult or kept.adult,
        card=card.document,
    )


def describe(card: Card) -> str:
    """A description to make a face from, where the card has no picture."""
    p = to_personality(card)
    text = f"{p.name}, {p.kind}. {p.tagline or p.character}"
    return text[:MAX_DESCRIPTION]


def _made_at(claimed: datetime) -> datetime:
    """When a persona was made, as its card claims it; now, where that cannot be."""
    now = datetime.now(UTC)
    try:
        moment = claimed.replace(tzinfo=UTC) if claimed.tzinfo is None else claimed.astimezone(UTC)
    except OverflowError:
        return now
    return moment if _EARLIEST < moment < now else now
