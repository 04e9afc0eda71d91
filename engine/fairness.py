"""FairQueue: whose turn it is when many want something at once."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from personas.errors import ChatAnythingError

CREDIT: Final = 8
"""Turns that are kept for a community that lets them pass: what it may ask for at once."""
_REMEMBERED: Final = 1000
"""Communities whose turns are remembered, besides twice as many as wait."""


class BusyError(ChatAnythingError):
    """Too many are waiting already."""


@dataclass(eq=False)
class Ticket:
    """Somebody who waits.

    Attributes:
        community: whose members wait for each other.
        person: who of it.
        priority: what is more urgent has a smaller one.
        line: what is done one after the other; empty: nothing is.
        call: called when it is their turn; whether they still want it.
        since: monotonic seconds; when they came.
    """

    community: str
    person: str
    priority: int
    line: str
    call: Callable[[], bool]
    since: float = field(default_factory=time.monotonic)


_People = OrderedDict[str, deque[Ticket]]


class _Communities:
    """Those of one priority, in the order in which they are let in.

    Each has a turn. Who is let in moves on by one, and `now` is the last turn that was reached;
    who asks again after a while comes in `CREDIT` turns before that at the earliest.
    """

    def __init__(self) -> None:
        self.count = 0
        self._now = 0
        self._people: dict[str, _People] = {}
        self._turns: dict[str, int] = {}
        self._heap: list[tuple[int, int, str]] = []
        self._entered = itertools.count()

    def enter(self, ticket: Ticket) -> None:
        """Somebody begins to wait."""
        if ticket.community not in self._people:
            self._people[ticket.community] = OrderedDict()
            turn = max(self._now - CREDIT, self._turns.get(ticket.community, 0))
            self._line_up(ticket.community, turn)
        people = self._people[ticket.community]
        people.setdefault(ticket.person, deque()).append(ticket)
        self.count += 1

    def heads(self) -> Iterator[Ticket]:
        """The first ticket of each person."""
        for people in self._people.values():
            for tickets in people.values():
                yield tickets[0]

    def remove(self, ticket: Ticket) -> bool:
        """Takes a ticket out; False where it is not there."""
        people = self._people.get(ticket.community, OrderedDict())
        if ticket not in people.get(ticket.person, ()):
            return False
        people[ticket.person].remove(ticket)
        if not people[ticket.person]:
            del people[ticket.person]
        if not people:
            del self._people[ticket.community]
        self.count -= 1
        return True

    def next(self, busy_lines: set[str]) -> Ticket | None:
        """Lets in the first whose line is not busy; it comes last the next time."""
        passed = []
        found: Ticket | None = None
        while self._heap and found is None:
            turn, _, community = place = heapq.heappop(self._heap)
            people = self._people.get(community)
            if people is None or self._turns[community] != turn:
                continue  # it went away meanwhile
            heads = (tickets[0] for tickets in people.values())
            found = next((one for one in heads if one.line not in busy_lines), None)
            if found is None:
                passed.append(place)
        for place in passed:
            heapq.heappush(self._heap, place)
        if found is not None:
            self._let_in(found)
        return found

    def _let_in(self, ticket: Ticket) -> None:
        turn = self._turns[ticket.community]
        self._now = max(self._now, turn)
        self.remove(ticket)
        if ticket.community in self._people:
            people = self._people[ticket.community]
            if ticket.person in people:
                people.move_to_end(ticket.person)
            self._line_up(ticket.community, turn + 1)
        else:
            self._turns[ticket.community] = turn + 1
            self._forget()

    def _line_up(self, community: str, turn: int) -> None:
        self._turns[community] = turn
        heapq.heappush(self._heap, (turn, next(self._entered), community))

    def _forget(self) -> None:
        """Forgets who has been away for so long that it makes no difference."""
        if len(self._turns) > 2 * len(self._people) + _REMEMBERED:
            old = self._now - CREDIT
            self._turns = {
                name: turn
                for name, turn in self._turns.items()
                if turn > old or name in self._people
            }


class Turns:
    """Whose turn it is: the policy alone, without tasks.

    The most urgent come first; within a priority communities take turns, and within a community
    its people. Turns that a community lets pass are kept for it, up to `CREDIT`, so one that
    asks for little waits for a place and not for the flood of another, while all who ask for
    much get the same (start-time fair queueing). What belongs to a line waits while that line is
    busy, and holds up nobody else.
    """

    def __init__(self) -> None:
        """Nobody waits."""
        self._waiting: dict[int, _Communities] = {}
        self._of_person: Counter[tuple[str, str]] = Counter()
        self._busy_lines: set[str] = set()

    def __len__(self) -> int:
        return sum(communities.count for communities in self._waiting.values())

    def of(self, community: str, person: str) -> int:
        """How many tickets of a person wait."""
        return self._of_person[community, person]

    def heads(self) -> Iterator[Ticket]:
        """The first ticket of each person who waits."""
        for communities in self._waiting.values():
            yield from communities.heads()

    def enter(self, ticket: Ticket) -> None:
        """Somebody begins to wait."""
        communities = self._waiting.setdefault(ticket.priority, _Communities())
        communities.enter(ticket)
        self._of_person[ticket.community, ticket.person] += 1

    def leave(self, ticket: Ticket) -> None:
        """Somebody does not want to wait any more; nothing happens where they do not."""
        communities = self._waiting.get(ticket.priority)
        if communities is not None and communities.remove(ticket):
            self._gone(ticket)

    def next(self) -> Ticket | None:
        """Whose turn it is now, if anybody's; they wait no more, and their line is busy."""
        for priority in sorted(self._waiting):
            ticket = self._waiting[priority].next(self._busy_lines)
            if ticket is not None:
                self._gone(ticket)
                if ticket.line:
                    self._busy_lines.add(ticket.line)
                return ticket
        return None

    def free(self, line: str) -> None:
        """A line is not busy any more."""
        self._busy_lines.discard(line)

    def _gone(self, ticket: Ticket) -> None:
        who = ticket.community, ticket.person
        self._of_person[who] -= 1
        if not self._of_person[who]:
            del self._of_person[who]


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
        self._turns = Turns()

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
                self._go(line)  # it was our turn, and we do not want it any more
            else:
                self._turns.leave(ticket)
                self._let_in()
            raise
        try:
            yield
        finally:
            self._go(line)

    def _go(self, line: str) -> None:
        """Gives a place back."""
        self._turns.free(line)
        self._free += 1
        self._let_in()

    def _let_in(self) -> None:
        """Gives free places to those whose turn it is."""
        while self._free and (ticket := self._turns.next()) is not None:
            if ticket.call():
                self._free -= 1
            else:
                self._turns.free(ticket.line)
