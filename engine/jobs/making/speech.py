"""SpeechHandler: says things."""

from __future__ import annotations

from engine.jobs.base import Job, JobDone
from engine.jobs.handlers import Lane, Tell
from engine.jobs.speeches import Speeches
from engine.jobs.works import SPEECH, SpeechWork
from engine.speaking import Speaking
from engine.stopwatch import Stopwatch


class SpeechHandler:
    """Says a text and leaves the sound, with the time of each phoneme, among the products.

    Args:
        speaking: the voices.
        speeches: where speeches lie.
        at_once: speeches made at the same time.
    """

    kind = SPEECH

    def __init__(self, speaking: Speaking, speeches: Speeches, at_once: int = 4) -> None:
        self._speaking = speaking
        self._speeches = speeches
        self._at_once = at_once

    @property
    def lane(self) -> Lane:
        """Voices are light."""
        return Lane(self.kind, self._at_once)

    async def make(self, job: Job, tell: Tell) -> JobDone:
        """Says it. See `Handler`."""
        work = SpeechWork.read(job)
        watch = Stopwatch(self._speaking.observer)
        with watch.stage("speech", self._speaking.devices["speech"]):
            speech = await self._speaking.speak(work.voice, work.text)
        with watch.stage("storing"):
            key = await self._speeches.put(speech)
        return JobDone({"speech": key}, (key,), dict(watch.seconds))
