"""TalkingHead: a portrait and a speech in, frames out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

from engine.portrait.base import Image, PortraitDraft
from engine.speech.base import Speech

Prepared = TypeVar("Prepared")


@dataclass(frozen=True)
class HeadCapabilities:
    """What a head can do; the engine chooses by these words.

    Attributes:
        fps: frames a second.
        size: width and height of a frame in pixels.
        needs_layers: only portraits that were drawn in layers can speak with it.
        needs_landmarks: only portraits on which a detector found a face can speak with it.
        needs_gpu: too slow to be of use without one.
        device: what it keeps busy, for the accounts: cpu, cuda.
        keeps_prepared: preparing a portrait is so much work that it is done once, packed and kept.
        keeps_faces: a face that was found is moved as it is; others draw one in its place.
    """

    fps: int
    size: int
    needs_layers: bool
    needs_landmarks: bool
    needs_gpu: bool
    device: str = "cpu"
    keeps_prepared: bool = False
    keeps_faces: bool = False


@dataclass(frozen=True)
class Clip:
    """Encoded video of one speech by one persona.

    Attributes:
        data: an MP4 file: H.264, yuv420p, AAC, faststart.
        duration: seconds.
        size: width and height in pixels.
        frames: how many pictures it has.
    """

    data: bytes
    duration: float
    size: int
    frames: int


class TalkingHead(Protocol[Prepared]):
    """Makes a portrait speak. Synchronous: called in a thread or on a worker."""

    @property
    def name(self) -> str:
        """The renderer and its version: part of a clip's identity."""

    @property
    def capabilities(self) -> HeadCapabilities:
        """What it can do."""

    def prepare(self, portrait: PortraitDraft) -> Prepared:
        """Does once what every clip of this portrait needs.

        Raises:
            InvalidInputError: the portrait lacks what `capabilities` says is needed.
        """

    def pack(self, prepared: Prepared) -> bytes | None:
        """What was prepared as bytes to keep; None where preparing again is as quick.

        Only asked of heads whose capabilities say `keeps_prepared`.
        """

    def unpack(self, data: bytes, portrait: PortraitDraft) -> Prepared:
        """What `pack` has made bytes of, for the portrait that it was prepared of.

        Raises:
            UnavailableError: the bytes are damaged, or another version packed them.
        """

    def is_lasting(self, prepared: Prepared) -> bool:
        """Whether what was prepared may serve the next clip, too; else it is prepared anew for it.

        Only asked of heads whose capabilities say `keeps_prepared`.
        """

    def frames(self, prepared: Prepared, speech: Speech, seed: int = 0) -> Iterator[Image]:
        """RGB frames of the speech, from rest to rest; the same seed gives the same frames.

        A yielded frame may be reused for the next one: encode or copy it before going on.
        """

    def idle(self, prepared: Prepared, seconds: float, seed: int = 0) -> Iterator[Image]:
        """RGB frames of the persona at rest, blinking and breathing, that loop."""
