"""Room: how far a face may turn before its features leave the body they are drawn on."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.face.painter import FacePainter
from personas.persona import FaceGeometry, FaceLook

_TRIES: Final = (1.0, 0.85, 0.7, 0.55, 0.4, 0.3)
_LOST: Final = 0.045
"""How much more of the features than at rest may lie beside the body."""
_OWN: Final = 0.5
"""How much of a turn a picture bears that keeps its own brows and nose: these stay where they are,
and eyes and mouth must not slide away from them."""


def turning_room(
    alpha: NDArray[np.uint8], geometry: FaceGeometry, look: FaceLook
) -> tuple[float, float]:
    """By how much turns to the side and up or down are to be scaled, above 0 to 1.

    Args:
        alpha: [height, width] of the body.
        geometry: where the face is, in the same pixels.
        look: of the face.
    """
    painter = FacePainter(geometry, look)
    rest = _covered(alpha, painter, (0.0, 0.0))
    keeps_own = look.brow_weight <= 0 and look.nose_kind == "none"
    most = _OWN if keeps_own else 1.0
    room = []
    for axis in ((1.0, 0.0), (0.0, 1.0)):
        fitting = (
            size
            for size in _TRIES
            if min(
                _covered(alpha, painter, (axis[0] * size * way, axis[1] * size * way))
                for way in (-1, 1)
            )
            >= rest - _LOST
        )
        room.append(most * next(fitting, _TRIES[-1]))
    return room[0], room[1]


def _covered(alpha: NDArray[np.uint8], painter: FacePainter, turn: tuple[float, float]) -> float:
    """How much of the rims of eyes and mouth, and of the brows, lies on the body."""
    geometry = painter.geometry
    radius, half = geometry.eye_radius, geometry.mouth_width / 2
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    rim = np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)])
    points = []
    for eye in (geometry.left_eye, geometry.right_eye):
        place = painter.place(eye, 1.0, 0.0, turn)
        points.append(
            place @ (rim * [[1.25 * radius], [1.9 * radius], [0]] + [[0], [-0.5 * radius], [1]])
        )
    place = painter.place(geometry.mouth, 1.05, 0.0, turn)
    points.append(place @ (rim * [[1.1 * half], [0.45 * half], [0]] + [[0], [0.2 * half], [1]]))
    x, y = np.concatenate(points, axis=1).round().astype(int)
    inside = (x >= 0) & (y >= 0) & (x < alpha.shape[1]) & (y < alpha.shape[0])
    return float((alpha[y[inside], x[inside]] > 127).sum()) / len(x)
