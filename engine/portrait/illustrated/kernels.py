"""Means over rings and ovals, at every place of a small picture at once."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def ring(inner: float, outer: float) -> Floats:
    """A ring, or a disc where `inner` is 0, as a kernel whose sum is 1."""
    reach = math.ceil(outer)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    distance = np.hypot(x, y)
    ring = ((distance >= inner) & (distance <= outer)).astype(np.float32)
    return np.asarray(ring / ring.sum(), np.float32)


def oval(width: float, height: float) -> Floats:
    """A filled ellipse as a kernel whose sum is 1."""
    rx, ry = max(width / 2, 0.5), max(height / 2, 0.5)
    y, x = np.mgrid[-int(ry) : int(ry) + 1, -int(rx) : int(rx) + 1]
    oval = ((x / rx) ** 2 + (y / ry) ** 2 <= 1).astype(np.float32)
    return np.asarray(oval / oval.sum(), np.float32)


def mean(plane: Floats, kernel: Floats, border: int = cv2.BORDER_REPLICATE) -> Floats:
    """The mean of a plane around each of its pixels, weighed by a kernel."""
    source = np.ascontiguousarray(plane, np.float32)
    return np.asarray(cv2.filter2D(source, cv2.CV_32F, kernel, borderType=border), np.float32)


def mean_colour(lab: Floats, kernel: Floats) -> Floats:
    """Likewise of each channel, [h, w, 3]."""
    return np.stack([mean(lab[..., channel], kernel) for channel in range(3)], axis=2)
