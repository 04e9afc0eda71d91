"""Calls to a platform that must not be broken off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Literal

from bot.chat.base import Journal
from personas.errors import ChatAnythingError


async def to_its_end(call: Coroutine[Any, Any, None]) -> None:
    """Makes a call that goes on to its end, also when whoever waits for it is cancelled.

    A message that has been posted has to be known, or it would be posted again.
    """
    task = asyncio.ensure_future(call)
    # Where nobody waits any more, nobody asks for the error either.
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    await asyncio.shield(task)


@asynccontextmanager
async def handing_over(
    journal: Journal | None, kind: Literal["text", "file"]
) -> AsyncIterator[None]:
    """Surrounds the sending of what is never sent again, unless it certainly did not arrive."""
    if journal is not None:
        await journal.sending(kind)
    try:
        yield
    except ChatAnythingError:
        if journal is not None:
            await journal.sending("")
        raise
