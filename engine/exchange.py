"""Character cards in and out: personas travel between galleries, machines and programs."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from engine.creation import CreationRequest, Creator
from engine.events import CreationEvent, PersonalityReady, PersonaReady, PortraitReady
from engine.pictures import LONGEST_SIDE, from_png
from personas.cards import (
    Card,
    Form,
    describe,
    has_face,
    is_for_adults,
    read_card,
    to_persona,
    to_personality,
    write_card,
)
from personas.errors import InvalidInputError, UnavailableError
from personas.persona import Layers, Persona, PortraitBrief

if TYPE_CHECKING:
    from storage.store import Storage


async def export_card(storage: Storage, persona: Persona, form: Form) -> bytes:
    """A persona as the bytes of a card file, with its pictures.

    Raises:
        UnavailableError: a picture cannot be read.
    """
    portrait = persona.portrait
    picture = await storage.media.get(portrait.image)
    background = body = None
    if portrait.layers:
        background = await storage.media.get(portrait.layers.background)
        body = await storage.media.get(portrait.layers.body)
    return await asyncio.to_thread(
        write_card, persona, picture, background=background, body=body, form=form
    )


async def import_card(
    creator: Creator,
    storage: Storage,
    data: bytes,
    *,
    gallery: str,
    member: str = "",
    style: str = "",
    voice: str = "",
    adult: bool = False,
) -> AsyncGenerator[CreationEvent]:
    """Makes a persona of a card, as a stream of events; the last one says how it ended.

    A card that we wrote brings its face and voice along. Any other, or one with a very large
    picture, keeps its picture, on which a face is found or drawn; one without a picture gets a
    portrait. No language model is asked. Whoever is for adults only stays so.

    Args:
        creator: makes the face and casts the voice where the card has none of ours.
        storage: where the persona will be kept.
        data: a card file, JSON or PNG.
        gallery: the community it will belong to.
        member: who brings it, as the platform names them.
        style: a look, for a card without a picture.
        voice: a voice, instead of the one that is cast.
        adult: it is for adults only, whatever the card says.

    Raises:
        InvalidInputError: the file is no card, or a picture in it is damaged.
    """
    card = await asyncio.to_thread(read_card, data)
    adult = adult or is_for_adults(card)
    # The same card brought twice to a gallery is the same persona.
    seed = int.from_bytes(hashlib.sha256(data).digest()[:4]) >> 1
    if has_face(card) and not voice and not _is_too_large(card):
        await asyncio.to_thread(_require_pictures, card)
        personality = to_personality(card)
        yield PersonalityReady(personality, PortraitBrief(subject=personality.kind))
        if not adult:
            await _check(creator, card, gallery, member)
        persona = await _whole(storage, card, gallery, member, data, adult)
        yield PortraitReady(card.picture or b"")
        yield PersonaReady(persona)
        return
    request = CreationRequest(
        describe(card),
        gallery=gallery,
        creator=member,
        seed=seed,
        style=style,
        voice=voice,
        photo=card.picture,
        adult=adult,
    )
    async for event in creator.adopt(to_personality(card), request, card=card.document):
        yield event


def _is_too_large(card: Card) -> bool:
    """Whether each clip would take very long; told by the headers of the pictures alone."""
    portrait = card.kept.portrait if card.kept is not None else None
    return portrait is not None and max(portrait.size) > LONGEST_SIDE


def _require_pictures(card: Card) -> None:
    """Reads the pictures of a card of ours, as each clip will."""
    try:
        from_png(card.picture or b"")
        if card.background and card.body:
            from_png(card.background)
            from_png(card.body, alpha=True)
    except UnavailableError as error:
        raise InvalidInputError(
            "A picture in this card is damaged; get the file once more."
        ) from error


async def _check(creator: Creator, card: Card, gallery: str, member: str) -> None:
    """Has the pictures of a card looked at, as those are that people send."""
    for picture in (card.picture, card.background, card.body):
        if picture is not None:
            await creator.check(picture, gallery, member)


async def _whole(
    storage: Storage, card: Card, gallery: str, member: str, data: bytes, adult: bool
) -> Persona:
    id = hashlib.sha256(gallery.encode() + b"\0" + data).hexdigest()[:32]
    image = await storage.media.put(card.picture or b"", ".png")
    layers = None
    if card.background and card.body:
        layers = Layers(
            background=await storage.media.put(card.background, ".png"),
            body=await storage.media.put(card.body, ".png"),
        )
    persona = to_persona(
        card, id=id, gallery=gallery, image=image, layers=layers, creator=member, adult=adult
    )
    return await storage.personas.add(persona)
