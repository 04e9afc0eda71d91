"""Channels as people set them up: who lives there, and how answers are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from pydantic import ValidationError

from bot.chat.base import Person, Place
from bot.chat.budgets import Budgets
from bot.chat.listeners import Listener, Listeners
from bot.chat.rights import Rights
from engine.conversation import Conversations, Mode
from personas.errors import InvalidInputError
from personas.gallery import Action, Policy
from personas.persona import Persona
from personas.text import plain

if TYPE_CHECKING:
    from storage.store import Storage

_RESIDENTS = 20
_TRIGGERS = 10
_LONGEST_TRIGGER = 40


class Rooms:
    """Who talks in a channel, in what mode, and by which rules of the community.

    Args:
        storage: keeps it.
        conversations: are forgotten here.
        rights: who may do what.
        listeners: who lives where.
        budgets: what may be used a day.
    """

    def __init__(
        self,
        storage: Storage,
        conversations: Conversations,
        rights: Rights,
        listeners: Listeners,
        budgets: Budgets,
    ) -> None:
        self._budgets = budgets
        self._storage = storage
        self._conversations = conversations
        self._rights = rights
        self._listeners = listeners

    async def here(self, place: Place, person: Person, *, inherited: bool = True) -> list[Listener]:
        """The personas that live in a channel; see `Listeners.here`."""
        return await self._listeners.here(place, person, inherited=inherited)

    async def settle(
        self, place: Place, person: Person, persona: Persona, triggers: str = ""
    ) -> Listener:
        """Lets a persona live in this channel.

        Args:
            place: where.
            person: who wants it.
            persona: who.
            triggers: words it answers to besides its name, with commas between.

        Raises:
            ChatAnythingError: it does not; says why.
        """
        from storage.channels import Resident

        await self._rights.require(place, person, Action.SETTLE)
        await self._rights.seen(place, person, persona.id, Action.TALK)
        words = tuple(
            dict.fromkeys(word for part in triggers.split(",") if (word := plain(part, 60)))
        )
        if len(words) > _TRIGGERS or any(len(word) > _LONGEST_TRIGGER for word in words):
            raise InvalidInputError(
                f"Give at most {_TRIGGERS} words of at most {_LONGEST_TRIGGER} characters."
            )
        residents = await self._storage.channels.residents(place.channel)
        known = {resident.persona_id for resident in residents}
        if persona.id not in known and len(residents) >= _RESIDENTS:
            raise InvalidInputError(f"{_RESIDENTS} personas live here already. Let one leave.")
        await self._storage.channels.settle(
            place.channel, Resident(persona_id=persona.id, triggers=words)
        )
        return Listener(persona, words)

    async def leave(self, place: Place, person: Person, persona: Persona | None = None) -> int:
        """Lets a persona, or everybody, leave this channel; how many left.

        Those who live in the channel that a thread belongs to stay there, and say nothing in the
        thread until somebody is let in again.

        Raises:
            RefusedError: this person may not say so.
        """
        await self._rights.require(place, person, Action.SETTLE)
        left = await self._storage.channels.leave(place.channel, persona.id if persona else None)
        return left or await self._hush(place, persona)

    async def _hush(self, place: Place, persona: Persona | None) -> int:
        """Keeps a persona of its channel, or all, out of a thread; how many."""
        channels = self._storage.channels
        if await channels.residents(place.channel):
            return 0
        living = await self._listeners.residents(place)
        others = [one for one in living if persona is not None and one.persona_id != persona.id]
        if len(others) < len(living):
            await channels.hush(place.channel)
            for one in others:
                await channels.settle(place.channel, one)
        return len(living) - len(others)

    async def mode(self, place: Place) -> Mode | None:
        """How answers are in this channel; None where nobody has chosen."""
        chosen = await self._storage.channels.mode(place.channel)
        return next((mode for mode in get_args(Mode) if mode == chosen), None)

    async def set_mode(self, place: Place, person: Person, mode: str) -> None:
        """Chooses how answers are in this channel; empty: as usual.

        Raises:
            ChatAnythingError: it stays as it is; says why.
        """
        await self._rights.require(place, person, Action.SETTLE)
        if mode and mode not in get_args(Mode):
            raise InvalidInputError("Choose text, voice or clip.")
        await self._storage.channels.set_mode(place.channel, mode or None)

    async def form(self, place: Place) -> str:
        """How clips look in this channel, in the adapter's own words; empty: as usual."""
        form = await self._storage.channels.form(place.channel)
        if form is None and place.parent:
            form = await self._storage.channels.form(place.parent)
        return form or ""

    async def set_form(self, place: Place, person: Person, form: str) -> None:
        """Chooses how clips look in this channel, in a word of the adapter's; empty: as usual.

        Raises:
            RefusedError: this person may not choose.
        """
        await self._rights.require(place, person, Action.SETTLE)
        await self._storage.channels.set_form(place.channel, form[:16] or None)

    async def forget(self, place: Place, person: Person, persona: Persona | None = None) -> int:
        """Lets a persona, or all that live here, forget what was said in this channel.

        Returns:
            How many have forgotten.

        Raises:
            ChatAnythingError: they remember; says why.
        """
        personas = [persona] if persona else [one.persona for one in await self.here(place, person)]
        for one in personas:
            await self._rights.seen(place, person, one.id, Action.FORGET)
            await self._conversations.forget(one, place.channel)
        return len(personas)

    async def rules(self, place: Place) -> Policy:
        """The rules of the community."""
        return await self._rights.policy(place)

    @property
    def busy(self) -> str:
        """What clips keep busy here: cpu, cuda; empty where it is done elsewhere."""
        return self._conversations.devices.get("clip", "cuda")

    async def used(self, place: Place, person: Person) -> str:
        """What the community has used today, in a line for those who manage it.

        Raises:
            RefusedError: this person does not.
        """
        policy = await self._rights.require(place, person, Action.SET_POLICY)
        return await self._budgets.line(place, policy)

    async def set_rules(self, place: Place, person: Person, **changes: Any) -> Policy:
        """Changes rules of the community, by the names of `Policy`.

        Raises:
            ChatAnythingError: they stay as they are; says why.
        """
        policy = await self._rights.require(place, person, Action.SET_POLICY)
        try:
            changed = Policy.model_validate({**policy.model_dump(), **changes})
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise InvalidInputError(f"{where}: {first['msg']}.") from error
        await self._storage.galleries.set_policy(place.gallery, changed)
        return changed
