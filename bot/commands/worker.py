"""`chatanything worker`: makes portraits, voices and clips for bots elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from bot.output import say
from bot.signals import on_signals
from personas.errors import ChatAnythingError, InvalidInputError, UnavailableError

if TYPE_CHECKING:
    from bot.app import App
    from engine.jobs.saq.queue import SaqQueue
    from engine.jobs.saq.worker import SaqWorker

log = logging.getLogger(__name__)

_LOOKS_EVERY: Final = 20.0
"""Seconds between two looks at what the bots expect."""


async def work(app: App, *, stages: str, device: str, concurrency: int) -> None:
    """Works for the queue of the settings. The first signal drains, the second ends at once.

    Args:
        app: the program.
        stages: kinds of work, with commas between; empty: all.
        device: `cpu`, `cuda` or `cuda:1`; empty: as the models choose.
        concurrency: jobs in hand at the same time.

    Raises:
        InvalidInputError: there is no such stage or device.
        UnavailableError: the queue cannot be used, or this worker makes other things than the
            bots expect.
    """
    if app.settings.jobs.backend != "saq":
        raise InvalidInputError(
            'Workers work for the queue of many processes: set backend = "saq" in [jobs], here '
            "and where the bots are."
        )
    use_device(device)
    from bot.chat.accounts import Accounts
    from bot.commands.serve import checks, waiting
    from engine.jobs.factory import handlers_for, open_shared_queue
    from engine.jobs.products import StoredProducts
    from engine.jobs.saq.fingerprint import check
    from engine.jobs.saq.worker import SaqWorker
    from engine.jobs.speeches import Speeches
    from engine.jobs.works import KINDS, PORTRAIT

    ours = app.fingerprint()  # of what is loaded, whatever becomes of the files
    settings = app.settings.jobs
    kinds = [part.strip() for part in stages.split(",") if part.strip()] or list(KINDS)
    storage = await app.storage()
    products = StoredProducts(storage.media, settings.result_seconds)
    speaking = app.speaking(storage.media)
    handlers = handlers_for(
        kinds,
        products,
        Speeches(products),
        lambda: app.portraits,
        speaking,
        clips_at_once=concurrency,
        observer=app.operating.observer,
        keep=Accounts(storage).keep,
    )
    queue = await open_shared_queue(settings, app.settings.storage.database, storage)
    try:
        await check(queue.database, ours)
        if PORTRAIT in kinds:
            _ = app.portraits  # what is missing is told now, not when somebody waits
        if set(kinds) != {PORTRAIT}:
            await speaking.get_ready(None)
        worker = SaqWorker(queue, handlers, concurrency, {"device": device or "auto"})
        async with app.operating.running(
            checks(app, [], queue), lambda: waiting(queue), lambda: worker.in_hand
        ):
            what = f"{', '.join(kinds)}; {concurrency} at once"
            say(f"Working: {what}, as {worker.id}. Ctrl+C ends it.")
            await _until_told(worker, queue, ours, settings.drain_seconds)
    finally:
        await queue.aclose()
    say("Nothing is in hand any more. Goodbye.")


def use_device(device: str) -> None:
    """Lets the models of this process see one device only; before any of them is loaded.

    Raises:
        InvalidInputError: there is no such device.
    """
    kind, _, number = device.partition(":")
    if kind not in ("", "cpu", "cuda") or (number and not number.isdecimal()):
        raise InvalidInputError(f"There is no device {device}; there are cpu, cuda and cuda:0 ...")
    if kind == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    elif number:
        os.environ["CUDA_VISIBLE_DEVICES"] = number


async def _until_told(
    worker: SaqWorker, queue: SaqQueue, ours: Mapping[str, str], drain_seconds: float
) -> None:
    """Works until a signal comes, or until the bots expect something else."""
    working = asyncio.create_task(worker.run())
    other = asyncio.create_task(_until_other(queue, ours, worker))
    signals = 0

    def told() -> None:
        nonlocal signals
        signals += 1
        if signals == 1:
            say("Finishing what is in hand. Once more hands it back and ends at once.")
            worker.drain()
            asyncio.get_running_loop().call_later(drain_seconds, working.cancel)
        else:
            working.cancel()

    with on_signals(told):
        try:
            await asyncio.wait({working})
        finally:
            other.cancel()
            await asyncio.gather(other, return_exceptions=True)
            if not working.done():
                working.cancel()
            result = (await asyncio.gather(working, return_exceptions=True))[0]
    if isinstance(result, Exception):
        raise result
    if not other.cancelled() and (error := other.exception()) is not None:
        raise error


async def _until_other(queue: SaqQueue, ours: Mapping[str, str], worker: SaqWorker) -> None:
    """Ends the worker when bots of another version have come."""
    from engine.jobs.saq.fingerprint import check

    while True:
        await asyncio.sleep(_LOOKS_EVERY)
        try:
            await check(queue.database, ours)
        except UnavailableError as error:
            if await _is_there(queue):
                log.error("%s", error)
                worker.drain()
                raise


async def _is_there(queue: SaqQueue) -> bool:
    with contextlib.suppress(ChatAnythingError):
        await queue.database.rows("SELECT 1", 1.0)
        return True
    return False
