"""Contours: the lines of a face, from a geometry and a mood or from a detector's points.

ControlNets for faces are trained on pictures of these lines (MediaPipe) or on 68 points along them
(iBUG 300-W). *Left* and *right* are the picture's. All lines run from left to right, closed ones
clockwise from their left end.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.face.moods import EXPRESSIONS
from engine.portrait.guidance.face import ReferenceFace
from personas.persona import FaceGeometry, Mood

Line = NDArray[np.float32]
"""[n, 2], pixels."""
Numbers = NDArray[np.floating[Any]]

_MESH = {
    "oval": (
        *(234, 127, 162, 21, 54, 103, 67, 109, 10, 338, 297, 332, 284, 251, 389, 356, 454),
        *(323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136, 172, 58),
        *(132, 93),
    ),
    "left_eye": (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7),
    "right_eye": (362, 398, 384, 385, 386, 387, 388, 466, 263, 249, 390, 373, 374, 380, 381, 382),
    "left_brow": (46, 53, 52, 65, 55),
    "right_brow": (285, 295, 282, 283, 276),
    "outer_lips": (
        *(61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181),
        *(91, 146),
    ),
    "inner_lips": (
        *(78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178),
        *(88, 95),
    ),
    "nose": (168, 197, 5, 1),
    "nostrils": (98, 97, 2, 326, 327),
}
"""Points of MediaPipe FaceMesh along each line."""
FEWEST = 468


@dataclass(frozen=True)
class Contours:
    """The lines of one face; `oval`, eyes and lips are closed."""

    oval: Line
    left_eye: Line
    right_eye: Line
    left_brow: Line
    right_brow: Line
    outer_lips: Line
    inner_lips: Line
    nose: Line
    nostrils: Line

    @property
    def pupils(self) -> tuple[Line, Line]:
        """The middles of the eyes, [2] each."""
        left, right = self.left_eye.mean(axis=0), self.right_eye.mean(axis=0)
        return np.asarray(left, np.float32), np.asarray(right, np.float32)


def contours_of(face: ReferenceFace) -> Contours:
    """The lines of a reference face: found ones where a detector found any, else as it is drawn."""
    if face.points is not None and len(face.points) >= FEWEST:
        points = face.points
        return Contours(**{name: points[list(index)] for name, index in _MESH.items()})
    return drawn_contours(face.geometry, face.look.mood if face.look else Mood.CALM)


def drawn_contours(geometry: FaceGeometry, mood: Mood) -> Contours:
    """The lines of a face at rest, as people's faces have them.

    Args:
        geometry: where it is, pixels.
        mood: bends brows and lips.
    """
    feel = EXPRESSIONS[mood]
    unit, cos, sin = geometry.width, math.cos(geometry.roll), math.sin(geometry.roll)
    turn = np.array([[cos, sin], [-sin, cos]], np.float32)

    def placed(origin: tuple[float, float], x: Numbers, y: Numbers) -> Line:
        return np.asarray(np.stack([x, y], axis=1) @ turn + np.array(origin), np.float32)

    angle = np.linspace(math.pi, 3 * math.pi, 36, endpoint=False)
    down = np.sin(angle)
    oval = placed(
        geometry.centre,
        unit / 2 * np.cos(angle) * (1 - 0.14 * np.clip(down, 0, 1) ** 2),
        geometry.height / 2 * down,
    )
    radius = geometry.eye_radius
    lift = 0.62 * radius * (1 - 0.5 * feel.lid)
    closed = np.linspace(math.pi, 3 * math.pi, 16, endpoint=False)

    def eye(at: tuple[float, float]) -> Line:
        y = np.sin(closed)
        return placed(at, radius * np.cos(closed), np.where(y < 0, lift * y, 0.4 * radius * y))

    def brow(at: tuple[float, float], side: int, raised: float) -> Line:
        x = np.linspace(-1.25, 1.25, 5)
        inner = -side * x / 1.25  # 1 at the end towards the nose
        y = -1.62 - 0.42 * raised - 0.22 * (1 - (x / 1.25) ** 2)
        return placed(at, radius * x, radius * (y - 0.3 * feel.brow_tilt * inner))

    half = geometry.mouth_width / 2
    along = np.cos(closed_lips := np.linspace(math.pi, 3 * math.pi, 20, endpoint=False))
    bend = -0.32 * feel.smile * half * (along**2 - 0.35)
    open_ = np.sin(closed_lips)
    outer = np.where(open_ < 0, 0.3 * half * open_, 0.36 * half * open_)
    nose_y = geometry.nose[1]
    eyes_y = (geometry.left_eye[1] + geometry.right_eye[1]) / 2
    length = max(abs(nose_y - eyes_y), 0.1 * unit)
    wing = 0.13 * unit
    zero = np.zeros(4)
    return Contours(
        oval=oval,
        left_eye=eye(geometry.left_eye),
        right_eye=eye(geometry.right_eye),
        left_brow=brow(geometry.left_eye, -1, feel.brow_left),
        right_brow=brow(geometry.right_eye, 1, feel.brow_right),
        outer_lips=placed(geometry.mouth, half * along, outer + bend),
        inner_lips=placed(geometry.mouth, 0.86 * half * along, 0.05 * half * open_ + bend),
        nose=placed(geometry.nose, zero, np.linspace(-0.85 * length, 0, 4)),
        nostrils=placed(
            geometry.nose,
            np.linspace(-wing, wing, 5),
            0.07 * unit * (1 + 0.5 * np.cos(np.linspace(-math.pi / 2, math.pi / 2, 5))),
        ),
    )


def points_68(lines: Contours) -> Line:
    """[68, 2]: the points of iBUG 300-W on a face, in their order."""
    oval = lines.oval
    # Ear to ear below the chin; the points run from the left side of the picture to the right.
    start = int(np.argmin(oval[:, 0]))
    lower = np.roll(oval, -start, axis=0)[::-1]
    end = int(np.argmax(lower[:, 0]))
    jaw = _spread(np.vstack([np.roll(oval, -start, axis=0)[:1], lower[: end + 1]]), 17)
    return np.asarray(
        np.vstack(
            [
                jaw,
                _spread(lines.left_brow, 5),
                _spread(lines.right_brow, 5),
                _spread(lines.nose, 4),
                _spread(lines.nostrils, 5),
                _ring(lines.left_eye, 6),
                _ring(lines.right_eye, 6),
                _ring(lines.outer_lips, 12),
                _ring(lines.inner_lips, 8),
            ]
        ),
        np.float32,
    )


def _spread(line: Line, count: int) -> Line:
    """So many points at even distances along an open line, its ends included."""
    steps = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    at = np.linspace(0, steps[-1], count)
    return np.stack([np.interp(at, steps, line[:, i]) for i in (0, 1)], axis=1).astype(np.float32)


def _ring(line: Line, count: int) -> Line:
    """So many points around a closed line: its two ends, and the rest between them."""
    half = len(line) // 2
    above, below = line[: half + 1], np.vstack([line[half:], line[:1]])
    return np.vstack([_spread(above, count // 2 + 1)[:-1], _spread(below, count // 2 + 1)[:-1]])
