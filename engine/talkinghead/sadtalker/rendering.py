"""Renderer: keypoints become frames, those of all clips that wait in one batch."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import torch
from torch import Tensor

from engine.machine import is_out_of_memory
from engine.portrait.base import Image
from engine.talkinghead.sadtalker.copying import HostCopies, Land, host_copies
from engine.talkinghead.sadtalker.networks import SourceFeatures
from engine.talkinghead.sadtalker.pasting import Paster
from engine.talkinghead.sadtalker.source import Source
from engine.talkinghead.sadtalker.weights import SadTalkerNetworks
from personas.errors import ChatAnythingError, UnavailableError

log = logging.getLogger(__name__)

_MOST: Final = 64
_FIRST: Final = 4
"""Frames of a clip's first batch, so that its first frame is soon there."""
_SHARE: Final = 0.6
"""Of the free memory that a batch may take: the libraries want some, too."""

Render = Callable[[SourceFeatures, Tensor, Tensor], Tensor]


class _NoRoomError(UnavailableError):
    """Not even one frame fits into the memory."""


@dataclass(eq=False)
class _Clip:
    """A clip that is being made.

    Attributes:
        source: of whom.
        paster: puts its faces back.
        keypoints: [frames, 15, 3].
        begun: frames that are made or being made.
        ready: frames that wait to be taken.
        flying: frames on their way to the host.
        error: why there will be no more.
    """

    source: Source
    paster: Paster
    keypoints: Tensor
    begun: int = 0
    ready: deque[Image] = field(default_factory=deque)
    flying: int = 0
    error: ChatAnythingError | None = None

    @property
    def left(self) -> int:
        return len(self.keypoints) - self.begun


@dataclass(frozen=True)
class _Flight:
    """A batch on its way to the host, and whose frames are in it."""

    shares: list[tuple[_Clip, int]]
    land: Land


