"""Where the features of a drawn face go: near human proportions, so that everybody sees a face."""

from __future__ import annotations

import numpy as np

from personas.persona import FaceGeometry, FaceLook, Point


def drawn_geometry(
    centre: Point, width: float, roll: float = 0.0, look: FaceLook | None = None
) -> FaceGeometry:
    """The geometry of a face that is drawn, exact by construction.

    Args:
        centre: of the face oval, pixels.
        width: of the face oval, pixels.
        roll: radians, clockwise as seen.
        look: larger eyes for round shapes, narrower ones for almonds.
    """
    shape = look.eye_shape if look is not None else "oval"
    radius = {"round": 0.125, "oval": 0.112, "almond": 0.125, "dot": 0.105}[shape] * width
    cos, sin = np.cos(roll), np.sin(roll)

    def at(x: float, y: float) -> Point:
        return (
            float(centre[0] + width * (x * cos - y * sin)),
            float(centre[1] + width * (x * sin + y * cos)),
        )

    return FaceGeometry(
        source="drawn",
        left_eye=at(-0.225, -0.13),
        right_eye=at(0.225, -0.13),
        eye_radius=radius,
        nose=at(0, 0.13),
        mouth=at(0, 0.36),
        mouth_width=0.4 * width,
        centre=(float(centre[0]), float(centre[1])),
        width=width,
        height=1.25 * width,
        roll=roll,
    )
