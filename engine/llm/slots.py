"""Slots: which of a local model's contexts a request goes to, and what each of them holds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from engine.llm.base import Message


@dataclass
class Slot:
    """One context of the model.

    Attributes:
        index: its number.
        held: the messages it has read; the model itself compares them word by word.
        conversation: the id of whose messages they are; empty where they are nobody's.
        busy: something is being written in it.
        used: when it was last given out, counted in requests.
    """

    index: int
    held: tuple[Message, ...] = ()
    conversation: str = ""
    busy: bool = False
    used: int = 0

    def hold(self, messages: Sequence[Message] = (), conversation: str = "") -> None:
        """Notes what it has read now; nothing that counts where nothing is given."""
        self.held, self.conversation = tuple(messages), conversation

    def shares(self, messages: Sequence[Message]) -> int:
        """How many messages it need not read again."""
        count = 0
        for mine, other in zip(self.held, messages, strict=False):
            if mine != other:
                break
            count += 1
        return count

    def loses(self, messages: Sequence[Message]) -> bool:
        """Whether reading `messages` takes something out of it that may be asked for again.

        The last message does not count: it is the answer as it was written, of which the
        conversation often keeps a little less.
        """
        return self.shares(messages) < len(self.held) - 1


class Slots:
    """Gives each request a context of its own: best the one that has read most of it.

    Args:
        count: how many there are.
    """

    def __init__(self, count: int) -> None:
        self._slots = [Slot(index) for index in range(count)]
        self._free = asyncio.Semaphore(count)
        self._given = 0

    def holds(self, messages: Sequence[Message]) -> bool:
        """Whether a context begins with just these messages."""
        return any(slot.shares(messages) == len(messages) for slot in self._slots)

    def forget(self, conversation: str) -> None:
        """Lets a conversation count as not read: it is not taken up, nor put aside."""
        for slot in self._slots:
            if slot.conversation == conversation:
                slot.hold()

    @asynccontextmanager
    async def take(self, messages: Sequence[Message]) -> AsyncIterator[Slot]:
        """Waits for a free context, and gives the one in which `messages` do best."""
        async with self._free:
            idle = [slot for slot in self._slots if not slot.busy]
            slot = max(idle, key=lambda slot: self._fitness(slot, messages))
            self._given += 1
            slot.used, slot.busy = self._given, True
            try:
                yield slot
            finally:
                slot.busy = False

    @staticmethod
    def _fitness(slot: Slot, messages: Sequence[Message]) -> tuple[int, bool, int]:
        """Most read already without a loss; else an empty one; else the longest unused."""
        shared = 0 if slot.loses(messages) else slot.shares(messages)
        return shared, not slot.held, -slot.used