class Renderer:
    """Makes frames. Safe to use from several threads: their clips share the batches.

    While one batch is copied to the host the next one is computed, where these are two machines.

    Args:
        networks: who renders.
        batch: frames made at once; 0: as many as the free memory allows.
        compile: compile for batches of one size.
        copies: how frames come to the host; None: as fits the networks' device.
    """

    def __init__(
        self,
        networks: SadTalkerNetworks,
        *,
        batch: int = 0,
        compile: bool = False,
        copies: HostCopies | None = None,
    ) -> None:
        self._device = networks.device
        self._cuda = networks.device.type == "cuda"
        self._render: Render = networks.generator.render
        self._padded = compile
        self._measures = self._cuda and not batch
        if compile:
            self._render = torch.compile(networks.generator.render, dynamic=False)
        # On a CPU a batch gains nothing, and takes memory.
        self.batch = batch or (0 if self._measures else 1)
        self._copies = copies or host_copies(networks.device)
        self._clips: list[_Clip] = []
        self._flights: deque[_Flight] = deque()
        # Again by the same thread, where a clip is dropped while another one is rendered.
        self._turn = threading.RLock()

    def frames(self, source: Source, keypoints: Tensor) -> Iterator[Image]:
        """Frames as they are made; they stay as they are.

        Args:
            source: of whom.
            keypoints: [frames, 15, 3].

        Raises:
            UnavailableError: there is no memory for a single frame, the device failed, or the
                weights are broken.
        """
        clip = _Clip(source, Paster(source.canvas, self._device), keypoints)
        with self._turn:
            self._clips.append(clip)
        try:
            for _ in range(len(keypoints)):
                while not clip.ready:
                    with self._turn:
                        if not clip.ready:
                            if clip.error is not None:
                                raise clip.error
                            self._advance(clip)
                yield clip.ready.popleft()
        finally:
            with self._turn:
                self._clips.remove(clip)
                if not self._clips:
                    self._flights.clear()

    def _advance(self, clip: _Clip) -> None:
        """Lands one batch; another one is made meanwhile. Only by who has the turn."""
        while len(self._flights) < self._copies.depth:
            if not (shares := self._shares(clip)):
                break
            try:
                self._flights.append(self._launch(shares))
            except _NoRoomError as error:
                clip.error = error
                return
        if self._flights:
            self._land(self._flights.popleft())

    def _shares(self, clip: _Clip) -> list[tuple[_Clip, int]]:
        """Who gets how many frames of the next batch: all that wait, about as many each."""
        limit = self.batch or _FIRST
        if clip.begun == 0 and not self._padded:
            limit = min(limit, _FIRST)
        waiting = [clip, *(other for other in self._clips if other is not clip)]
        # Nobody runs far ahead of who takes the frames: memory is for all.
        waiting = [c for c in waiting if c.left and not c.error and _held(c) < 2 * limit]
        return _divided([(c, c.left) for c in waiting], limit)

    def _launch(self, shares: list[tuple[_Clip, int]]) -> _Flight:
        """Begins a batch, with fewer frames where they do not fit.

        Raises:
            UnavailableError: not even one fits.
        """
        while True:
            count = self._size(shares)
            try:
                flight = self._compute(shares)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                if count == 1:
                    raise _NoRoomError("There is no memory left for a talking face.") from error
            else:
                for clip, taken in shares:
                    clip.begun += taken
                    clip.flying += taken
                return flight
            if self._cuda:
                torch.cuda.empty_cache()
            self.batch = max(1, count // 2)
            log.warning("A batch of %d frames is too large, %d from now on", count, self.batch)
            # Of the same clips: by the smaller batch, some may seem to be too far ahead already.
            shares = _divided(shares, self.batch)

    def _size(self, shares: list[tuple[_Clip, int]]) -> int:
        """Frames that are rendered, those that fill a compiled batch up included."""
        count = sum(taken for _, taken in shares)
        return max(count, self.batch) if self._padded else count

    def _compute(self, shares: list[tuple[_Clip, int]]) -> _Flight:
        with torch.inference_mode():
            measured = self._is_measured(shares)
            if measured:
                torch.cuda.reset_peak_memory_stats(self._device)
                before = torch.cuda.memory_allocated(self._device)
            faces = self._faces(shares)
            finite = faces.isfinite().flatten(1).all(dim=1)
            parts = []
            at = 0
            for clip, taken in shares:
                parts.append(clip.paster.paste(faces[at : at + taken]))
                at += taken
            frames = torch.cat(parts) if len(parts) > 1 else parts[0]
            if measured:
                peak = torch.cuda.max_memory_allocated(self._device) - before
                self.batch = self._affordable(peak / at)
            return _Flight(shares, self._copies.send(frames, finite))

    def _is_measured(self, shares: list[tuple[_Clip, int]]) -> bool:
        """Whether this batch shows how many frames fit.

        The first one of every clip does: what else has memory, such as a painting, comes and goes.
        What is compiled keeps its size.
        """
        begins = shares[0][0].begun == 0 and not self._padded
        return self._measures and (begins or not self.batch)

    def _faces(self, shares: list[tuple[_Clip, int]]) -> Tensor:
        """[B, 3, resolution, resolution]."""
        driving = torch.cat([c.keypoints[c.begun : c.begun + taken] for c, taken in shares])
        if len(shares) == 1:
            features, own = shares[0][0].source.features, shares[0][0].source.keypoints
        else:
            features = SourceFeatures.join([c.source.features for c, n in shares for _ in range(n)])
            own = torch.cat([c.source.keypoints.expand(taken, -1, -1) for c, taken in shares])
        missing = self._size(shares) - len(driving)
        if missing:
            driving = torch.cat([driving, driving[-1:].expand(missing, -1, -1)])
            if len(shares) > 1:
                last = SourceFeatures(features.volume[-1:], features.compressed[-1:])
                features = SourceFeatures.join([features, *[last] * missing])
                own = torch.cat([own, own[-1:].expand(missing, -1, -1)])
        return self._render(features, own, driving)

    def _land(self, flight: _Flight) -> None:
        """Gives each clip its frames, or all of them the error that kept these away."""
        try:
            frames, finite = flight.land()
        except Exception as error:
            log.warning("A batch of frames is lost on its way to the host", exc_info=True)
            for clip, taken in flight.shares:
                clip.flying -= taken
                clip.error = clip.error or _lost(error)
            return
        at = 0
        for clip, taken in flight.shares:
            mine = slice(at, at + taken)
            at += taken
            clip.flying -= taken
            if clip.error is not None:
                continue  # What comes after a gap is of no use.
            if finite[mine].all():
                clip.ready.extend(frames.numpy()[mine])
            else:
                clip.error = UnavailableError(
                    "The talking face came out as no picture: its weights are broken, or need "
                    'more precision (talking_head.sadtalker.precision = "bfloat16").'
                )

    def _affordable(self, bytes_each: float) -> int:
        """Frames that fit into the free memory: a power of two."""
        free, _ = torch.cuda.mem_get_info(self._device)
        kept = torch.cuda.memory_reserved(self._device) - torch.cuda.memory_allocated(self._device)
        count = int(min(_MOST, max(1, _SHARE * (free + kept) / max(bytes_each, 1))))
        return 1 << (count.bit_length() - 1)


def _divided(wishes: Sequence[tuple[_Clip, int]], limit: int) -> list[tuple[_Clip, int]]:
    """A batch of at most `limit` frames: about as many each, for nobody more than wished."""
    shares = []
    for index, (clip, wished) in enumerate(wishes):
        fair = -(-limit // (len(wishes) - index))
        if taken := min(fair, wished):
            shares.append((clip, taken))
            limit -= taken
    return shares


def _lost(cause: Exception) -> UnavailableError:
    """For one clip: an error that is raised in several threads would mix their tracebacks."""
    error = UnavailableError("The device failed while it made a talking face; the log says why.")
    error.__cause__ = cause
    return error


def _held(clip: _Clip) -> int:
    return len(clip.ready) + clip.flying
