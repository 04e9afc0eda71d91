"""The proportions of a drawn face: those of people, a little kinder.

A landmark detector and a person look for the same thing: eyes far enough apart, a nose between
them and the mouth, a mouth about one eye distance below the eyes. All of it is decided here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from personas.persona import FaceGeometry, Point


@dataclass(frozen=True)
class Proportions:
    """Lengths in widths of the face oval, downwards from the line of the eyes."""

    eye_distance: float = 0.44
    eye_radius: float = 0.115
    nose: float = 0.29
    mouth: float = 0.49
    mouth_width: float = 0.36
    chin: float = 0.80
    crown: float = 0.48

    @property
    def height(self) -> float:
        """Of the face oval."""
        return self.chin + self.crown

    @property
    def features_centre(self) -> float:
        """Middle between brows and lower lip, below the line of the eyes."""
        return (self.mouth + 0.10 - 0.24) / 2


GROWN = Proportions()
CHILD = Proportions(
    eye_distance=0.45, eye_radius=0.125, nose=0.26, mouth=0.45, mouth_width=0.32, chin=0.74
)

FEATURES_WIDTH = 0.80
"""What brows, eyes and mouth take of the width of the oval, with a little air around them."""
FEATURES_HEIGHT = 0.96
"""Likewise from above the brows to below the lips."""


def face_at_eyes(
    eyes: Point, width: float, proportions: Proportions = GROWN, roll: float = 0.0
) -> FaceGeometry:
    """The face whose eyes have their middle at `eyes`.

    Args:
        eyes: pixels.
        width: of the face oval, pixels.
        proportions: of what kind of face.
        roll: radians, clockwise as seen.
    """
    cos, sin = math.cos(roll), math.sin(roll)

    def at(x: float, y: float) -> Point:
        return eyes[0] + width * (x * cos - y * sin), eyes[1] + width * (x * sin + y * cos)

    half = proportions.eye_distance / 2
    return FaceGeometry(
        source="drawn",
        left_eye=at(-half, 0),
        right_eye=at(half, 0),
        eye_radius=proportions.eye_radius * width,
        nose=at(0, proportions.nose),
        mouth=at(0, proportions.mouth),
        mouth_width=proportions.mouth_width * width,
        centre=at(0, (proportions.chin - proportions.crown) / 2),
        width=width,
        height=proportions.height * width,
        roll=roll,
    )


def face_at_centre(centre: Point, width: float, proportions: Proportions = GROWN) -> FaceGeometry:
    """The upright face whose features, brows to lips, have their middle at `centre`."""
    eyes = centre[0], centre[1] - proportions.features_centre * width
    return face_at_eyes(eyes, width, proportions)


def eyes_of(geometry: FaceGeometry) -> Point:
    """The middle between the eyes."""
    (x1, y1), (x2, y2) = geometry.left_eye, geometry.right_eye
    return (x1 + x2) / 2, (y1 + y2) / 2


def features_centre(geometry: FaceGeometry) -> Point:
    """The middle between brows and lower lip."""
    eyes_x = (geometry.left_eye[0] + geometry.right_eye[0]) / 2
    eyes_y = (geometry.left_eye[1] + geometry.right_eye[1]) / 2
    share = 0.36
    return (
        eyes_x + share * (geometry.mouth[0] - eyes_x),
        eyes_y + share * (geometry.mouth[1] - eyes_y),
    )


def moved(geometry: FaceGeometry, scale: float, shift: Point) -> FaceGeometry:
    """The same face after a picture is scaled about its origin and then shifted."""

    def to(point: Point) -> Point:
        return point[0] * scale + shift[0], point[1] * scale + shift[1]

    return geometry.model_copy(
        update={
            **{
                name: to(getattr(geometry, name))
                for name in ("left_eye", "right_eye", "nose", "mouth", "centre")
            },
            **{
                name: getattr(geometry, name) * scale
                for name in ("eye_radius", "mouth_width", "width", "height")
            },
        }
    )
