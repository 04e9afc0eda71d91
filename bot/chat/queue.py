"""FairQueue: whose turn it is when many want an answer at once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from personas.errors import ChatAnythingError


class BusyError(ChatAnythingError):
    """Too many are waiting already."""


class FairQueue:
    """Lets so many work at once, and those who wait in turn by community, then by person.

    A community that floods waits for itself: whoever comes from another one is let in after at
    most one of its messages. Memory is bounded, because only so many may wait.

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
        self._lines: OrderedDict[str, OrderedDict[str, deque[asyncio.Future[None]]]] = OrderedDict()
        self._waiting = 0

    @property
    def waiting(self) -> int:
        """How many wait."""
        return self._waiting

    @asynccontextmanager
    async def turn(self, community: str, person: str) -> AsyncIterator[None]:
        """Waits for a place and holds it for as long as the context lasts.

        Raises:
            BusyError: too many wait already, of this person or of all.
        """
        await self._enter(community, person)
        try:
            yield
        finally:
            self._leave()

    async def _enter(self, community: str, person: str) -> None:
        if self._free and not self._waiting:
            self._free -= 1
            return
        people = self._lines.get(community)
        line = people.get(person) if people is not None else None
        if line is not None and len(line) >= self._each:
            raise BusyError("One thing at a time: I am still busy with what you said before.")
        if self._waiting >= self._most:
            raise BusyError("Too many people are talking to me right now. Try again in a minute.")
        place = asyncio.get_running_loop().create_future()
        self._lines.setdefault(community, OrderedDict()).setdefault(person, deque()).append(place)
        self._waiting += 1
        try:
            await place
        except BaseException:
            if place.done() and not place.cancelled():
                self._leave()  # it was our turn, and we do not want it any more
            else:
                self._give_up(community, person, place)
            raise

    def _leave(self) -> None:
        self._free += 1
        while self._free and self._lines:
            community, people = self._lines.popitem(last=False)
            person, line = people.popitem(last=False)
            place = line.popleft()
            if line:
                people[person] = line
            if people:
                self._lines[community] = people
            self._waiting -= 1
            if not place.done():
                place.set_result(None)
                self._free -= 1

    def _give_up(self, community: str, person: str, place: asyncio.Future[None]) -> None:
        people = self._lines.get(community)
        line = people.get(person) if people is not None else None
        if people is None or line is None or place not in line:
            return  # it was taken out while it was being cancelled
        line.remove(place)
        self._waiting -= 1
        if not line:
            del people[person]
        if not people:
            del self._lines[community]
