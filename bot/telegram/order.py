"""Updates of one chat in their order, those of different chats side by side."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any, Final
from weakref import WeakValueDictionary

from telegram import Update
from telegram.ext import BaseUpdateProcessor

log = logging.getLogger(__name__)

_AT_ONCE: Final = 4_096


class InOrder(BaseUpdateProcessor):
    """An update processor of python-telegram-bot that keeps the order within each chat.

    What takes long is not waited for here: handlers let it go on by itself.
    """

    def __init__(self) -> None:
        super().__init__(_AT_ONCE)
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def initialize(self) -> None:
        """Nothing is needed."""

    async def shutdown(self) -> None:
        """Nothing is left."""

    async def do_process_update(self, update: object, coroutine: Awaitable[Any]) -> None:
        """Processes an update after those of its chat that came before."""
        chat = update.effective_chat if isinstance(update, Update) else None
        if chat is None:
            await coroutine
            return
        lock = self._locks.get(chat.id)
        if lock is None:
            lock = self._locks[chat.id] = asyncio.Lock()
        async with lock:
            await coroutine
