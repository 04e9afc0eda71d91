"""Turns: whose turn it is when many want something at once, and how many hands are kept free."""

from __future__ import annotations

import heapq
import itertools
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeVar

from engine.reserve import Kept, Reserve

CREDIT: Final = 64
"""Turns that are kept for a community that lets them pass, while others ask for more."""
_REMEMBERED: Final = 1000
"""Communities whose turns are remembered, besides twice as many as wait."""


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
_Name = TypeVar("_Name", bound=Hashable)


class _Communities:
    """Those of one priority, in the order in which they are let in.

    Each has a turn. Who is let in moves on by one, and `now` is the last turn that was reached;
    who asks again after a while comes in `CREDIT` turns before that at the earliest. When nobody
    waits any more, what each has had is forgotten: there was enough for all.
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
        if not self._people:
            self._turns.clear()
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

    def next(self, busy_lines: set[str], is_held_back: Callable[[str], bool]) -> Ticket | None:
        """Lets in the first that may, and whose line is not busy; it comes last the next time."""
        passed = []
        found: Ticket | None = None
        while self._heap and found is None:
            turn, _, community = place = heapq.heappop(self._heap)
            people = self._people.get(community)
            if people is None or self._turns[community] != turn:
                continue  # it went away meanwhile
            if not is_held_back(community):
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
    """Whose turn it is, and whether a hand is free for them: the policy alone, without tasks.

    The most urgent come first; within a priority communities take turns, and within a community
    its people. Turns that a community lets pass are kept for it, up to `CREDIT`, so one that
    asks for little waits for a hand and not for the flood of another, while all who ask for
    much get the same (start-time fair queueing). A flood leaves hands free for those who asked
    lately (`engine.reserve`), whatever its priority. What belongs to a line waits while that line
    is busy, and holds up nobody else.

    Args:
        hands: how many there are.
        clock: seconds that go on.
    """

    def __init__(self, hands: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._hands = hands
        self._free = hands
        self._clock = clock
        self._waiting: dict[int, _Communities] = {}
        self._of_person: Counter[tuple[str, str]] = Counter()
        self._of_community: Counter[str] = Counter()
        self._held: Counter[str] = Counter()
        self._busy_lines: set[str] = set()
        self._reserve = Reserve()
        self._kept = Kept()

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
        self._waiting.setdefault(ticket.priority, _Communities()).enter(ticket)
        self._of_person[ticket.community, ticket.person] += 1
        self._of_community[ticket.community] += 1

    def leave(self, ticket: Ticket) -> None:
        """Somebody does not want to wait any more; nothing happens where they do not."""
        communities = self._waiting.get(ticket.priority)
        if communities is not None and communities.remove(ticket):
            self._gone(ticket)

    def next(self) -> Ticket | None:
        """Who begins now, if anybody; they have a hand until `end`, and their line is busy."""
        self._look()
        if not self._free:
            return None
        for priority in sorted(self._waiting):
            ticket = self._waiting[priority].next(self._busy_lines, self._is_held_back)
            if ticket is not None:
                self._gone(ticket)
                self._free -= 1
                self._held[ticket.community] += 1
                if ticket.line:
                    self._busy_lines.add(ticket.line)
                return ticket
        return None

    def end(self, ticket: Ticket) -> None:
        """Who has begun is done: their hand is free again, and their line not busy any more."""
        self._look()
        self._busy_lines.discard(ticket.line)
        self._free += 1
        _count_down(self._held, ticket.community)

    def _look(self) -> None:
        now = self._clock()
        if self._reserve.is_due(now):
            self._kept = self._reserve.look(now, self._hands, self._held, self._of_community)

    def _is_held_back(self, community: str) -> bool:
        held, waiting = self._held[community], self._of_community[community]
        return self._kept.holds_back(community, held, waiting, self._free)

    def _gone(self, ticket: Ticket) -> None:
        _count_down(self._of_person, (ticket.community, ticket.person))
        _count_down(self._of_community, ticket.community)


def _count_down(counts: Counter[_Name], name: _Name) -> None:
    """One less; what there is none of is forgotten."""
    counts[name] -= 1
    if not counts[name]:
        del counts[name]
