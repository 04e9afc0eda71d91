"""Speaking: text in a persona's voice, and the clip in which its face says it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

from engine.heads import Heads
from engine.machine import is_gpu
from engine.observing import NOBODY, Observer
from engine.portrait.base import Image
from engine.speech.base import Speech, SpeechSynthesizer
from engine.stopwatch import Stopwatch
from engine.talkinghead.base import Clip, TalkingHead
from personas.persona import Portrait, Voice

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
        observer: told how the head works, and how long everything takes.
    """

    def __init__(
        self,
        synthesizer: SpeechSynthesizer,
        head: TalkingHead[Any],
        encode: Encode,
        media: MediaStore,
        *,
        observer: Observer = NOBODY,
    ) -> None:
        self.observer = observer
        self._synthesizer = synthesizer
        self._head = head
        self._encode = encode
        self._heads = Heads(head, media, observer=observer)

    @property
    def devices(self) -> dict[str, str]:
        """What each stage keeps busy; empty for what is done elsewhere."""
        voice = self._synthesizer.capabilities
        return {
            "speech": "" if voice.online else voice.device,
            "clip": self._head.capabilities.device,
        }

    @property
    def needs_gpu(self) -> bool:
        """Whether the head keeps a GPU busy."""
        return is_gpu(self._head.capabilities.device)

    async def get_ready(self, portrait: Portrait | None) -> None:
        """Loads the voice, and a head where one is given, ahead of time.

        What fails here fails again, and is told, where it is needed.
        """
        with contextlib.suppress(Exception):
            await asyncio.to_thread(self._synthesizer.warm_up)
        if portrait is not None:
            with contextlib.suppress(Exception):
                await self._heads.get(portrait)

    async def speak(self, voice: Voice, text: str) -> Speech:
        """Says `text` in a voice.

        Raises:
            InvalidInputError: there is nothing in the text that can be spoken.
            UnavailableError: no voice can run here.
        """
        return await asyncio.to_thread(self._synthesizer.synthesize, text, voice)

    async def film(self, portrait: Portrait, speech: Speech, seed: int, watch: Stopwatch) -> Clip:
        """Draws and encodes a portrait saying it; cancelling stops the work soon.

        Args:
            portrait: who speaks.
            speech: what is heard.
            seed: the same speech is always performed the same way.
            watch: told how long it took.

        Raises:
            ChatAnythingError: there is no such clip, with the reason.
        """
        cancel = threading.Event()
        capabilities = self._head.capabilities

        def work(prepared: Any) -> Clip:
            frames = self._head.frames(prepared, speech, seed)
            return self._encode(
                frames, speech, fps=capabilities.fps, size=capabilities.size, cancel=cancel
            )

        with watch.stage("head"):
            prepared = await self._heads.get(portrait)
        try:
            with watch.stage("clip", capabilities.device):
                clip = await asyncio.to_thread(work, prepared)
        except asyncio.CancelledError:
            cancel.set()
            raise
        except Exception:
            self.observer.failed("head", self._head.name)
            raise
        self.observer.worked("head", self._head.name)
        return clip
