"""Live: a text shown while it is being written."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Self

from bot.chat.base import GoneError, Outlet
from bot.chat.pieces import pieces
from personas.errors import UnavailableError


class Live:
    """Shows a growing text at most every so often, and never holds up who writes it.

    A context manager; what is shown last is what `finish` says. Where the platform is out of reach
    meanwhile, the text is written all the same, and `finish` tells.

    Args:
        outlet: where the text goes.
    """

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self._text = ""
        self._changed = asyncio.Event()
        self._ending = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._follow())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    @property
    def text(self) -> str:
        """All that was added."""
        return self._text

    def add(self, text: str) -> None:
        """Adds what was just written.

        Raises:
            GoneError: there is nowhere to show it any more.
        """
        self._text += text
        self._changed.set()
        if self._task is not None and self._task.done():
            self._task.result()

    async def finish(self, text: str) -> None:
        """Shows the whole text, as it is going to stay.

        Raises:
            GoneError: there is nowhere to show it any more.
            UnavailableError: the platform is out of reach.
        """
        await self._stop()
        shown = pieces(text, self._outlet.text_limit)
        if shown:
            await self._outlet.show(shown, final=True)

    async def _follow(self) -> None:
        while not self._ending.is_set():
            await self._changed.wait()
            self._changed.clear()
            if self._ending.is_set():
                return
            shown = pieces(self._text, self._outlet.text_limit)
            if shown:
                # A look that fails is not missed: the next one, or the last, shows as much.
                with contextlib.suppress(UnavailableError):
                    await self._outlet.show(shown, final=False)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._outlet.interval):
                    await self._ending.wait()

    async def _stop(self) -> None:
        """Ends the showing, but lets a call that is on its way arrive.

        Cut off, it might be made again although the platform had taken it.
        """
        task, self._task = self._task, None
        if task is None:
            return
        self._ending.set()
        self._changed.set()
        with contextlib.suppress(GoneError):
            await task
