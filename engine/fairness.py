"""FairQueue: whose turn it is when many want something at once."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from personas.errors import ChatAnythingError


class BusyError(ChatAnythingError):
    """Too many are waiting already."""


@dataclass(eq=False)
class _Ticket:
    """Somebody who waits: `place` is set when it is their turn."""

    priority: int
    line: str
    place: asyncio.Future[None]
    since: float = field(default_factory=time.monotonic)


class FairQueue:
    """Lets so many work at once, and those who wait in turn by community, then by person.

    A community that floods waits for itself: whoever comes from another one is let in after at
    most one of its messages. What belongs to one line, such as a conversation, is done one after
    the other, and holds up nobody else meanwhile. What is more urgent goes first; fairness is
    kept within a priority. Memory is bounded, because only so many may wait.

    Args:
        at_once: how many work at the same time.
        waiting_each: how many messages of one person may wait.
        waiting: how many may wait in all.
    """

    def __init__(self, at_once: int, waiting_each: int, waiting: int) -> None:
        self._free = at_once
        self._each = waiting_each
        self._most = waiting
        # Communities in the order in which they are let in; likewise the people of each.
        self._communities: OrderedDict[str, OrderedDict[str, deque[_Ticket]]] = OrderedDict()
        self._busy_lines: set[str] = set()
        self._waiting = 0

    @property
    def waiting(self) -> int:
        """How many wait."""
        return self._waiting

    @property
    def oldest(self) -> float:
        """Seconds for which the one has waited who has waited longest; 0 where nobody waits."""
        since = [
            tickets[0].since for people in self._communities.values() for tickets in people.values()
        ]
        return time.monotonic() - min(since) if since else 0.0

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
        ticket = _Ticket(priority, line, asyncio.get_running_loop().create_future())
        await self._enter(community, person, ticket, entered or (lambda: None))
        try:
            yield
        finally:
            self._busy_lines.discard(line)
            self._free += 1
            self._let_in()

    async def _enter(
        self, community: str, person: str, ticket: _Ticket, entered: Callable[[], object]
    ) -> None:
        tickets = self._communities.get(community, OrderedDict()).get(person, deque())
        if len(tickets) >= self._each:
            raise BusyError("One thing at a time: I am still busy with what you said before.")
        if self._waiting >= self._most:
            raise BusyError("Too many people are talking to me right now. Try again in a minute.")
        people = self._communities.setdefault(community, OrderedDict())
        waiting = people.setdefault(person, deque())
        ahead = sum(other.priority <= ticket.priority for other in waiting)
        waiting.insert(ahead, ticket)
        self._waiting += 1
        self._let_in()
        entered()
        try:
            await ticket.place
        except BaseException:
            if ticket.place.done() and not ticket.place.cancelled():
                # It was our turn, and we do not want it any more.
                self._busy_lines.discard(ticket.line)
                self._free += 1
            else:
                self._take_out(community, person, ticket)
            self._let_in()
            raise

    def _let_in(self) -> None:
        """Gives free places to those whose turn it is."""
        while self._free and (chosen := self._next()) is not None:
            community, person, ticket = chosen
            self._take_out(community, person, ticket)
            # Who has just been let in comes last the next time.
            if community in self._communities:
                self._communities.move_to_end(community)
                if person in self._communities[community]:
                    self._communities[community].move_to_end(person)
            if not ticket.place.done():
                ticket.place.set_result(None)
                self._free -= 1
                if ticket.line:
                    self._busy_lines.add(ticket.line)

    def _next(self) -> tuple[str, str, _Ticket] | None:
        """The first, in urgency and then in fairness, whose line is not busy."""
        best: tuple[str, str, _Ticket] | None = None
        for community, people in self._communities.items():
            for person, tickets in people.items():
                if tickets[0].line in self._busy_lines:
                    continue
                if best is None or tickets[0].priority < best[2].priority:
                    best = community, person, tickets[0]
        return best

    def _take_out(self, community: str, person: str, ticket: _Ticket) -> None:
        people = self._communities.get(community)
        if people is None or person not in people or ticket not in people[person]:
            return
        people[person].remove(ticket)
        self._waiting -= 1
        if not people[person]:
            del people[person]
        if not people:
            del self._communities[community]
