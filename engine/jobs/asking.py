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
    Priority,
    failure,
)
from personas.errors import ChatAnythingError, UnavailableError

log = logging.getLogger(__name__)

_STOPPED: Final = "This was stopped before it was done."
_TOO_LATE: Final = "There is so much to do that this would have come too late."


@dataclass(frozen=True)
class Asker:
    """For whom something is made.

    Attributes:
        community: the gallery.
        person: who of it; may be empty.
        priority: how soon.
        patience: seconds until nobody waits for it any more; None: somebody always does.
    """

    community: str
    person: str = ""
    priority: Priority = Priority.CLIP
    patience: float | None = None


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
    has_ended = False
    try:
        async with contextlib.aclosing(queue.events(id)) as events:
            async for event in events:
                match event:
                    case JobFailed():
                        has_ended = True
                        raise failure(event)
                    case JobCancelled():
                        has_ended = True
                        raise UnavailableError(_STOPPED)
                    case JobExpired():
                        has_ended = True
                        raise UnavailableError(_TOO_LATE)
                    case JobDone():
                        has_ended = True
                yield event
    finally:
        if not has_ended:
            await asyncio.shield(_take_back(queue, id))


async def _take_back(queue: JobQueue, id: str) -> None:
    try:
        await queue.cancel(id)
    except ChatAnythingError:
        log.warning("A job could not be taken back; it is made for nobody.", exc_info=True)
