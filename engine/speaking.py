"""Speaking: text in a persona's voice, and the clip in which its face says it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

from engine.heads import Heads
from engine.observing import NOBODY, Observer
from engine.portrait.base import Image
from engine.speech.base import Speech, SpeechSynthesizer
from engine.stopwatch import Stopwatch
from engine.talkinghead.base import Clip, TalkingHead
from personas.persona import Persona

if TYPE_CHECKING:
    from storage.media import MediaStore


class Encode(Protocol):
    """Frames and speech in, video out; `engine.talkinghead.video.encode` is one."""

    def __call__(
        self,
        frames: Iterable[Image],
        speech: Speech,
        *,
        fps: int,
        size: int,
        cancel: threading.Event | None = None,
    ) -> Clip:
        """Encodes while the frames are drawn; ends soon with an error once `cancel` is set."""


class Speaking:
    """Gives words a voice and a moving face.

    Args:
        synthesizer: speaks.
        head: moves the face.
        encode: makes the video.
        media: where portraits are.
        clips_at_once: clips drawn at the same time.
        observer: told how the head works.
    """

    def __init__(
        self,
        synthesizer: SpeechSynthesizer,
        head: TalkingHead[Any],
        encode: Encode,
        media: MediaStore,
        clips_at_once: int,
        *,
        observer: Observer = NOBODY,
    ) -> None:
        self._observer = observer
        self._synthesizer = synthesizer
        self._head = head
        self._encode = encode
        self._heads = Heads(head, media, observer=observer)
        self._clips = asyncio.Semaphore(clips_at_once)

    @property
    def devices(self) -> dict[str, str]:
        """What each stage keeps busy; empty for what is done elsewhere."""
        voice = self._synthesizer.capabilities
        return {
            "speech": "" if voice.online else voice.device,
            "clip": self._head.capabilities.device,
        }

    async def get_ready(self, persona: Persona, *, face: bool) -> None:
        """Loads voice and head ahead of time.

        What fails here fails again, and is told, where it is needed.
        """
        with contextlib.suppress(Exception):
            await asyncio.to_thread(self._synthesizer.warm_up)
        if face:
            with contextlib.suppress(Exception):
                await self._heads.get(persona.portrait)

    async def speak(self, persona: Persona, text: str) -> Speech:
        """Says `text` in the persona's voice.

        Raises:
            InvalidInputError: there is nothing in the text that can be spoken.
            UnavailableError: no voice can run here.
        """
        return await asyncio.to_thread(self._synthesizer.synthesize, text, persona.voice)

    async def film(self, persona: Persona, speech: Speech, text: str, watch: Stopwatch) -> Clip:
        """Draws and encodes the persona saying it; cancelling stops the work soon.

        Args:
            persona: who speaks.
            speech: what is heard.
            text: what is said; the same words are always performed the same way.
            watch: told how long it took.

        Raises:
            ChatAnythingError: there is no such clip, with the reason.
        """
        cancel = threading.Event()
        capabilities = self._head.capabilities
        seed = clip_seed(persona, text)

        def work(prepared: Any) -> Clip:
            frames = self._head.frames(prepared, speech, seed)
            return self._encode(
                frames, speech, fps=capabilities.fps, size=capabilities.size, cancel=cancel
            )

        async with self._clips:
            with watch.stage("head"):
                prepared = await self._heads.get(persona.portrait)
            try:
                with watch.stage("clip", capabilities.device):
                    clip = await asyncio.to_thread(work, prepared)
            except asyncio.CancelledError:
                cancel.set()
                raise
            except Exception:
                self._observer.failed("head", self._head.name)
                raise
            self._observer.worked("head", self._head.name)
            return clip


def clip_seed(persona: Persona, text: str) -> int:
    """How a persona moves while it says something: always the same way."""
    return (
        int.from_bytes(
            hashlib.sha256(f"{persona.seed}\n{text}".encode("utf-8", "replace")).digest()[:4]
        )
        >> 1
    )
