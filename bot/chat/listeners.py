"""Listeners: whom a message is for."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.chat.base import IncomingMessage, Person, Place
from bot.chat.rights import Rights, allowed, allowed_channel
from personas.errors import ChatAnythingError
from personas.gallery import Action, Policy, Trigger
from personas.persona import Persona

if TYPE_CHECKING:
    from storage.channels import Resident
    from storage.store import Storage

_MOST = 3
"""Personas that answer one message."""
_LOOKED_AT = 200
"""Personas of a gallery whose names are looked for in a message."""
_SHORTEST_NAME = 2


class NobodyError(ChatAnythingError):
    """Somebody was called, and nobody is there."""


@dataclass(frozen=True)
class Listener:
    """A persona that lives in a channel, and the words it answers to."""

    persona: Persona
    triggers: tuple[str, ...] = ()


class Listeners:
    """Finds who answers.

    A reply is for who is replied to. Else names count, and the words that a persona answers to
    in this channel; then whoever spoke last. In a private chat and where a persona lives, every
    message is for somebody, unless the community wants personas to be called.
    """

    def __init__(self, storage: Storage, rights: Rights) -> None:
        self._storage = storage
        self._rights = rights

    async def whom(self, message: IncomingMessage) -> list[Persona]:
        """The personas that answer a message; often none.

        Raises:
            NobodyError: the message calls somebody, and there is nobody; says what to do.
        """
        place = message.place
        policy = await self._rights.policy(place)
        if not allowed_channel(policy, place):
            return []
        replied = await self._replied(message, policy)
        if replied is not None:
            return [replied]
        here = await self.here(place, message.author, policy)
        if named := _named(message.text, here):
            return named[:_MOST]
        called = message.mentioned or place.private
        if called:
            others = [Listener(one) for one in await self._gallery(place, message.author)]
            if named := _named(message.text, others):
                return named[:1]
        if not called and (not here or policy.trigger is Trigger.CALLED):
            return []
        candidates = [one.persona for one in here]
        if not candidates:
            candidates = [one.persona for one in others]
            if len(candidates) > 1 and not place.private:
                last = await self._last(place, candidates)
                if last is None:
                    names = ", ".join(one.personality.name for one in candidates[:5])
                    raise NobodyError(f"Whom do you mean? Call one by name: {names}.")
                return [last]
        if not candidates:
            raise NobodyError(
                "Nobody lives here yet. Describe somebody with /create, and they will answer."
            )
        return [await self._last(place, candidates) or candidates[0 if here else -1]]

    async def here(
        self,
        place: Place,
        person: Person,
        policy: Policy | None = None,
        *,
        inherited: bool = True,
    ) -> list[Listener]:
        """The personas that live in a channel, or else in the one it belongs to, if not quiet.

        Args:
            place: the channel.
            person: who looks.
            policy: the rules of the community, where they are known already.
            inherited: also look in the channel that it belongs to.
        """
        policy = policy or await self._rights.policy(place)
        residents = await self.residents(place, inherited=inherited)
        personas = await self._storage.personas.by_ids([one.persona_id for one in residents])
        return [
            Listener(personas[resident.persona_id], resident.triggers)
            for resident in residents
            if resident.persona_id in personas
            and allowed(policy, place, person, Action.TALK, personas[resident.persona_id])
        ]

    async def residents(self, place: Place, *, inherited: bool = True) -> list[Resident]:
        """Who lives in a channel, or else in the one it belongs to, if it is not quiet."""
        channels = self._storage.channels
        residents = await channels.residents(place.channel)
        if not residents and place.parent and inherited and not await channels.quiet(place.channel):
            residents = await channels.residents(place.parent)
        return residents

    async def _replied(self, message: IncomingMessage, policy: Policy) -> Persona | None:
        if not message.reply_to:
            return None
        post = await self._storage.channels.post(message.place.channel, message.reply_to)
        if post is None:
            return None
        persona = await self._storage.personas.by_id(post.persona_id)
        if persona is None:
            return None
        seen = allowed(policy, message.place, message.author, Action.TALK, persona)
        return persona if seen else None

    async def _gallery(self, place: Place, person: Person) -> list[Persona]:
        """The personas of the gallery that this person sees, newest last."""
        own = await self._rights.only_own(place, person)
        count = await self._storage.personas.count(place.gallery, creator=own)
        listed = await self._storage.personas.list(
            place.gallery, creator=own, limit=_LOOKED_AT, offset=max(0, count - _LOOKED_AT)
        )
        return [one for one in listed if place.adult or not one.adult]

    async def _last(self, place: Place, among: Sequence[Persona]) -> Persona | None:
        """Who of these has spoken last in this channel, if it was one of these."""
        post = await self._storage.channels.last_post(place.channel)
        if post is None:
            return None
        return next((one for one in among if one.id == post.persona_id), None)


def _named(text: str, listeners: Iterable[Listener]) -> list[Persona]:
    """Who is called in a text, in the order in which they are called."""
    said = _fold(text)
    places: dict[str, tuple[int, Persona]] = {}
    for listener in listeners:
        found = [at for word in _words_of(listener) if (at := _find(word, said)) is not None]
        if found:
            places[listener.persona.id] = (min(found), listener.persona)
    return [persona for _, persona in sorted(places.values(), key=lambda pair: pair[0])]


def _words_of(listener: Listener) -> set[str]:
    name = listener.persona.personality.name
    words = {name, *listener.triggers}
    first = name.split()[0] if name.split() else ""
    if len(first) >= _SHORTEST_NAME and first.casefold() not in _NO_NAMES:
        words.add(first)
    return {folded for word in words if (folded := _fold(word))}


def _find(word: str, text: str) -> int | None:
    """Where a word stands in a text, not as a part of another word; both folded."""
    if not re.search(r"[a-z0-9\u00c0-\u024f\u0370-\u052f]", word):
        at = text.find(word)  # scripts without spaces between words
        return at if at >= 0 else None
    match = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text)
    return match.start() if match else None


def _fold(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


_NO_NAMES = frozenset(
    re.findall(
        r"\S+",
        """
    the a an old sir lady lord miss mister mr mrs ms dr doctor captain professor king queen
    prince princess uncle aunt mother father granny grandma grandpa big little great
    my to no of in on it is he we do so go up us am as at be by if me or hi ok oh
    """,
    )
)
"""First words of names that are said too often to be somebody's."""
