"""SadTalkerHead: the talking head that moves the picture itself; for a GPU."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.portrait.base import FaceLandmarker, Image, PortraitDraft
from engine.speech.base import Speech
from engine.talkinghead.base import HeadCapabilities
from engine.talkinghead.motion import frame_count
from engine.talkinghead.sadtalker import packing
from engine.talkinghead.sadtalker.acting import coefficients_of, keypoints_of
from engine.talkinghead.sadtalker.audio import FPS, Floats, hear, resample
from engine.talkinghead.sadtalker.direction import direct, rank_styles
from engine.talkinghead.sadtalker.rendering import Renderer
from engine.talkinghead.sadtalker.source import Source, make_source
from engine.talkinghead.sadtalker.weights import SadTalkerNetworks
from engine.talkinghead.settings import SadTalkerSettings
from personas.errors import InvalidInputError

log = logging.getLogger(__name__)

_EASE: Final = 5
"""Frames between the portrait's own pose and the performance."""

Load = Callable[[], SadTalkerNetworks]


@dataclass(frozen=True)
class _Studio:
    """The networks and what is made of them once."""

    networks: SadTalkerNetworks
    renderer: Renderer
    ranks: tuple[int, ...]
    maker: packing.Maker


class SadTalkerHead:
    """A TalkingHead with SadTalker's networks. They are loaded when they are first needed.

    Args:
        load: gives the networks; may take seconds.
        size: width and height of a frame.
        settings: how it is done.
        resolution: of the face, a multiple of 128; as set when 0.
        landmarkers: who may look for the corners of eyes and mouth.
        needs_landmarks: leave drawn faces to others.
        device: what `load` puts the networks on: cpu, cuda.
    """

    def __init__(
        self,
        load: Load,
        *,
        size: int = 512,
        settings: SadTalkerSettings | None = None,
        resolution: int = 0,
        landmarkers: Sequence[FaceLandmarker] = (),
        needs_landmarks: bool = False,
        device: str = "cpu",
    ) -> None:
        self._load = load
        self._size = size
        self._settings = settings or SadTalkerSettings()
        self._resolution = resolution or self._settings.resolution
        self._landmarkers = landmarkers
        self._needs_landmarks = needs_landmarks
        self._device = device
        self._opening = threading.Lock()
        self._opened: _Studio | None = None

    @property
    def name(self) -> str:
        """The renderer and its version, with what makes its clips look otherwise."""
        return f"sadtalker-1-{self._resolution}-{self._settings.framing}"

    @property
    def capabilities(self) -> HeadCapabilities:
        """It wants a GPU, and keeps what it has prepared."""
        return HeadCapabilities(
            fps=FPS,
            size=self._size,
            needs_layers=False,
            needs_landmarks=self._needs_landmarks,
            needs_gpu=True,
            device=self._device,
            keeps_prepared=True,
            keeps_faces=True,
        )

    @property
    def batch(self) -> int:
        """Frames that are made at once; 0 before memory has been looked at."""
        return self._studio().renderer.batch

    def prepare(self, portrait: PortraitDraft) -> Source:
        """Finds the face, fits it and encodes it.

        Raises:
            InvalidInputError: it is no picture, or there is no face that could be moved.
            UnavailableError: the networks cannot be loaded.
        """
        if self._needs_landmarks and portrait.geometry.source != "found":
            raise InvalidInputError("On this portrait a face was drawn, not found.")
        return make_source(
            portrait,
            self._studio().networks,
            size=self._size,
            resolution=self._resolution,
            framing=self._settings.framing,
            landmarkers=self._landmarkers,
        )

    def pack(self, prepared: Source) -> bytes:
        """What was prepared, as bytes: some megabytes."""
        return packing.pack(prepared, self._studio().maker)

    def unpack(self, data: bytes, portrait: PortraitDraft) -> Source:
        """What `pack` has made bytes of.

        Raises:
            UnavailableError: the bytes are damaged, or other weights or another size made them.
        """
        studio = self._studio()
        return packing.unpack(data, studio.maker, studio.networks.device)

    def is_lasting(self, prepared: Source) -> bool:
        """It always is."""
        return True

    def frames(self, prepared: Source, speech: Speech, seed: int = 0) -> Iterator[Image]:
        """RGB frames of the speech, from rest to rest, as they are made.

        Raises:
            InvalidInputError: the speech is not sound.
            UnavailableError: while frames are taken: no memory is left, or weights are broken.
        """
        samples = resample(speech)
        frames = frame_count(speech.duration, FPS)
        return self._film(prepared, samples, frames, seed, speech)

    def idle(self, prepared: Source, seconds: float, seed: int = 0) -> Iterator[Image]:
        """RGB frames of the persona at rest; they begin and end in its own pose, so they loop.

        Raises:
            InvalidInputError: `seconds` is no length of time.
        """
        if not (np.isfinite(seconds) and 0 < seconds <= 3600):
            raise InvalidInputError("An idle clip lasts more than 0 seconds and at most an hour.")
        silence = np.zeros(0, np.float32)
        return self._film(prepared, silence, frame_count(seconds, FPS), seed, None)

    def _film(
        self, source: Source, samples: Floats, frames: int, seed: int, speech: Speech | None
    ) -> Iterator[Image]:
        studio, settings = self._studio(), self._settings
        direction = direct(
            frames, source.mood, seed, settings=settings, ranks=studio.ranks, speech=speech
        )
        coefficients = coefficients_of(
            studio.networks, source.coefficients, hear(samples, frames), direction
        )
        keypoints = keypoints_of(
            studio.networks,
            source,
            coefficients,
            direction,
            still=settings.still,
            movement=settings.movement,
            camera={
                "yaw": settings.camera_yaw,
                "pitch": settings.camera_pitch,
                "roll": settings.camera_roll,
            },
            ease=_EASE,
        )
        yield from studio.renderer.frames(source, keypoints)

    def _studio(self) -> _Studio:
        with self._opening:
            if self._opened is None:
                networks = self._load()
                if networks.device.type == "cpu":
                    log.warning("SadTalker runs without a GPU: each frame takes seconds.")
                renderer = Renderer(
                    networks,
                    batch=self._settings.batch,
                    compile=self._settings.compile and networks.device.type == "cuda",
                )
                weights = packing.fingerprint(networks)
                maker = packing.Maker(weights, self._size, self._resolution, self._settings.framing)
                self._opened = _Studio(networks, renderer, rank_styles(networks.pose), maker)
            return self._opened
