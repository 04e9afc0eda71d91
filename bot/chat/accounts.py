"""Accounts: what requests cost, written down by community, person and day."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.chat.base import GoneError, Person, Place, RefusedError
from bot.chat.quotas import QuotaError
from engine.fairness import BusyError
from engine.observing import NOBODY, Observer, Request, wanted_by
from personas.errors import ChatAnythingError

if TYPE_CHECKING:
    from storage.store import Storage

log = logging.getLogger(__name__)


class Accounts:
    """Follows requests from their beginning to their end.

    What a request cost is written once, at its end, however it ends: one write for each answer.

    Args:
        storage: keeps the sums.
        observer: told of each request.
        now: the clock.
    """

    def __init__(
        self,
        storage: Storage,
        observer: Observer = NOBODY,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.observer = observer
        self._storage = storage
        self._now = now

    @contextlib.asynccontextmanager
    async def serving(
        self, kind: str, place: Place, person: Person, otherwise: str = ""
    ) -> AsyncIterator[Request]:
        """A request for as long as the context lasts; its `outcome` is done where nobody says.

        Args:
            kind: message, creation, greeting.
            place: where it came in.
            person: who wants it.
            otherwise: its id, where the adapter has named none.
        """
        request = wanted_by(place.gallery, person.id, otherwise)
        with self.observer.serving(kind, request):
            try:
                yield request
            except (asyncio.CancelledError, GeneratorExit):
                request.outcome = request.outcome or "stopped"
                raise
            except (QuotaError, BusyError, RefusedError):
                request.outcome = request.outcome or "refused"
                raise
            except GoneError:
                request.outcome = request.outcome or "stopped"
                raise
            except Exception:
                request.outcome = request.outcome or "failed"
                raise
            finally:
                request.outcome = request.outcome or "done"
                await asyncio.shield(self.keep(request))

    async def keep(self, request: Request) -> None:
        """Writes down what a request has cost since; what cannot be written costs nobody more."""
        spent = request.settle()
        if not spent:
            return
        day = self._now().astimezone(UTC).date()
        try:
            await self._storage.usage.add(request.community, request.person, spent, day)
        except ChatAnythingError as error:
            log.warning("What this cost could not be written: %s", error, exc_info=error)
