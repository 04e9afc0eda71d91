"""Succession: what killed processes have left is found, and gone on with."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from personas.errors import ChatAnythingError

log = logging.getLogger(__name__)


class Succession:
    """Looks for what is left when it begins, and then from time to time.

    Args:
        look: takes over what there is, and lets it go on.
        seconds: between two looks; 0 looks only once.
    """

    def __init__(self, look: Callable[[], Awaitable[None]], seconds: float) -> None:
        self._look = look
        self._seconds = seconds
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Begins, once however often it is called."""
        if self._task is None:
            self._task = asyncio.create_task(self._watch())

    async def end(self) -> None:
        """Takes over nothing more. Safe to call twice."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            try:
                await self._look()
            except ChatAnythingError as error:
                log.warning("What others have left was not looked at: %s", error)
            except Exception:
                log.exception("What others have left was not looked at")
            if not self._seconds:
                return
            await asyncio.sleep(self._seconds)
