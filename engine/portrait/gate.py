"""FaceGate: whether a picture has a face that the talking head can use."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.portrait.base import FaceLandmarker, Image, Landmarks
from personas.persona import FaceGeometry

SMALLEST = 0.13
"""Width of a face, in widths of the picture: mouths of smaller ones cannot be read."""
STEEPEST = math.radians(30)
"""Roll beyond which a head cannot be animated as a frontal one."""
MOST_TURNED = 0.3
"""How far the nose may lie from the middle of the eyes, in distances of the eyes."""


@dataclass(frozen=True)
class Verdict:
    """What the gate says.

    Attributes:
        found: the face that counts; None where there is none that will do.
        opinions: detector -> whether it saw a face at all.
        reason: why it will not do, for the log; empty where it will.
    """

    found: Landmarks | None
    opinions: dict[str, bool] = field(default_factory=dict)
    reason: str = ""

    @property
    def passed(self) -> bool:
        """Whether there is a face that the head can use."""
        return self.found is not None


class FaceGate:
    """Looks for a face: frontal, upright, large enough, in the picture as a whole.

    Args:
        landmarkers: those whose word counts, the best first.
        opinions: those who are asked besides, and count only where `strict` is off.
        strict: the talking head needs the landmarks of the first: nobody else's will do.
    """

    def __init__(
        self,
        landmarkers: Sequence[FaceLandmarker],
        opinions: Sequence[FaceLandmarker] = (),
        *,
        strict: bool = False,
    ) -> None:
        self._landmarkers = tuple(landmarkers)
        self._opinions = tuple(opinions)
        self.strict = strict

    @property
    def can_see(self) -> bool:
        """Whether anybody looks at all."""
        return bool(self._landmarkers or (self._opinions and not self.strict))

    def look(self, image: Image) -> Verdict:
        """Judges an RGB picture.

        Raises:
            UnavailableError: a detector is not installed as it should be.
        """
        opinions: dict[str, bool] = {}
        reason = "no detector is installed" if not self.can_see else "no face was found"
        counting = self._landmarkers if self.strict else (*self._landmarkers, *self._opinions)
        chosen: Landmarks | None = None
        for landmarker in (*self._landmarkers, *self._opinions):
            found = landmarker.find(image)
            opinions[landmarker.name] = found is not None
            if found is None or chosen is not None or landmarker not in counting:
                continue
            objection = fault_of(found.geometry, image.shape[1], image.shape[0])
            if objection:
                reason = objection
            else:
                chosen = found
        return Verdict(chosen, opinions, "" if chosen is not None else reason)


def fault_of(face: FaceGeometry, width: int, height: int) -> str:
    """Why a head cannot use a face; empty where it can.

    Args:
        face: pixels.
        width: of the picture.
        height: of the picture.
    """
    if face.width < SMALLEST * min(width, height):
        return "the face is too small"
    corners = (face.left_eye, face.right_eye, face.mouth, face.nose)
    margin = 0.02 * min(width, height)
    if not all(margin < x < width - margin and margin < y < height - margin for x, y in corners):
        return "the face is cut off"
    if abs(face.roll) > STEEPEST:
        return "the head is tilted too much"
    eyes = math.dist(face.left_eye, face.right_eye)
    middle = (
        (face.left_eye[0] + face.right_eye[0]) / 2,
        (face.left_eye[1] + face.right_eye[1]) / 2,
    )
    across = (face.nose[0] - middle[0]) * math.cos(face.roll)
    across += (face.nose[1] - middle[1]) * math.sin(face.roll)
    if abs(across) > MOST_TURNED * max(eyes, 1e-3):
        return "the face is turned away"
    return ""
