"""Asking: a job is submitted, listened to, and taken back when nobody wants it any more."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final

from engine.jobs.base import (
    Job,
    JobCancelled,
    JobDone,
    JobEvent,
    JobExpired,
    JobFailed,
    JobQueue,
    JobStarted,
    Priority,
    failure,
)
from personas.errors import ChatAnythingError, UnavailableError

log = logging.getLogger(__name__)

_STOPPED: Final = "This was stopped before it was done."
_MOMENT: Final = 0.5
"""Seconds in which a queue with free hands has begun a job; what waits for longer really waits."""
_TOO_LATE: Final = "There is so much to do that this would have come too late."


@dataclass(frozen=True)
class Asker:
    """For whom something is made.

    Attributes:
        community: the gallery.
        person: who of it; may be empty.
        priority: how soon.
        patience: seconds until nobody waits for it any more; None: somebody always does.
        moved_on: set once whoever asks has moved on to something else: what is not begun by then
            is taken back. None: they stay.
    """

    community: str
    person: str = ""
    priority: Priority = Priority.CLIP
    patience: float | None = None
    moved_on: asyncio.Event | None = None


async def ask(queue: JobQueue, job: Job, asker: Asker) -> AsyncGenerator[JobEvent]:
    """What happens to a job, to its `JobDone`. Closing the iterator takes the job back.

    Raises:
        ChatAnythingError: it cannot be made; the sentence says why.
    """
    id = await queue.submit(
        job,
        community=asker.community,
        priority=asker.priority,
        person=asker.person,
        patience=asker.patience,
    )
    has_begun = is_over = False

    async def take_back_when_moved_on(moved_on: asyncio.Event) -> None:
        nonlocal is_over
        await moved_on.wait()
        await asyncio.sleep(_MOMENT)
        if not has_begun and not is_over:
            is_over = True
            await asyncio.shield(_take_back(queue, id))

    watching: asyncio.Task[None] | None = None
    if asker.moved_on is not None:
        watching = asyncio.create_task(take_back_when_moved_on(asker.moved_on))
    try:
        async with contextlib.aclosing(queue.events(id)) as events:
            async for event in events:
                match event:
                    case JobStarted():
                        has_begun = True
                    case JobFailed():
                        is_over = True
                        raise failure(event)
                    case JobCancelled():
                        is_over = True
                        raise UnavailableError(_STOPPED)
                    case JobExpired():
                        is_over = True
                        raise UnavailableError(_TOO_LATE)
                    case JobDone():
                        is_over = True
                yield event
    finally:
        if watching is not None:
            watching.cancel()
        if not is_over:
            await asyncio.shield(_take_back(queue, id))


async def _take_back(queue: JobQueue, id: str) -> None:
    try:
        await queue.cancel(id)
    except ChatAnythingError:
        log.warning("A job could not be taken back; it is made for nobody.", exc_info=True)
