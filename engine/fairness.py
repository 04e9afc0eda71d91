"""FairQueue: lets so many work at once, and the others wait in turn."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from engine.turns import Ticket, Turns
from personas.errors import ChatAnythingError


class BusyError(ChatAnythingError):
    """Too many are waiting already."""


class FairQueue:
    """Lets so many work at once, and those who wait in turn by community, then by person.

    A community that floods waits for itself, and leaves places free while others come now and
    then (`Turns`). What belongs to one line, such as a conversation, is done one after
    the other, and holds up nobody else meanwhile. What is more urgent goes first; fairness is
    kept within a priority. Memory is bounded, because only so many may wait.

    Args:
        at_once: how many work at the same time.
        waiting_each: how many messages of one person may wait.
        waiting: how many may wait in all.
    """

    def __init__(self, at_once: int, waiting_each: int, waiting: int) -> None:
        self._each = waiting_each
        self._most = waiting
        self._turns = Turns(at_once)

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._turns)

    @property
    def oldest(self) -> float:
        """Seconds for which the one has waited who has waited longest; 0 where nobody waits."""
        since = min((ticket.since for ticket in self._turns.heads()), default=None)
        return 0.0 if since is None else time.monotonic() - since

    @asynccontextmanager
    async def turn(
        self,
        community: str,
        person: str,
        line: str = "",
        entered: Callable[[], object] | None = None,
        priority: int = 0,
    ) -> AsyncIterator[None]:
        """Waits for a place and holds it for as long as the context lasts.

        Args:
            community: whose members wait for each other.
            person: who asks.
            line: what is done one after the other; empty: nothing is.
            entered: called as soon as the order in which this is done is settled.
            priority: what is more urgent has a smaller one.

        Raises:
            BusyError: too many wait already, of this person or of all.
        """
        if self._turns.of(community, person) >= self._each:
            raise BusyError("One thing at a time: I am still busy with what you said before.")
        if len(self._turns) >= self._most:
            raise BusyError("Too many people are talking to me right now. Try again in a minute.")
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def call() -> bool:
            if place.done():
                return False  # they have just turned away
            place.set_result(None)
            return True

        ticket = Ticket(community, person, priority, line, call)
        self._turns.enter(ticket)
        self._let_in()
        if entered is not None:
            entered()
        try:
            await place
        except BaseException:
            if place.done() and not place.cancelled():
                self._go(ticket)  # it was our turn, and we do not want it any more
            else:
                self._turns.leave(ticket)
                self._let_in()
            raise
        try:
            yield
        finally:
            self._go(ticket)

    def _go(self, ticket: Ticket) -> None:
        """Gives a place back."""
        self._turns.end(ticket)
        self._let_in()

    def _let_in(self) -> None:
        """Gives free places to those whose turn it is."""
        while (ticket := self._turns.next()) is not None:
            if not ticket.call():
                self._turns.end(ticket)
