"""Quotas: how much people may use a day."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Literal

from bot.chat.base import Person, Place
from bot.chat.settings import ChatSettings
from personas.errors import ChatAnythingError

if TYPE_CHECKING:
    from storage.store import Storage

Kind = Literal["message", "creation"]


class QuotaError(ChatAnythingError):
    """Somebody has used all they may use for now."""


class Spent:
    """One use that has been counted.

    Attributes:
        kept: whether it counts in the end; set to False where nothing came of it.
        earned: something came of it, so it counts however this ends.
    """

    def __init__(self) -> None:
        self.kept = True
        self.earned = False


class Quotas:
    """Counts what is used by person and community.

    Args:
        storage: keeps the rules and the counts.
        settings: the limits that no community can raise.
        now: the clock.
    """

    def __init__(
        self,
        storage: Storage,
        settings: ChatSettings,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._storage = storage
        self._settings = settings
        self._now = now

    @asynccontextmanager
    async def spend(self, place: Place, person: Person, kind: Kind) -> AsyncIterator[Spent]:
        """Counts one use for as long as the context lasts; an error in it takes it back.

        Raises:
            QuotaError: no more today; says until when.
        """
        day = await self.charge(place, person, kind)
        spent = Spent()
        try:
            yield spent
        except BaseException:
            spent.kept = False
            raise
        finally:
            if not (spent.kept or spent.earned):
                await self._storage.usage.refund(place.gallery, person.id, kind, day)

    async def charge(self, place: Place, person: Person, kind: Kind, work: str = "") -> date:
        """Counts one use; the day on which it counts.

        Args:
            place: of which community.
            person: who uses it.
            kind: what is used.
            work: id of the unfinished work it is for, which is counted once however often it is
                begun, and taken back with it.

        Raises:
            QuotaError: no more today; says until when.
        """
        day = self._now().astimezone(UTC).date()
        each, every = await self.limits(place.gallery, kind)
        reached = await self._storage.usage.spend(
            place.gallery, person.id, kind, day, each=each, every=every, work=work
        )
        if reached:
            raise QuotaError(_sentence(kind, reached == "each", each, every))
        return day

    async def limits(self, gallery: str, kind: Kind) -> tuple[int, int]:
        """What one member, and what the whole community may use a day; 0 for any."""
        policy = await self._storage.galleries.policy(gallery)
        if kind == "message":
            return (
                lower(policy.messages_each, self._settings.messages_each),
                lower(policy.messages, self._settings.messages),
            )
        return (
            lower(policy.creations_each, self._settings.creations_each),
            lower(policy.creations, self._settings.creations),
        )


def lower(chosen: int | None, most: int) -> int:
    """The limit that holds: a community's own only where it is the stricter one."""
    limits = [limit for limit in (chosen or 0, most) if limit]
    return min(limits, default=0)


def _sentence(kind: Kind, own: bool, each: int, every: int) -> str:
    what = "messages" if kind == "message" else "new personas"
    if own:
        start = f"You have had your {each} {what} of today here."
    else:
        start = f"This community has had its {every} {what} of today."
    return f"{start} It goes on at midnight, UTC."
