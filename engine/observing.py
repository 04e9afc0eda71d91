"""Observing: what the machines tell about their work, and for whom it is done.

The engine knows nobody who listens: it tells an `Observer`, and who runs the program hands in
what becomes of it: metrics, traces, health, accounts. Whom work is done for travels in a context
variable, from the adapter down to the thread that draws, and across a queue in the job's metadata.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TypeVar

Event = TypeVar("Event")

_LONGEST = 200


@dataclass(eq=False)
class Request:
    """Something that somebody wants, and what it costs.

    Attributes:
        id: as the adapter names it: of a message or an interaction. In every line of the log.
        community: the gallery for which it is done; empty: nobody's.
        person: who wants it.
        traceparent: the span that all of it belongs to, as W3C Trace Context writes it.
        outcome: how it ended, in one word: done, failed, stopped, refused.
        spent: what it has cost so far, by kind: milliseconds of a device, tokens.
    """

    id: str = ""
    community: str = ""
    person: str = ""
    traceparent: str = ""
    outcome: str = ""
    spent: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def spend(self, kind: str, amount: int) -> None:
        """Adds to what it costs. Safe from any thread."""
        if amount > 0:
            with self._lock:
                self.spent[kind] = self.spent.get(kind, 0) + amount

    def settle(self) -> dict[str, int]:
        """What it has cost since this was asked last, to be written down once."""
        with self._lock:
            spent, self.spent = self.spent, {}
        return spent

    def carried(self) -> dict[str, str]:
        """Whom it is for, as a job's metadata takes it across a queue."""
        told = {
            "request": self.id,
            "community": self.community,
            "person": self.person,
            "traceparent": self.traceparent,
        }
        return {key: value for key, value in told.items() if value}

    @classmethod
    def arrived(cls, metadata: Mapping[str, object]) -> Request:
        """The request behind a job on the other side of a queue; what is missing is empty."""

        def text(key: str) -> str:
            value = metadata.get(key, "")
            return value[:_LONGEST] if isinstance(value, str) else ""

        return cls(text("request"), text("community"), text("person"), text("traceparent"))


_current: ContextVar[Request | None] = ContextVar("request", default=None)


def current() -> Request | None:
    """The request that is being worked on here; None where it is nobody's."""
    return _current.get()


@contextlib.contextmanager
def during(request: Request) -> Iterator[Request]:
    """Everything inside is done for `request`, also in tasks and threads begun there."""
    token = _current.set(request)
    try:
        yield request
    finally:
        _current.reset(token)


def arriving(id: str) -> None:
    """Everything that this task does from now on is for a request that has just come in."""
    _current.set(Request(id[:_LONGEST]))


def wanted_by(community: str, person: str, otherwise: str = "") -> Request:
    """A request of somebody, under the id with which it came in, else under another one."""
    come_in = current()
    return Request(come_in.id if come_in else otherwise[:_LONGEST], community, person)


async def served(request: Request, events: AsyncGenerator[Event]) -> AsyncGenerator[Event]:
    """The same events, each made for `request`, whoever asks for the next one."""
    async with contextlib.aclosing(events):
        while True:
            with during(request):
                try:
                    event = await anext(events)
                except StopAsyncIteration:
                    return
            yield event


class Observer:
    """Is told what happens; this one does not care. Others change what they care about.

    Methods return at once, never fail, and may be called from any thread. Names are words of the
    program, never of people: there are only so many of each.
    """

    def stage(self, name: str, seconds: float, device: str = "") -> None:
        """A stage of a request has ended.

        Args:
            name: the stage.
            seconds: how long it took.
            device: what it kept busy (cpu, cuda) where it is heavy work; else empty.
        """

    def tokens(self, prompt: int, completion: int) -> None:
        """The language model has read and written so much."""

    def looked_up(self, cache: str, found: bool) -> None:
        """Something was looked for in a cache."""

    def failed(self, part: str, backend: str) -> None:
        """A backend of a part of the program did not do its work."""

    def worked(self, part: str, backend: str) -> None:
        """It did."""

    def serving(self, kind: str, request: Request) -> AbstractContextManager[None]:
        """Work on a request, from its beginning to its end; sets its `traceparent`.

        Args:
            kind: message, creation, job ...
            request: its `outcome` is set by the end.
        """
        return contextlib.nullcontext()


NOBODY = Observer()
"""Nobody listens."""


class Observers(Observer):
    """Tells several observers."""

    def __init__(self, observers: Sequence[Observer] = ()) -> None:
        self._all = tuple(observers)

    def add(self, observer: Observer) -> None:
        """Tells one more from now on."""
        self._all = (*self._all, observer)

    def remove(self, observer: Observer) -> None:
        """Tells one less from now on."""
        self._all = tuple(one for one in self._all if one is not observer)

    def stage(self, name: str, seconds: float, device: str = "") -> None:
        """Tells all."""
        for one in self._all:
            one.stage(name, seconds, device)

    def tokens(self, prompt: int, completion: int) -> None:
        """Tells all."""
        for one in self._all:
            one.tokens(prompt, completion)

    def looked_up(self, cache: str, found: bool) -> None:
        """Tells all."""
        for one in self._all:
            one.looked_up(cache, found)

    def failed(self, part: str, backend: str) -> None:
        """Tells all."""
        for one in self._all:
            one.failed(part, backend)

    def worked(self, part: str, backend: str) -> None:
        """Tells all."""
        for one in self._all:
            one.worked(part, backend)

    @contextlib.contextmanager
    def serving(self, kind: str, request: Request) -> Iterator[None]:
        """Tells all."""
        with contextlib.ExitStack() as stack:
            for one in self._all:
                stack.enter_context(one.serving(kind, request))
            yield
