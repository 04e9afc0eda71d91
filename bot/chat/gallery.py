"""Personas of a place: found, shown, made, changed, carried in and out."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pydantic import ValidationError

from bot.chat.base import Person, Place, RefusedError
from bot.chat.decency import Decency
from bot.chat.makings import Making, Makings, Order
from bot.chat.purse import Purse
from bot.chat.rights import Rights
from engine.conversation import Conversations, Mode
from engine.creation import Creator
from engine.events import ClipReady, ReplyEvent, SpeechReady
from engine.observing import served
from personas.errors import InvalidInputError, NotFoundError, UnavailableError
from personas.gallery import Action
from personas.persona import Persona, Personality, slugify
from personas.text import clean, plain_name

if TYPE_CHECKING:
    from personas.cards import Form
    from storage.store import Storage

_GREETINGS = 16
"""Spoken greetings that are kept; each takes some hundred kilobytes."""


@dataclass(frozen=True)
class Page:
    """A part of a gallery.

    Attributes:
        personas: in their order.
        number: of this page, from 0.
        pages: how many there are, at least 1.
        total: how many personas match.
        query: the words that were looked for.
    """

    personas: tuple[Persona, ...]
    number: int
    pages: int
    total: int
    query: str = ""


class Gallery:
    """What people do with the personas of their community. Every way in asks the rights first.

    Args:
        storage: where personas are.
        creator: gives them voices.
        conversations: let them speak.
        rights: who may do what.
        purse: what a greeting may cost, and has cost.
        makings: makes them.
        decency: what does not belong everywhere.
    """

    def __init__(
        self,
        storage: Storage,
        creator: Creator,
        conversations: Conversations,
        rights: Rights,
        purse: Purse,
        makings: Makings,
        decency: Decency,
    ) -> None:
        self._storage = storage
        self._creator = creator
        self._conversations = conversations
        self._rights = rights
        self._purse = purse
        self._makings = makings
        self._decency = decency
        self._greetings: OrderedDict[tuple[str, Mode], tuple[ReplyEvent, ...]] = OrderedDict()

    async def page(
        self, place: Place, person: Person, *, query: str = "", number: int = 0, size: int = 6
    ) -> Page:
        """A page of the gallery, newest first; a number past the end gives the last page.

        Raises:
            RefusedError: this person may not look.
        """
        await self._rights.require(place, person, Action.VIEW)
        own = await self._rights.only_own(place, person)
        kept = self._storage.personas
        query = " ".join(query.split())[:100]
        total = await kept.count(place.gallery, search=query, creator=own, adult=_adult(place))
        pages = max(1, -(-total // size))
        number = min(max(number, 0), pages - 1)
        personas = await kept.list(
            place.gallery,
            search=query,
            creator=own,
            adult=_adult(place),
            limit=size,
            offset=number * size,
            newest_first=True,
        )
        return Page(tuple(personas), number, pages, total, query)

    async def get(self, place: Place, person: Person, name: str) -> Persona:
        """The persona that somebody means by a name, a slug, an id or some words.

        Raises:
            ChatAnythingError: there is none here, or it could be several; says which.
        """
        await self._rights.require(place, person, Action.VIEW)
        persona = await self._storage.personas.get(
            place.gallery,
            name,
            loosely=True,
            creator=await self._rights.only_own(place, person),
            adult=_adult(place),
        )
        return await self._rights.seen(place, person, persona.id)

    async def by_id(self, place: Place, person: Person, persona_id: str) -> Persona:
        """The persona behind a button.

        Raises:
            ChatAnythingError: it is gone, or not of this place.
        """
        return await self._rights.seen(place, person, persona_id)

    async def complete(
        self, place: Place, person: Person, typed: str, limit: int = 25
    ) -> list[Persona]:
        """The personas that somebody may mean while typing; none where they may not look."""
        with contextlib.suppress(InvalidInputError, NotFoundError):
            return list((await self.page(place, person, query=typed, size=limit)).personas)
        return []

    def create(
        self,
        place: Place,
        person: Person,
        description: str,
        *,
        style: str = "",
        voice: str = "",
        photo: bytes | None = None,
        seed: int | None = None,
        adult: bool = False,
        show: Mapping[str, str] | None = None,
        asked: str = "",
    ) -> Making:
        """Makes a persona for this place; entering the making raises why it may not be made.

        Args:
            place: where it will live.
            person: who asks.
            description: any text.
            style: its look; empty: whatever suits it.
            voice: its voice; empty: whatever suits it.
            photo: a picture of it.
            seed: decides what is left open.
            adult: it is only for places for adults; so is whoever is described explicitly.
            show: what the adapter needs to go on showing it after a restart.
            asked: the message that asks for it, if it may come twice.
        """

        async def settle() -> Order:
            await self._rights.require_creation(place, person)
            if adult and not place.adult:
                raise InvalidInputError(
                    "Personas for adults are made in channels for adults only. This one is not."
                )
            return _marked(order, adult or await self._is_for_adults(place, description))

        order = Order(
            act="create",
            place=place,
            person=person,
            description=description,
            style=style,
            voice=voice,
            adult=adult,
            show=dict(show or {}),
            **({} if seed is None else {"seed": seed}),
        )
        return Making(self._makings, order, settle, photo, asked)

    async def adopt(
        self,
        place: Place,
        person: Person,
        persona_id: str,
        source: Place,
        *,
        manages_source: bool = False,
    ) -> Persona:
        """Takes a persona along from another place, as a copy that leads a life of its own.

        Taken twice, it is the same copy.

        Args:
            place: where it will live.
            person: who takes it; the adapter has made sure that they belong to both places.
            persona_id: who.
            source: where it lives now.
            manages_source: whether they may manage that community; a rank holds in its own only.

        Raises:
            ChatAnythingError: it stays where it is; says why.
        """
        there = replace(person, is_moderator=manages_source)
        persona = await self._rights.seen(source, there, persona_id, Action.EXPORT)
        told = f"{place.gallery}\n{persona.id}".encode()
        id = hashlib.sha256(told).hexdigest()[:32]
        known = await self._storage.personas.by_id(id)
        if known is not None:
            return known
        await self._rights.require_creation(place, person)
        copy = {"id": id, "gallery": place.gallery, "creator": person.id}
        return await self._storage.personas.add(persona.model_copy(update=copy))

    async def rename(self, place: Place, person: Person, persona: Persona, name: str) -> Persona:
        """Gives a persona another name.

        Raises:
            ChatAnythingError: it keeps its name; says why.
        """
        name = plain_name(name)
        if not name:
            raise InvalidInputError("That is no name. Use letters.")
        return await self.edit(place, person, persona, name=name)

    async def edit(self, place: Place, person: Person, persona: Persona, **changes: str) -> Persona:
        """Changes who a persona is: name, tagline, character, speaking_style, greeting.

        Explicit words make it one for adults only.

        Raises:
            ChatAnythingError: it stays as it is; says why.
        """
        persona = await self._rights.seen(place, person, persona.id, Action.EDIT)
        cleaned = {key: clean(value).strip() for key, value in changes.items()}
        adult = persona.adult or await self._is_for_adults(place, *changes.values())
        return await self._storage.personas.change(
            persona.id,
            lambda stored: _edited(stored, cleaned).model_copy(
                update={"adult": stored.adult or adult}
            ),
        )

    def redraw(
        self,
        place: Place,
        person: Person,
        persona: Persona,
        *,
        style: str = "",
        seed: int | None = None,
        show: Mapping[str, str] | None = None,
        asked: str = "",
    ) -> Making:
        """Gives a persona another portrait; see `create`."""

        async def settle() -> Order:
            await self._rights.seen(place, person, persona.id, Action.EDIT)
            return order

        order = Order(
            act="redraw",
            place=place,
            person=person,
            persona_id=persona.id,
            style=style,
            show=dict(show or {}),
            **({} if seed is None else {"seed": seed}),
        )
        return Making(self._makings, order, settle, None, asked)

    async def recast(
        self, place: Place, person: Person, persona: Persona, voice: str = ""
    ) -> Persona:
        """Gives a persona another voice.

        Raises:
            ChatAnythingError: it keeps its voice; says why.
        """
        persona = await self._rights.seen(place, person, persona.id, Action.EDIT)
        return await self._creator.new_voice(persona, voice)

    async def delete(self, place: Place, person: Person, persona: Persona) -> None:
        """Deletes a persona with all that was said with it.

        Raises:
            ChatAnythingError: it stays; says why.
        """
        persona = await self._rights.seen(place, person, persona.id, Action.DELETE)
        await self._storage.personas.delete(place.gallery, persona.id)

    async def export(
        self, place: Place, person: Person, persona: Persona, form: Form = "png"
    ) -> tuple[str, bytes]:
        """A persona as a character card: the file's name and its bytes.

        Raises:
            ChatAnythingError: it is not given away; says why.
        """
        from engine.exchange import export_card

        persona = await self._rights.seen(place, person, persona.id, Action.EXPORT)
        data = await export_card(self._storage, persona, form)
        return f"{persona.slug}.{form}", data

    def bring(
        self,
        place: Place,
        person: Person,
        card: bytes,
        *,
        show: Mapping[str, str] | None = None,
        asked: str = "",
    ) -> Making:
        """Makes a persona of a character card; see `create`."""

        async def settle() -> Order:
            from personas.cards import is_for_adults, read_card, texts

            await self._rights.require_creation(place, person)
            read = await asyncio.to_thread(read_card, card)
            adult = is_for_adults(read)
            if adult and not place.adult:
                raise RefusedError(
                    "This persona is for adults only, and this place does not keep children out."
                )
            return _marked(order, adult or await self._is_for_adults(place, *texts(read)))

        order = Order(act="bring", place=place, person=person, show=dict(show or {}))
        return Making(self._makings, order, settle, card, asked)

    async def greet(
        self, place: Place, person: Person, persona: Persona, mode: Mode = "clip"
    ) -> tuple[ReplyEvent, ...]:
        """A persona's greeting as it says it: `SpeechReady`, then `ClipReady` where wanted.

        Raises:
            ChatAnythingError: it cannot speak; says why.
        """
        await self._rights.seen(place, person, persona.id, Action.TALK)
        key = (f"{persona.portrait.image}\n{persona.voice}\n{persona.personality.greeting}", mode)
        known = self._greetings.get(key)
        if known is not None:
            self._greetings.move_to_end(key)
            return known
        said = self._conversations.perform(persona, persona.personality.greeting, mode=mode)
        async with (
            self._purse.greeting(place, person, mode) as request,
            contextlib.aclosing(served(request, said)) as speaking,
        ):
            events = [event async for event in speaking]
        if not any(isinstance(event, ClipReady | SpeechReady) for event in events):
            raise UnavailableError(f"{persona.personality.name} has no voice right now.")
        self._greetings[key] = tuple(events)
        while len(self._greetings) > _GREETINGS:
            self._greetings.popitem(last=False)
        return tuple(events)

    async def portrait(self, persona: Persona) -> bytes:
        """The portrait, a PNG file.

        Raises:
            NotFoundError: it is not kept any more.
        """
        return await self._storage.media.get(persona.portrait.image)

    async def _is_for_adults(self, place: Place, *texts: str) -> bool:
        return await asyncio.to_thread(self._decency.is_for_adults, place, "\n".join(texts))


def _marked(order: Order, adult: bool) -> Order:
    return order.model_copy(update={"adult": adult})


def _edited(persona: Persona, changes: Mapping[str, str]) -> Persona:
    before = persona.personality
    try:
        personality = Personality.model_validate({**before.model_dump(), **changes})
    except ValidationError as error:
        wrong = ", ".join(str(problem["loc"][0]) for problem in error.errors())
        raise InvalidInputError(f"This cannot be used: {wrong} is empty or too long.") from error
    slug = persona.slug
    if personality.name != before.name:
        slug = slugify(personality.name, slugify(personality.kind))
    return persona.model_copy(update={"personality": personality, "slug": slug})


def _adult(place: Place) -> bool | None:
    """None: whatever there is; False: only what everybody may see."""
    return None if place.adult else False
