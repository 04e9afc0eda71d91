"""Heads: prepared talking heads, kept while they are of use."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from engine.observing import NOBODY, Observer
from engine.pictures import to_draft
from engine.talkinghead.base import TalkingHead
from personas.errors import ChatAnythingError
from personas.persona import MediaKey, Portrait

if TYPE_CHECKING:
    from storage.media import MediaStore

log = logging.getLogger(__name__)


class Heads:
    """Prepares the head of a portrait once, keeps it, and has the most recently used at hand.

    What is costly to prepare is kept beside the portrait in the media store, so that it is done
    once for all processes and times. What only stands in for a head that fails at the moment is not
    kept at all.

    Args:
        head: the renderer.
        media: where portraits are.
        kept: how many are at hand; each takes tens of megabytes.
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

    async def prepare_ahead(self, portrait: Portrait) -> None:
        """Does now what the first clip of a portrait would wait for, where that is much.

        What fails here is tried again, and told, where it is needed.
        """
        if not self._head.capabilities.keeps_prepared:
            return
        try:
            await self.get(portrait)
        except Exception:
            log.warning("%s is not prepared for clips yet", portrait.image[:12], exc_info=True)

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
            prepared = await self._load(portrait)
            if not self._head.capabilities.keeps_prepared or self._head.is_lasting(prepared):
                self._prepared[portrait.image] = prepared
            while len(self._prepared) > self._kept:
                self._prepared.popitem(last=False)
            return prepared

    async def _load(self, portrait: Portrait) -> Any:
        image = await self._media.get(portrait.image)
        background = body = None
        if portrait.layers is not None:
            background = await self._media.get(portrait.layers.background)
            body = await self._media.get(portrait.layers.body)
        if not self._head.capabilities.keeps_prepared:
            return await asyncio.to_thread(
                lambda: self._head.prepare(to_draft(portrait, image, background, body))
            )
        kept = await self._media.preparations.get(portrait.image, self._head.name)

        def work() -> tuple[Any, bytes | None]:
            draft = to_draft(portrait, image, background, body)
            if kept is not None:
                try:
                    return self._head.unpack(kept, draft), None
                except ChatAnythingError as error:
                    log.info("%s is prepared again: %s", portrait.image[:12], error)
            prepared = self._head.prepare(draft)
            try:
                return prepared, self._head.pack(prepared)
            except Exception:
                log.warning("What was prepared of a portrait cannot be packed", exc_info=True)
                return prepared, None

        prepared, packed = await asyncio.to_thread(work)
        if packed is not None:
            try:
                await self._media.preparations.keep(portrait.image, self._head.name, packed)
            except ChatAnythingError:
                log.warning("What was prepared of a portrait cannot be kept", exc_info=True)
        return prepared
