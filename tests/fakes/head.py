"""A talking head that shows the portrait, and an encoder that writes frames down as bytes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from engine.portrait.base import Image, PortraitDraft
from engine.speech.base import Speech
from engine.talkinghead.base import Clip, HeadCapabilities
from personas.errors import ChatAnythingError


@dataclass
class StillHead:
    """A TalkingHead. `failures` are raised first, one a frame sequence."""

    fps: int = 10
    size: int = 48
    failures: list[Exception] = field(default_factory=list)
    prepared: int = 0
    drawn: int = 0
    name: str = "still-1"
    device: str = "cpu"
    pause: float = 0.0

    @property
    def capabilities(self) -> HeadCapabilities:
        return HeadCapabilities(
            fps=self.fps,
            size=self.size,
            needs_layers=False,
            needs_landmarks=False,
            needs_gpu=False,
            device=self.device,
        )

    def prepare(self, portrait: PortraitDraft) -> Image:
        self.prepared += 1
        return portrait.image

    def frames(self, prepared: Image, speech: Speech, seed: int = 0) -> Iterator[Image]:
        if self.failures:
            raise self.failures.pop(0)
        for index in range(max(1, round(speech.duration * self.fps))):
            self.drawn += 1
            time.sleep(self.pause)
            yield np.roll(prepared, index + seed % 3, axis=0)

    def idle(self, prepared: Image, seconds: float, seed: int = 0) -> Iterator[Image]:
        for _ in range(max(1, round(seconds * self.fps))):
            yield prepared


def encode_frames(
    frames: Iterable[Image],
    speech: Speech,
    *,
    fps: int,
    size: int,
    cancel: threading.Event | None = None,
) -> Clip:
    """Every frame's mean as one byte, so that clips of different speech differ."""
    means = bytearray(b"clip")
    for frame in frames:
        if cancel is not None and cancel.is_set():
            raise ChatAnythingError("The clip was cancelled.")
        means.append(int(frame.mean()))
    means += speech.text.encode("utf-8", "replace")
    count = len(means) - 4
    return Clip(data=bytes(means), duration=count / fps, size=size, frames=count)
