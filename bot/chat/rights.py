"""Rights: who may do what in which place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.chat.base import Person, Place, RefusedError
from personas.errors import NotFoundError
from personas.gallery import Action, Member, Policy, Verdict, Visibility, may, may_create
from personas.persona import Persona

if TYPE_CHECKING:
    from storage.store import Storage


class Rights:
    """Asks the rules of a community before anything is done in it."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def policy(self, place: Place) -> Policy:
        """The rules of the community. Nobody rules over a private chat but its person."""
        return await self._storage.galleries.policy(place.gallery)

    async def require(
        self, place: Place, person: Person, action: Action, persona: Persona | None = None
    ) -> Policy:
        """Checks that this person may do this, with this persona, in this place.

        Raises:
            RefusedError: they may not; says why.
        """
        policy = await self.policy(place)
        verdict = allowed(policy, place, person, action, persona)
        if not verdict:
            raise RefusedError(verdict.reason)
        return policy

    async def require_creation(self, place: Place, person: Person) -> None:
        """Checks that this person may make one more persona here.

        Raises:
            RefusedError: they may not; says why.
        """
        policy = await self.require(place, person, Action.CREATE)
        verdict = may_create(
            member(place, person),
            policy,
            in_gallery=await self._storage.personas.count(place.gallery),
            own=await self._storage.personas.count(place.gallery, creator=person.id),
        )
        if not verdict:
            raise RefusedError(verdict.reason)

    async def seen(
        self, place: Place, person: Person, persona_id: str, action: Action = Action.VIEW
    ) -> Persona:
        """The persona with this id, if it is of this place and the person may do this with it.

        Raises:
            NotFoundError: there is no such persona here.
            RefusedError: they may not; says why.
        """
        persona = await self._storage.personas.by_id(persona_id)
        if persona is None or not _belongs(persona, place):
            raise NotFoundError("This persona does not exist any more.")
        await self.require(place, person, action, persona)
        return persona

    async def only_own(self, place: Place, person: Person) -> str | None:
        """The creator whose personas alone this person sees here; None for all of them."""
        policy = await self.policy(place)
        hidden = policy.visibility is Visibility.CREATOR
        return person.id if hidden and not member(place, person).is_moderator else None


def allowed(
    policy: Policy, place: Place, person: Person, action: Action, persona: Persona | None = None
) -> Verdict:
    """Whether this person may do this, with this persona, in this place, by these rules."""
    if persona is not None and not _belongs(persona, place):
        return Verdict(allowed=False, reason="There is no such persona here.")
    if not person.is_moderator and not allowed_channel(policy, place):
        return Verdict(allowed=False, reason="Personas are not used in this channel.")
    return may(member(place, person), action, policy, persona)


def member(place: Place, person: Person) -> Member:
    """A person as the rules of a gallery know them."""
    return Member(id=person.id, is_moderator=person.is_moderator or place.private)


def allowed_channel(policy: Policy, place: Place) -> bool:
    """Whether personas may be used in this channel at all."""
    listed = policy.channels
    return not listed or place.private or place.channel in listed or place.parent in listed


def _belongs(persona: Persona, place: Place) -> bool:
    return persona.gallery == place.gallery and (place.adult or not persona.adult)
