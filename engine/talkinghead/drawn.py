"""DrawnHead: the talking head that runs everywhere. The body is moved, the face is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.face.painter import FacePainter
from engine.face.sprites import SpriteCache
from engine.portrait.base import Image, PortraitDraft
from engine.speech.base import Speech
from engine.talkinghead.base import HeadCapabilities
from engine.talkinghead.layers import Stage, make_stage
from engine.talkinghead.motion import plan_idle, plan_speech
from engine.talkinghead.performance import Performance
from engine.talkinghead.room import turning_room
from engine.talkinghead.warp import BodyWarp

FPS = 25


@dataclass(frozen=True)
class DrawnPortrait:
    """What every clip of one portrait needs. Safe to share between threads; made once.

    Attributes:
        stage: the layers at the size of a frame.
        room: scale of turns to the side and up or down, so that the face stays on the body.
        warp: the body before its background.
        sprites: features that were drawn for one clip and are of use for the next.
    """

    stage: Stage
    room: tuple[float, float]
    warp: BodyWarp
    sprites: SpriteCache


class DrawnHead:
    """A TalkingHead that draws the face anew in each frame and moves the body under it."""

    def __init__(self, size: int = 512) -> None:
        """A head whose frames are `size` pixels wide and high."""
        self._size = size

    @property
    def name(self) -> str:
        """The renderer and its version."""
        return "drawn-1"

    @property
    def capabilities(self) -> HeadCapabilities:
        """It takes any portrait, and needs nothing."""
        return HeadCapabilities(
            fps=FPS, size=self._size, needs_layers=False, needs_landmarks=False, needs_gpu=False
        )

    def prepare(self, portrait: PortraitDraft) -> DrawnPortrait:
        """Brings the layers to the size of a frame; makes them where there are none.

        Raises:
            InvalidInputError: the portrait is no picture.
        """
        stage = make_stage(portrait, self._size)
        return DrawnPortrait(
            stage=stage,
            room=turning_room(stage.body[..., 3], stage.geometry, stage.look),
            warp=BodyWarp(stage.background, stage.body),
            sprites=SpriteCache(),
        )

    def pack(self, prepared: DrawnPortrait) -> None:
        """Nothing: preparing takes milliseconds."""

    def unpack(self, data: bytes, portrait: PortraitDraft) -> DrawnPortrait:
        """Prepares the portrait; nothing was packed."""
        return self.prepare(portrait)

    def is_lasting(self, prepared: DrawnPortrait) -> bool:
        """It always is."""
        return True

    def frames(self, prepared: DrawnPortrait, speech: Speech, seed: int = 0) -> Iterator[Image]:
        """RGB frames of the speech, from rest to rest; each is reused for the next one.

        Raises:
            InvalidInputError: the speech is not sound.
        """
        mood = prepared.stage.look.mood
        return perform(prepared, plan_speech(speech, fps=FPS, seed=seed, mood=mood))

    def idle(self, prepared: DrawnPortrait, seconds: float, seed: int = 0) -> Iterator[Image]:
        """RGB frames of the persona at rest, that loop; each is reused for the next one.

        Raises:
            InvalidInputError: `seconds` is no length of time.
        """
        mood = prepared.stage.look.mood
        return perform(prepared, plan_idle(seconds, fps=FPS, seed=seed, mood=mood))


def perform(prepared: DrawnPortrait, performance: Performance) -> Iterator[Image]:
    """The frames of a performance, drawn into one picture that is reused."""
    stage, warp = prepared.stage, prepared.warp
    painter = FacePainter(stage.geometry, stage.look, prepared.sprites)
    frame = np.empty_like(stage.background)
    performance["turn_x"] *= np.float32(prepared.room[0])
    performance["turn_y"] *= np.float32(prepared.room[1])
    for index in range(len(performance)):
        moved = warp.moved(performance.body(index))
        warp.draw(moved, frame)
        transform = None if moved.is_rest else moved.at(stage.geometry.centre)
        painter.paint(frame, performance.face(index), transform)
        yield frame
