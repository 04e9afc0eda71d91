"""DrawAhead: draws frames in a thread of its own, a few ahead of who takes them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.portrait.base import Image
from engine.stopwatch import Stopwatch
from personas.errors import ChatAnythingError, InvalidInputError

Planes = NDArray[np.uint8]
"""[size * 3 / 2, size]: luma, then both chromas at half size (I420, BT.601, 16 to 235)."""

_AHEAD: Final = 6
"""Frames that wait at most: bounds memory, and evens out the work."""


class ClipCancelledError(ChatAnythingError):
    """Nobody waits for this clip any more."""


class DrawAhead:
    """A context in which frames are drawn; iterate over it for their planes, once.

    What goes wrong in drawing is raised to who iterates. Leaving the context ends the thread and
    closes the frames, whether or not they were all taken.
    """

    def __init__(
        self,
        frames: Iterable[Image],
        size: int,
        cancel: threading.Event | None,
        watch: Stopwatch,
    ) -> None:
        """Nothing is drawn before the context is entered."""
        self._frames, self._size, self._watch = frames, size, watch
        self._cancel, self._stop = cancel, threading.Event()
        self._ready: queue.Queue[Planes | BaseException | None] = queue.Queue(_AHEAD)
        self._thread = threading.Thread(target=self._run, name="clip-drawing", daemon=True)

    def __enter__(self) -> DrawAhead:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def __iter__(self) -> Iterator[Planes]:
        while True:
            if self._cancel is not None and self._cancel.is_set():
                raise ClipCancelledError("The clip was cancelled.")
            try:
                item = self._ready.get(timeout=0.1)
            except queue.Empty:
                continue
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item

    def _put(self, item: Planes | BaseException | None) -> bool:
        while not self._stop.is_set():
            try:
                self._ready.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def _run(self) -> None:
        source = iter(self._frames)
        try:
            while True:
                with self._watch.stage("drawing"):
                    frame = next(source, None)
                if frame is None:
                    break
                with self._watch.stage("colours"):
                    planes = self._planes(frame)
                if not self._put(planes):
                    return
            self._put(None)
        except BaseException as error:
            self._put(error)
        finally:
            close = getattr(source, "close", None)
            if close is not None:
                close()

    def _planes(self, frame: Image) -> Planes:
        if frame.shape != (self._size, self._size, 3) or frame.dtype != np.uint8:
            raise InvalidInputError(
                f"Every frame of this clip must be RGB, {self._size} pixels wide and high."
            )
        return np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420), np.uint8)
