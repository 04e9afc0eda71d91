"""ClipHandler: films a persona while it says something."""

from __future__ import annotations

from engine.jobs.base import Job, JobDone, JobProgress
from engine.jobs.handlers import Lane, Tell
from engine.jobs.products import Products
from engine.jobs.speeches import Speeches
from engine.jobs.works import CLIP, ClipWork
from engine.speaking import Speaking
from engine.speech.base import Speech
from engine.stopwatch import Stopwatch
from personas.errors import NotFoundError
from personas.persona import MediaKey


class ClipHandler:
    """Makes a clip, and before it the speech, unless it lies there already.

    Args:
        speaking: voices and face.
        speeches: where speeches lie.
        products: where clips go.
        at_once: clips made at the same time, where they share no GPU.
    """

    kind = CLIP

    def __init__(
        self, speaking: Speaking, speeches: Speeches, products: Products, at_once: int = 1
    ) -> None:
        self._speaking = speaking
        self._speeches = speeches
        self._products = products
        self._at_once = at_once

    @property
    def lane(self) -> Lane:
        """A GPU does one thing at a time, unless clips may share its batches of frames."""
        if self._speaking.needs_gpu and self._at_once == 1:
            return Lane("gpu")
        return Lane(self.kind, self._at_once)

    async def make(self, job: Job, tell: Tell) -> JobDone:
        """Films it. See `Handler`."""
        work = ClipWork.read(job)
        watch = Stopwatch(self._speaking.observer)
        key, speech = await self._said(work, str(job.hints.get("speech", "")), watch)
        tell(JobProgress(0.1, "speaking", {"speech": key}))
        clip = await self._speaking.film(work.portrait, speech, work.seed, watch)
        with watch.stage("storing"):
            film = await self._products.put(clip.data, ".mp4")
        result = {
            "clip": film,
            "speech": key,
            "duration": clip.duration,
            "size": clip.size,
            "frames": clip.frames,
        }
        return JobDone(result, (film, key), dict(watch.seconds))

    async def _said(
        self, work: ClipWork, where: MediaKey, watch: Stopwatch
    ) -> tuple[MediaKey, Speech]:
        """The speech of a clip, and where it lies."""
        if where:
            try:
                return where, await self._speeches.get(where)
            except NotFoundError:
                pass  # it is made again
        with watch.stage("speech", self._speaking.devices["speech"]):
            speech = await self._speaking.speak(work.voice, work.text)
        return await self._speeches.put(speech), speech
