"""PortraitGenerator and FaceLandmarker: from a brief to a picture with a face on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from personas.persona import ArtCredit, Attempt, FaceGeometry, FaceLook, PortraitBrief

Image = NDArray[np.uint8]
"""[height, width, 3] RGB or [height, width, 4] RGBA with straight alpha."""

Progress = Callable[[float, str], None]
"""Called with how much is done, 0 to 1, and what is being done, for people to read."""


@dataclass(frozen=True)
class PortraitDraft:
    """A portrait before it is stored.

    Attributes:
        image: RGB, the persona at rest.
        background: RGB of the same size, nothing of the persona on it; with `body` or not at all.
        body: RGBA of the same size, the persona without its face.
        attempts: what a guided painter tried, in order.
    """

    image: Image
    geometry: FaceGeometry
    style: str
    seed: int
    generator: str
    look: FaceLook | None = None
    background: Image | None = None
    body: Image | None = None
    credits: tuple[ArtCredit, ...] = ()
    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True)
class PortraitCapabilities:
    """What a generator can do; the engine chooses by these words.

    Attributes:
        styles: the looks it can paint here, now.
        guided: it paints freely and leads a face into the picture; others know where it is.
        size: width and height of its portraits, pixels.
        needs_gpu: too slow to be of use without one.
        device: what it keeps busy, for the accounts: cpu, cuda; empty: nothing of ours.
        proposed: those of the looks to choose from where nobody names one; empty: all.
        at_once: how many orders are worth placing at the same time.
    """

    styles: tuple[str, ...]
    guided: bool
    size: int
    needs_gpu: bool
    device: str = "cpu"
    proposed: tuple[str, ...] = ()
    at_once: int = 1


class PortraitGenerator(Protocol):
    """Draws a persona. Synchronous: the engine calls it in a thread or on a worker."""

    @property
    def capabilities(self) -> PortraitCapabilities:
        """What it can do."""

    def generate(
        self,
        brief: PortraitBrief,
        seed: int,
        *,
        photo: Image | None = None,
        progress: Progress | None = None,
    ) -> PortraitDraft:
        """Draws `brief`; the same brief, seed and photo give the same picture.

        Args:
            brief: what to draw.
            seed: decides everything that is left open.
            photo: a picture to use as the persona's appearance instead of drawing one.
            progress: told how far it is.

        Raises:
            UnavailableError: a model or art pack is missing.
            InvalidInputError: the photo cannot be used.
        """


@runtime_checkable
class PictureGuard(Protocol):
    """A PortraitGenerator that looks at the pictures which people send."""

    def check(self, photo: Image) -> None:
        """Looks whether a picture is fit for everybody.

        Raises:
            InvalidInputError: it is not.
        """


@dataclass(frozen=True)
class Landmarks:
    """The face that was found in an image.

    Attributes:
        points: [n, 2] float32, pixels of the image, the detector's own order.
        geometry: the same face in our words.
        detector: which detector found it.
    """

    points: NDArray[np.float32]
    geometry: FaceGeometry
    detector: str


class FaceLandmarker(Protocol):
    """Finds the landmarks of the most prominent face."""

    @property
    def name(self) -> str:
        """The detector, as it is named in tables."""

    def find(self, image: Image) -> Landmarks | None:
        """The face in an RGB image, or None where there is none."""
