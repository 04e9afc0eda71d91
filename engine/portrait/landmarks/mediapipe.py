"""MediaPipe FaceMesh: 478 landmarks of one face, on the CPU.

The package is imported with the first image. 0.10.21 is the newest whose wheel holds its models.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np

from engine.portrait.base import Image, Landmarks
from engine.portrait.landmarks.base import FACE_MESH, INSTALL, geometry_of
from personas.errors import UnavailableError


class MediaPipeFaceMesh:
    """A FaceLandmarker. Safe to use from several threads: they take turns."""

    def __init__(self, min_confidence: float = 0.5) -> None:
        self._min_confidence = min_confidence
        self._lock = threading.Lock()
        self._mesh: Any = None
        self._settled = False

    @property
    def name(self) -> str:
        """The detector, as it is named in tables."""
        return "mediapipe-facemesh"

    def find(self, image: Image) -> Landmarks | None:
        """The most prominent face of an RGB image, or None.

        Raises:
            UnavailableError: `mediapipe` is not installed, or not in a version that holds models.
        """
        height, width = image.shape[:2]
        rgb = np.ascontiguousarray(image[..., :3])
        with self._lock:
            # The graph announces itself with its first image and again with its first face.
            with nullcontext() if self._settled else _native_messages_dropped():
                if self._mesh is None:
                    self._mesh = self._open()
                result = self._mesh.process(rgb)
            self._settled = self._settled or bool(result.multi_face_landmarks)
        if not result.multi_face_landmarks:
            return None
        found = result.multi_face_landmarks[0].landmark
        points = np.array([(p.x * width, p.y * height) for p in found], np.float32)
        return Landmarks(points, geometry_of(points, FACE_MESH), self.name)

    def close(self) -> None:
        """Frees the graph. Safe to call twice; the next `find` opens a new one."""
        with self._lock:
            mesh, self._mesh = self._mesh, None
            self._settled = False
            if mesh is not None:
                mesh.close()

    def _open(self) -> Any:
        absl = logging.getLogger("absl")
        level = absl.level
        try:
            from mediapipe.python.solutions.face_mesh import FaceMesh
        except ImportError as error:
            raise UnavailableError(f"Finding faces needs MediaPipe: {INSTALL} adds it.") from error
        finally:
            absl.setLevel(level)
        mesh: Any = FaceMesh  # the package has no annotations
        return mesh(
            static_image_mode=True,
            max_num_faces=1,
            refine_landmarks=True,
            min_detection_confidence=self._min_confidence,
        )


@contextmanager
def _native_messages_dropped() -> Iterator[None]:
    """Sends file descriptor 2 to nowhere for a moment.

    TensorFlow Lite and glog announce their start there, past every Python logger, and a person's
    terminal is no place for it. What other threads write to stderr meanwhile is lost as well, so
    this covers the start of the graph and no more.
    """
    try:
        saved = os.dup(2)
    except OSError:  # no stderr at all: a daemon
        yield
        return
    sys.stderr.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(nowhere)
        os.close(saved)
