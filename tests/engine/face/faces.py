"""Faces to paint, and what to paint them on."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.portrait.base import Image
from personas.persona import FaceGeometry, FaceLook

SKIN = "#e8c098"


def geometry(x: float = 128, y: float = 120, width: float = 140, roll: float = 0.0) -> FaceGeometry:
    """A face of human proportions with the middle of its eyes at (x, y)."""
    cos, sin = np.cos(roll), np.sin(roll)

    def at(across: float, down: float) -> tuple[float, float]:
        return (
            float(x + width * (across * cos - down * sin)),
            float(y + width * (across * sin + down * cos)),
        )

    return FaceGeometry(
        source="drawn",
        left_eye=at(-0.23, 0),
        right_eye=at(0.23, 0),
        eye_radius=0.115 * width,
        nose=at(0, 0.28),
        mouth=at(0, 0.5),
        mouth_width=0.38 * width,
        centre=at(0, 0.16),
        width=width,
        height=1.27 * width,
        roll=roll,
    )


def look(**changes: Any) -> FaceLook:
    return FaceLook(**{"skin": SKIN, "nose_kind": "line", "line_width": 3.0, **changes})


def paper(size: int = 256, channels: int = 3) -> Image:
    """A picture all in the colour of the skin, opaque."""
    image = np.full((size, size, channels), 255, np.uint8)
    image[..., :3] = [int(SKIN[i : i + 2], 16) for i in (1, 3, 5)]
    return image


def changed(first: Image, second: Image, more_than: int = 6) -> np.ndarray[Any, Any]:
    """Where two pictures differ."""
    result: np.ndarray[Any, Any] = (
        np.abs(first.astype(int) - second.astype(int)).max(axis=2) > more_than
    )
    return result
