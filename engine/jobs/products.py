"""Products: where the handler of a job leaves what it made, for whoever asked for it.

A job's result names its products by media key. They stay here for a while; who wants one for
longer takes it, and what is a persona's or a turn's by then is kept as ever.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, Protocol

from personas.errors import NotFoundError
from personas.persona import MediaKey

if TYPE_CHECKING:
    from storage.media import MediaStore

_GONE = "What was made is not kept any more. Ask for it again."


class Products(Protocol):
    """Bytes by key, for a while."""

    async def put(self, data: bytes, suffix: str) -> MediaKey:
        """Leaves something here.

        Raises:
            UnavailableError: it cannot be kept.
        """

    async def get(self, key: MediaKey) -> bytes:
        """What was left.

        Raises:
            NotFoundError: it is not here any more.
            UnavailableError: it cannot be read.
        """

    async def has(self, key: MediaKey) -> bool:
        """Whether it is here still."""

    async def take(self, key: MediaKey) -> None:
        """Puts it among the media for good, with a claim of the caller on it.

        Raises:
            NotFoundError: it is not here any more.
            UnavailableError: it cannot be kept.
        """

    async def give_up(self, key: MediaKey) -> None:
        """Nobody wants it any more."""


class MemoryProducts:
    """In the memory of the process that made them: what is not taken never reaches a disk.

    Args:
        media: where they go when they are taken.
        most: bytes that are held; what was used least lately goes first.
    """

    def __init__(self, media: MediaStore, most: int = 128 * 1024**2) -> None:
        self._media = media
        self._most = most
        self._held: OrderedDict[MediaKey, bytes] = OrderedDict()
        self._bytes = 0

    async def put(self, data: bytes, suffix: str) -> MediaKey:
        """Leaves something here."""
        from storage.media import key_of

        key = await asyncio.to_thread(key_of, data, suffix)
        if key not in self._held:
            self._held[key] = data
            self._bytes += len(data)
        self._held.move_to_end(key)
        while self._bytes > self._most and len(self._held) > 1:
            _, oldest = self._held.popitem(last=False)
            self._bytes -= len(oldest)
        return key

    async def get(self, key: MediaKey) -> bytes:
        """What was left."""
        data = self._held.get(key)
        if data is None:
            raise NotFoundError(_GONE)
        self._held.move_to_end(key)
        return data

    async def has(self, key: MediaKey) -> bool:
        """Whether it is here still."""
        return key in self._held

    async def take(self, key: MediaKey) -> None:
        """Puts it among the media."""
        await self._media.put(await self.get(key), f".{key.rpartition('.')[2]}")

    async def give_up(self, key: MediaKey) -> None:
        """Forgets it."""
        data = self._held.pop(key, None)
        self._bytes -= len(data or b"")


class StoredProducts:
    """In the media store, where every process finds them, whoever made them and died since.

    Args:
        media: the store.
        seconds: how long they stay where nobody takes them.
    """

    def __init__(self, media: MediaStore, seconds: float = 3600.0) -> None:
        self._media = media
        self._seconds = seconds

    async def put(self, data: bytes, suffix: str) -> MediaKey:
        """Leaves something here."""
        return await self._media.put(data, suffix, reserved=self._seconds)

    async def get(self, key: MediaKey) -> bytes:
        """What was left."""
        return await self._media.get(key)

    async def has(self, key: MediaKey) -> bool:
        """Whether it is here still."""
        return await self._media.exists(key)

    async def take(self, key: MediaKey) -> None:
        """Claims it."""
        await self._media.claim(key)

    async def give_up(self, key: MediaKey) -> None:
        """Ends its time here."""
        await self._media.unreserve(key)
