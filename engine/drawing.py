"""Draws and keeps portraits beside the event loop, telling how far they are."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from engine.events import PortraitProgress
from engine.observing import NOBODY, Observer
from engine.pictures import to_png
from engine.portrait.base import Image, PortraitDraft, PortraitGenerator
from personas.errors import ChatAnythingError, InvalidInputError, UnavailableError
from personas.persona import Layers, MediaKey, Portrait, PortraitBrief

if TYPE_CHECKING:
    from storage.media import MediaStore

log = logging.getLogger(__name__)


class _CancelledError(Exception):
    """Nobody waits for this portrait any more; raised inside the generator's thread."""


async def draw(
    generator: PortraitGenerator,
    brief: PortraitBrief,
    seed: int,
    photo: Image | None,
    observer: Observer = NOBODY,
) -> AsyncGenerator[PortraitProgress | PortraitDraft]:
    """Progress, and the draft at last. Closing it ends the drawing at its next step.

    A portrait that cannot be drawn in its style is drawn in any.

    Raises:
        InvalidInputError: the photo cannot be used.
        UnavailableError: it cannot be drawn at all; the message says why.
    """
    briefs = [brief]
    if brief.style and photo is None:
        briefs.append(brief.model_copy(update={"style": ""}))
    failure: Exception | None = None
    kind = "guided" if generator.capabilities.guided else "drawn"
    for attempt in briefs:
        try:
            async with contextlib.aclosing(_draw_once(generator, attempt, seed, photo)) as steps:
                async for step in steps:
                    yield step
            observer.worked("portrait", kind)
            return
        except InvalidInputError:
            if photo is not None:
                raise
            log.exception("The portrait generator refuses %r", attempt)
            observer.failed("portrait", kind)
        except Exception as error:
            log.warning(
                "No portrait of %r in style %r", attempt.subject, attempt.style, exc_info=True
            )
            failure = failure or error
            observer.failed("portrait", kind)
    if isinstance(failure, ChatAnythingError):
        raise failure
    raise UnavailableError(
        "The portrait cannot be drawn: its generator failed. The log says why."
    ) from failure


async def _draw_once(
    generator: PortraitGenerator, brief: PortraitBrief, seed: int, photo: Image | None
) -> AsyncGenerator[PortraitProgress | PortraitDraft]:
    loop = asyncio.get_running_loop()
    steps: asyncio.Queue[PortraitProgress | None] = asyncio.Queue()
    cancelled = threading.Event()

    def tell(fraction: float, doing: str) -> None:
        if cancelled.is_set():
            raise _CancelledError
        step = PortraitProgress(min(1.0, max(0.0, float(fraction))), doing)
        loop.call_soon_threadsafe(steps.put_nowait, step)

    def work() -> PortraitDraft:
        try:
            return generator.generate(brief, seed, photo=photo, progress=tell)
        finally:
            with contextlib.suppress(RuntimeError):  # the loop may be closed by now
                loop.call_soon_threadsafe(steps.put_nowait, None)

    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        while (step := await steps.get()) is not None:
            yield step
        yield await task
    finally:
        cancelled.set()
        if not task.done():
            task.cancel()
        elif not task.cancelled():
            task.exception()  # looked at, so that nobody complains


async def encode_draft(draft: PortraitDraft) -> list[bytes]:
    """The PNG files of a draft: the image, and its background and body where it has layers."""
    pictures = [draft.image]
    if draft.background is not None and draft.body is not None:
        pictures += [draft.background, draft.body]
    return await asyncio.to_thread(lambda: [to_png(picture) for picture in pictures])


async def keep(media: MediaStore, draft: PortraitDraft, files: list[bytes]) -> Portrait:
    """Puts the files of a draft into the media store; all of them or none."""
    keys: list[MediaKey] = []
    try:
        for data in files:
            key = await media.put(data, ".png")
            keys.append(key)
    except BaseException:
        await asyncio.shield(discard(media, keys))
        raise
    return portrait_of(draft, keys)


def portrait_of(draft: PortraitDraft, keys: list[MediaKey]) -> Portrait:
    """The portrait whose pictures are kept under `keys`, in the order of `encode_draft`."""
    height, width = draft.image.shape[:2]
    return Portrait(
        image=keys[0],
        size=(width, height),
        generator=draft.generator,
        style=draft.style,
        seed=draft.seed,
        geometry=draft.geometry,
        look=draft.look,
        layers=Layers(background=keys[1], body=keys[2]) if len(keys) == 3 else None,
        credits=draft.credits,
        attempts=draft.attempts,
    )


async def discard(media: MediaStore, keys: list[MediaKey]) -> None:
    """Gives up what was put for a persona that will not be."""
    for key in keys:
        with contextlib.suppress(ChatAnythingError):
            await media.delete(key)


def keys_of(portrait: Portrait) -> list[MediaKey]:
    """The media of a portrait."""
    layers = portrait.layers
    return [portrait.image, *((layers.background, layers.body) if layers else ())]
