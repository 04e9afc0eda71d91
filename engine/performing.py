"""Performing: the half of an answer that follows its words, its voice and its clip."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Final

from engine.events import ClipFailed, ClipReady, ReplyEvent, SpeechReady
from engine.jobs.asking import Asker
from engine.settings import Mode
from engine.stopwatch import Stopwatch
from engine.studio import Said, Studio
from personas.errors import ChatAnythingError
from personas.persona import Persona

if TYPE_CHECKING:
    from storage.store import Storage

log = logging.getLogger(__name__)

UNEXPECTED: Final = "Something went wrong in the program. The log says more."


class Performer:
    """Has texts said and filmed, and keeps the clips with the answers they belong to.

    Args:
        studio: has speeches and clips made.
        storage: where clips are kept.
    """

    def __init__(self, studio: Studio, storage: Storage) -> None:
        self._studio = studio
        self._storage = storage

    async def perform(
        self,
        persona: Persona,
        text: str,
        mode: Mode,
        watch: Stopwatch,
        turn_id: int | None,
        asker: Asker,
    ) -> AsyncGenerator[ReplyEvent]:
        """Speech and clip of a text; what goes wrong is the last event.

        Args:
            persona: who says it.
            text: what is said.
            mode: nothing follows a text; a voice ends with the speech.
            watch: told how long each stage took.
            turn_id: the answer that the clip belongs to; None: the clip is not kept.
            asker: for whom it is.
        """
        if mode == "text":
            return
        try:
            said = await self._studio.speak(persona, text, asker, watch)
            yield SpeechReady(said.speech)
            if mode == "clip":
                yield await self._clip(persona, text, said, watch, turn_id, asker)
        except ChatAnythingError as error:
            log.warning("No clip of %s: %s", persona.slug, error, exc_info=error)
            yield ClipFailed(str(error))
        except Exception:
            log.exception("No clip of %s", persona.slug)
            yield ClipFailed(UNEXPECTED)

    async def _clip(
        self,
        persona: Persona,
        text: str,
        said: Said,
        watch: Stopwatch,
        turn_id: int | None,
        asker: Asker,
    ) -> ClipReady:
        """Has what was said filmed, and stores it; a clip of no turn is not kept."""
        filmed = await self._studio.film(persona, text, said, asker, watch)
        if turn_id is None:
            return ClipReady("", filmed.clip, dict(watch.seconds))
        with watch.stage("storing"):
            await self._studio.products.take(filmed.key)
            try:
                await self._storage.conversations.attach_clip(turn_id, filmed.key)
            except BaseException:
                await asyncio.shield(self._storage.media.delete(filmed.key))
                raise
        return ClipReady(filmed.key, filmed.clip, dict(watch.seconds))
