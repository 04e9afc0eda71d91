"""PortraitHandler: draws portraits."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from engine.drawing import draw, encode_draft, keys_of, portrait_of
from engine.events import PortraitProgress
from engine.jobs.base import Job, JobDone, JobProgress
from engine.jobs.handlers import Lane, Tell
from engine.jobs.products import Products
from engine.jobs.works import PORTRAIT, PortraitWork
from engine.machine import is_gpu
from engine.observing import NOBODY, Observer
from engine.pictures import read_upload
from engine.portrait.base import PictureGuard, PortraitDraft, PortraitGenerator
from engine.stopwatch import Stopwatch
from personas.persona import MediaKey


class PortraitHandler:
    """Draws a brief and leaves its pictures among the products, or only looks at a photo.

    Args:
        open_generator: gives who draws; called when something is to be drawn, and each time.
        products: where the photo lies, and the pictures go.
        observer: told how long it takes, and whether it works.
    """

    kind = PORTRAIT

    def __init__(
        self,
        open_generator: Callable[[], PortraitGenerator],
        products: Products,
        *,
        observer: Observer = NOBODY,
    ) -> None:
        self._observer = observer
        self._open = open_generator
        self._products = products

    @property
    def lane(self) -> Lane:
        """A GPU does one thing at a time, whatever it is."""
        able = self._open().capabilities
        if able.needs_gpu or is_gpu(able.device):
            return Lane("gpu")
        return Lane(self.kind, able.at_once)

    async def make(self, job: Job, tell: Tell) -> JobDone:
        """Draws it, or looks at it. See `Handler`."""
        work = PortraitWork.read(job)
        watch = Stopwatch(self._observer)
        generator = self._open()
        draft: PortraitDraft | None = None
        with watch.stage("portrait", generator.capabilities.device):
            photo = None
            if work.photo is not None:
                upload = await self._products.get(work.photo)
                photo = await asyncio.to_thread(read_upload, upload)
            if work.looks_only:
                if photo is not None and isinstance(generator, PictureGuard):
                    await asyncio.to_thread(generator.check, photo)
                return JobDone({})
            async with contextlib.aclosing(
                draw(generator, work.brief, work.seed, photo, self._observer)
            ) as steps:
                async for step in steps:
                    if isinstance(step, PortraitProgress):
                        tell(JobProgress(step.fraction, step.doing))
                    else:
                        draft = step
            assert draft is not None
            files = await encode_draft(draft)
        keys: list[MediaKey] = []
        with watch.stage("storing"):
            for data in files:
                key = await self._products.put(data, ".png")
                keys.append(key)
        portrait = portrait_of(draft, keys)
        result = {"portrait": portrait.model_dump(mode="json")}
        return JobDone(result, tuple(keys_of(portrait)), dict(watch.seconds))
