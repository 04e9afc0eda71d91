"""Heads: prepared talking heads, kept while they are of use."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from engine.observing import NOBODY, Observer
from engine.pictures import to_draft
from engine.talkinghead.base import TalkingHead
from personas.persona import MediaKey, Portrait

if TYPE_CHECKING:
    from storage.media import MediaStore


class Heads:
    """Prepares the head of a portrait once and keeps the most recently used.

    Args:
        head: the renderer.
        media: where portraits are.
        kept: how many are kept; each takes tens of megabytes.
        observer: told what was found.
    """

    def __init__(
        self,
        head: TalkingHead[Any],
        media: MediaStore,
        kept: int = 4,
        *,
        observer: Observer = NOBODY,
    ) -> None:
        self._head = head
        self._observer = observer
        self._media = media
        self._kept = kept
        self._prepared: OrderedDict[MediaKey, Any] = OrderedDict()
        self._busy: WeakValueDictionary[MediaKey, asyncio.Lock] = WeakValueDictionary()

    async def get(self, portrait: Portrait) -> Any:
        """What the renderer needs for clips of this portrait.

        Raises:
            NotFoundError: a picture of it is not kept any more.
            UnavailableError: a picture is damaged.
            InvalidInputError: the renderer cannot use this portrait.
        """
        lock = self._busy.setdefault(portrait.image, asyncio.Lock())
        async with lock:
            known = portrait.image in self._prepared
            self._observer.looked_up("heads", known)
            if known:
                self._prepared.move_to_end(portrait.image)
                return self._prepared[portrait.image]
            image = await self._media.get(portrait.image)
            background = body = None
            if portrait.layers is not None:
                background = await self._media.get(portrait.layers.background)
                body = await self._media.get(portrait.layers.body)
            prepared = await asyncio.to_thread(self._prepare, portrait, image, background, body)
            self._prepared[portrait.image] = prepared
            while len(self._prepared) > self._kept:
                self._prepared.popitem(last=False)
            return prepared

    def _prepare(
        self, portrait: Portrait, image: bytes, background: bytes | None, body: bytes | None
    ) -> Any:
        return self._head.prepare(to_draft(portrait, image, background, body))
