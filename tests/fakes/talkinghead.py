"""A talking head for tests: it draws nothing but a square that opens with the voice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from engine.portrait.base import Image, PortraitDraft
from engine.speech.base import Speech
from engine.talkinghead.base import HeadCapabilities
from personas.errors import UnavailableError


@dataclass
class FakeHead:
    """A TalkingHead that is fast and keeps count; set `error` to make it fail.

    `refusals` are raised by `prepare` and `unpack` first, one a call.
    """

    size: int = 64
    fps: int = 25
    error: Exception | None = None
    keeps: bool = False
    refusals: list[Exception] = field(default_factory=list)
    prepared: int = 0
    closed: list[int] = field(default_factory=list)

    @property
    def name(self) -> str:
        return "fake-1"

    @property
    def capabilities(self) -> HeadCapabilities:
        return HeadCapabilities(
            fps=self.fps,
            size=self.size,
            needs_layers=False,
            needs_landmarks=False,
            needs_gpu=False,
            keeps_prepared=self.keeps,
        )

    def prepare(self, portrait: PortraitDraft) -> Image:
        self.prepared += 1
        self._refuse()
        return np.full((self.size, self.size, 3), 200, np.uint8)

    def pack(self, prepared: Image) -> bytes | None:
        return prepared.tobytes() if self.keeps else None

    def unpack(self, data: bytes, portrait: PortraitDraft) -> Image:
        self._refuse()
        if len(data) != self.size * self.size * 3:
            raise UnavailableError("Another version packed this.")
        return np.frombuffer(data, np.uint8).reshape(self.size, self.size, 3)

    def is_lasting(self, prepared: Image) -> bool:
        return True

    def frames(self, prepared: Image, speech: Speech, seed: int = 0) -> Iterator[Image]:
        count = max(1, round(speech.duration * self.fps))
        spoken = np.zeros(count, bool)
        for phoneme in speech.phonemes:
            if phoneme.symbol:
                spoken[int(phoneme.start * self.fps) : int(phoneme.end * self.fps)] = True
        spoken[[0, -1]] = False
        return self._draw(prepared, spoken)

    def idle(self, prepared: Image, seconds: float, seed: int = 0) -> Iterator[Image]:
        return self._draw(prepared, np.zeros(max(1, round(seconds * self.fps)), bool))

    def _refuse(self) -> None:
        if self.refusals:
            raise self.refusals.pop(0)

    def _draw(self, prepared: Image, spoken: np.ndarray) -> Iterator[Image]:
        drawn = 0
        try:
            for is_open in spoken:
                if self.error is not None:
                    raise self.error
                frame = prepared.copy()
                middle = self.size // 2
                if is_open:
                    frame[middle : middle + self.size // 8, middle - 8 : middle + 8] = 0
                drawn += 1
                yield frame
        finally:
            self.closed.append(drawn)
