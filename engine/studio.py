"""Studio: where portraits, voices and clips are ordered, wherever they are made."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from engine.events import PortraitProgress
from engine.jobs.asking import Asker, ask
from engine.jobs.base import Job, JobDone, JobProgress, JobQueue, Priority
from engine.jobs.products import Products
from engine.jobs.settings import JobSettings
from engine.jobs.speeches import Speeches
from engine.jobs.works import CLIP, PORTRAIT, SPEECH, ClipWork, PortraitWork, SpeechWork
from engine.observing import current
from engine.speech.base import Speech
from engine.stopwatch import Stopwatch
from engine.talkinghead.base import Clip
from personas.errors import NotFoundError, UnavailableError
from personas.persona import MediaKey, Persona, Portrait, PortraitBrief

if TYPE_CHECKING:
    from engine.speaking import Speaking

Fetched = TypeVar("Fetched")

_ODD = "What came back is not what was asked for. The log says more."


@dataclass(frozen=True)
class Said:
    """Something that was said.

    Attributes:
        key: where it lies among the products.
        speech: the sound.
    """

    key: MediaKey
    speech: Speech


@dataclass(frozen=True)
class Filmed:
    """Something that was said before the camera.

    Attributes:
        key: where the clip lies among the products.
        clip: the video.
    """

    key: MediaKey
    clip: Clip


class Studio:
    """Orders work from a queue and fetches what comes of it.

    Args:
        queue: where work waits.
        products: where its results lie.
        settings: how long they are waited for.
        made_by: settings and versions that show in a result, by kind of work.
        speaking: voices and faces of this process, which it may get ready ahead of time; None
            where others do the work.
    """

    def __init__(
        self,
        queue: JobQueue,
        products: Products,
        settings: JobSettings | None = None,
        *,
        made_by: Mapping[str, str] | None = None,
        speaking: Speaking | None = None,
        speeches: Speeches | None = None,
    ) -> None:
        self.queue = queue
        self.products = products
        self._settings = settings or JobSettings()
        self._made_by = made_by or {}
        self._speaking = speaking
        self._speeches = speeches or Speeches(products)

    async def portray(
        self, brief: PortraitBrief, seed: int, upload: bytes | None, asker: Asker
    ) -> AsyncGenerator[PortraitProgress | Portrait]:
        """Progress, and the portrait at last; its pictures are products, to be taken.

        Args:
            brief: what to draw.
            seed: decides everything that is left open.
            upload: an image file to go by.
            asker: for whom.

        Raises:
            ChatAnythingError: it cannot be drawn, with the reason.
        """
        photo = await self.products.put(upload, ".upload") if upload is not None else None
        made_by = self._made_by.get(PORTRAIT, "")
        work = PortraitWork(brief=brief, seed=seed, photo=photo, made_by=made_by)
        asker = self._patient(asker, self._settings.portrait_patience)
        async with contextlib.aclosing(ask(self.queue, work.job(meta=_meta()), asker)) as events:
            async for event in events:
                if isinstance(event, JobProgress):
                    yield PortraitProgress(event.fraction, event.doing)
                elif isinstance(event, JobDone):
                    yield _portrait(event.result)

    async def check(self, picture: bytes, asker: Asker) -> None:
        """Has a picture looked at by who draws, as those are that portraits are made of.

        Args:
            picture: an image file.
            asker: for whom.

        Raises:
            InvalidInputError: it is no picture, or not fit for everybody.
            UnavailableError: nobody can look at it now.
        """
        work = PortraitWork(
            brief=PortraitBrief(subject="picture"),
            seed=0,
            photo=await self.products.put(picture, ".upload"),
            looks_only=True,
            made_by=self._made_by.get(PORTRAIT, ""),
        )
        asker = self._patient(asker, self._settings.portrait_patience)
        async with contextlib.aclosing(ask(self.queue, work.job(meta=_meta()), asker)) as events:
            async for _ in events:
                pass

    async def speak(self, persona: Persona, text: str, asker: Asker, watch: Stopwatch) -> Said:
        """A persona says a text.

        Raises:
            ChatAnythingError: it cannot be said, with the reason.
        """
        made_by = self._made_by.get(SPEECH, "")
        work = SpeechWork(text=text, voice=persona.voice, made_by=made_by)

        async def fetch(done: JobDone) -> Said:
            key = str(done.result.get("speech", ""))
            return Said(key, await self._speeches.get(key))

        if asker.priority is Priority.CLIP:
            asker = replace(asker, priority=Priority.SPEECH)
        asker = self._patient(asker, self._settings.speech_patience)
        return await self._fetched(work.job(meta=_meta()), asker, watch, fetch)

    async def film(
        self, persona: Persona, text: str, said: Said, asker: Asker, watch: Stopwatch
    ) -> Filmed:
        """A persona is filmed while it says a text.

        Args:
            persona: who.
            text: what is said.
            said: as it sounds.
            asker: for whom.
            watch: told how long it took.

        Raises:
            ChatAnythingError: there is no such clip, with the reason.
        """
        work = ClipWork.of(persona, text, self._made_by.get(CLIP, ""))

        async def fetch(done: JobDone) -> Filmed:
            try:
                key = str(done.result["clip"])
                duration, size = float(done.result["duration"]), int(done.result["size"])
                frames = int(done.result["frames"])
            except (KeyError, TypeError, ValueError) as error:
                raise UnavailableError(_ODD) from error
            return Filmed(key, Clip(await self.products.get(key), duration, size, frames))

        asker = self._patient(asker, self._settings.clip_patience)
        return await self._fetched(work.job(said.key, meta=_meta()), asker, watch, fetch)

    @property
    def devices(self) -> dict[str, str]:
        """What voices and clips keep busy, as far as they are made here."""
        return self._speaking.devices if self._speaking is not None else {}

    async def get_ready(self, persona: Persona, *, face: bool) -> None:
        """Loads voice and head ahead of time, where they are in this process."""
        if self._speaking is not None:
            await self._speaking.get_ready(persona.portrait if face else None)

    async def resume(self) -> None:
        """Takes up the work that ended processes of this machine have left, if it is done here.

        Raises:
            UnavailableError: the storage cannot be used.
        """
        await self.queue.resume()

    async def aclose(self) -> None:
        """Ends all work of this process. Safe to call twice."""
        await self.queue.aclose()

    async def _fetched(
        self,
        job: Job,
        asker: Asker,
        watch: Stopwatch,
        fetch: Callable[[JobDone], Awaitable[Fetched]],
    ) -> Fetched:
        """What was made; it is made once more where it got lost on the way."""
        try:
            return await fetch(await self._done(job, asker, watch))
        except NotFoundError:
            if not await self.queue.drop(job.id):
                raise
        return await fetch(await self._done(job, asker, watch))

    async def _done(self, job: Job, asker: Asker, watch: Stopwatch) -> JobDone:
        async with contextlib.aclosing(ask(self.queue, job, asker)) as events:
            async for event in events:
                if isinstance(event, JobDone):
                    for stage, seconds in event.seconds.items():
                        watch.seconds[stage] = watch.seconds.get(stage, 0.0) + seconds
                    return event
        raise UnavailableError(_ODD)

    @staticmethod
    def _patient(asker: Asker, seconds: float) -> Asker:
        """Who asks, by id where that is known, and for how long they wait."""
        request = current()
        person = request.person if request is not None and request.person else asker.person
        patience = asker.patience if asker.patience is not None else seconds
        return replace(asker, person=person, patience=patience)


def _meta() -> dict[str, str]:
    """Whom a job is for, as its metadata take it along."""
    request = current()
    return request.carried() if request is not None else {}


def _portrait(result: Mapping[str, Any]) -> Portrait:
    try:
        return Portrait.model_validate(result["portrait"])
    except (KeyError, ValueError) as error:
        raise UnavailableError(_ODD) from error
