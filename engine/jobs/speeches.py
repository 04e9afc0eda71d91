"""Speeches: sound with its timed phonemes, among the products."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Final

from engine.jobs.products import Products
from engine.speech.base import Speech
from engine.speech.cache import speech_from_bytes, speech_to_bytes
from personas.errors import NotFoundError
from personas.persona import MediaKey

_REMEMBERED: Final = 32
_DAMAGED: Final = "What was said is not kept any more. Ask for it again."


class Speeches:
    """Speeches by key. Those of this process are remembered as they are, so that nobody waits.

    Args:
        products: where they lie.
    """

    def __init__(self, products: Products) -> None:
        self._products = products
        self._here: OrderedDict[MediaKey, Speech] = OrderedDict()

    async def put(self, speech: Speech) -> MediaKey:
        """Leaves a speech there.

        Raises:
            UnavailableError: it cannot be kept.
        """
        data = await asyncio.to_thread(speech_to_bytes, speech)
        key = await self._products.put(data, ".speech")
        self._remember(key, speech)
        return key

    async def get(self, key: MediaKey) -> Speech:
        """A speech.

        Raises:
            NotFoundError: it is not there any more, or no speech.
            UnavailableError: it cannot be read.
        """
        if key in self._here:
            return self._here[key]
        data = await self._products.get(key)
        try:
            speech = await asyncio.to_thread(speech_from_bytes, data)
        except ValueError as error:
            raise NotFoundError(_DAMAGED) from error
        self._remember(key, speech)
        return speech

    def _remember(self, key: MediaKey, speech: Speech) -> None:
        self._here[key] = speech
        while len(self._here) > _REMEMBERED:
            self._here.popitem(last=False)
