"""Injection: a face carried into a picture while it is sampled, and let go again.

Sampling starts from noise that carries the reference face where the face shall be. After each step
the latents there are set back to the reference face with the noise of that step, as long as the
schedule says; the rest of the picture is free from the first step on. What is held shrinks: the
rim of the face is let go first, eyes and mouth last, so that the subject grows into the face. Each
latent pixel is either held or free, never a mixture of both: the mean of two noises is weaker than
either, and samplers make a blur of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from personas.persona import FaceGeometry

Mask = NDArray[np.float32]
"""[height, width], 0 free to 1 held longest."""

_RIM = 0.04
"""Mask values up to this are never held."""


@dataclass(frozen=True)
class Fade:
    """How long the face is held.

    Attributes:
        hold: share of the steps during which all of it is held.
        release: share of the steps after which nothing is held any more.
    """

    hold: float
    release: float

    def threshold(self, done: float) -> float:
        """Mask values above this are held once `done` (0 to 1) of the steps are taken.

        It never falls: what was let go stays free. Above 1 nothing is held.
        """
        if done > self.release:
            return 2.0
        if done <= self.hold:
            return _RIM
        return _RIM + (1 - _RIM) * (done - self.hold) / max(self.release - self.hold, 1e-6)

    def held(self, mask: Mask, done: float) -> NDArray[np.bool_]:
        """Where the face is held once `done` of the steps are taken."""
        return np.asarray(mask > self.threshold(done))


def face_mask(geometry: FaceGeometry, height: int, width: int, scale: float = 1.0) -> Mask:
    """Where a face is and how long each part of it is worth holding.

    1 around eyes, nose and mouth, falling smoothly to 0 a little outside of the face oval.

    Args:
        geometry: of the face, pixels.
        height: of the mask.
        width: of the mask.
        scale: mask pixels to a pixel of `geometry`.
    """
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = (x + 0.5) / scale, (y + 0.5) / scale
    cos, sin = np.cos(geometry.roll), np.sin(geometry.roll)
    eyes_x = (geometry.left_eye[0] + geometry.right_eye[0]) / 2
    eyes_y = (geometry.left_eye[1] + geometry.right_eye[1]) / 2
    # The middle of the features, brows to lips, is what everything is centred on.
    cx = 0.6 * eyes_x + 0.4 * geometry.mouth[0]
    cy = 0.6 * eyes_y + 0.4 * geometry.mouth[1]
    across, down = (x - cx) * cos + (y - cy) * sin, (y - cy) * cos - (x - cx) * sin
    tall = 0.5 * (geometry.width + geometry.height)
    distance = np.hypot(across / (0.62 * geometry.width), down / (0.62 * tall))
    share = np.clip((1.0 - distance) / 0.62, 0, 1)
    soft = share * share * (3 - 2 * share)
    near = np.zeros_like(soft)
    reach = 0.15 * geometry.width
    for (at_x, at_y), wide in (
        (geometry.left_eye, 1.0),
        (geometry.right_eye, 1.0),
        (geometry.mouth, 1.5),
    ):
        beside, below = (x - at_x) * cos + (y - at_y) * sin, (y - at_y) * cos - (x - at_x) * sin
        near = np.maximum(near, np.exp(-((beside / (wide * reach)) ** 2) - (below / reach) ** 2))
    return np.asarray(np.minimum(0.7 * soft + 0.3 * near * np.sqrt(soft), 1), np.float32)
