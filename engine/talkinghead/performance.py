"""Performance: what face and body do in every frame of a clip."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.face.pose import FacePose

FACE: Final = tuple(field.name for field in fields(FacePose))
BODY: Final = ("sway", "lean", "squash")
CHANNELS: Final = {name: index for index, name in enumerate(FACE + BODY)}


@dataclass(frozen=True)
class BodyPose:
    """A moment of a body. All values are 0 at rest.

    Attributes:
        sway: the head's way to the side as the body bends, about -1 to 1.
        lean: the body's tilt about its base, about -1 to 1, to the right.
        squash: -1 squashed to 1 stretched, in small units.
    """

    sway: float = 0.0
    lean: float = 0.0
    squash: float = 0.0


class Performance:
    """Frames by channels, [frames, len(CHANNELS)] float32."""

    def __init__(self, frames: int) -> None:
        """A performance of a persona that does not move."""
        self.values: NDArray[np.float32] = np.zeros((frames, len(CHANNELS)), np.float32)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, channel: str) -> NDArray[np.float32]:
        """All frames of one channel; writing to it changes the performance."""
        view: NDArray[np.float32] = self.values[:, CHANNELS[channel]]
        return view

    def __setitem__(self, channel: str, values: NDArray[np.float32]) -> None:
        self.values[:, CHANNELS[channel]] = values

    def face(self, frame: int) -> FacePose:
        """The face in one frame."""
        return FacePose(*self.values[frame, : len(FACE)].tolist())

    def body(self, frame: int) -> BodyPose:
        """The body in one frame."""
        return BodyPose(*self.values[frame, len(FACE) :].tolist())

    def settle(self) -> None:
        """Bounds every channel, and makes the first and the last frame rest exactly."""
        np.nan_to_num(self.values, copy=False)
        np.clip(self.values[:, : len(FACE)], -1, 1, out=self.values[:, : len(FACE)])
        body = self.values[:, len(FACE) :]
        # Bodies have no end stop: they give way more and more.
        np.tanh(body / 1.6, out=body)
        body *= 1.6
        self.values[0] = self.values[-1] = 0
