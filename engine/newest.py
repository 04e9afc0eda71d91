"""Newest: whether who asked has said something newer since."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator


class Newest:
    """The newest message of each line: of a person to a persona in a place."""

    def __init__(self) -> None:
        self._events: dict[str, asyncio.Event] = {}

    @contextlib.contextmanager
    def of(self, line: str) -> Iterator[asyncio.Event]:
        """A message, for as long as it is answered; its event is set once there is a newer one."""
        if line in self._events:
            self._events[line].set()
        overtaken = self._events[line] = asyncio.Event()
        try:
            yield overtaken
        finally:
            if self._events.get(line) is overtaken:
                del self._events[line]
