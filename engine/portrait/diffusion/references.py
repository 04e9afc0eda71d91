"""The face that guides a portrait: drawn for its brief, or that of an uploaded picture."""

from __future__ import annotations

import numpy as np

from engine.portrait.base import Image
from engine.portrait.finish import resized, scaled
from engine.portrait.gate import FaceGate
from engine.portrait.guidance.face import ReferenceFace, draw_reference
from engine.portrait.illustrated.photo import checked_photo
from engine.portrait.illustrated.proportions import moved
from personas.errors import InvalidInputError
from personas.persona import PortraitBrief

_SHARE = 0.36
"""Width of a photo's face, in widths of the picture it guides."""


def reference_of(
    brief: PortraitBrief, seed: int, photo: Image | None, size: int, gate: FaceGate
) -> ReferenceFace:
    """The face that guides a portrait.

    Args:
        brief: whose face is drawn.
        seed: decides the colours that are left open.
        photo: its face is taken instead.
        size: width and height of the reference, pixels.
        gate: finds the face on a photo.

    Raises:
        InvalidInputError: the photo cannot be used, or shows no face.
    """
    if photo is None:
        return draw_reference(brief, seed, size)
    photo = np.ascontiguousarray(checked_photo(photo)[..., :3])
    verdict = gate.look(photo)
    if verdict.found is None:
        raise InvalidInputError(
            "No face was found on the picture that could guide a painting. Use a picture of "
            "somebody from the front, or leave the look open to keep the picture as it is."
        )
    image, left, top = _square(photo, verdict.found.geometry.centre, verdict.found.geometry.width)
    scale = size / image.shape[0]
    return ReferenceFace(
        image=resized(image, size),
        geometry=scaled(moved(verdict.found.geometry, 1.0, (-left, -top)), scale),
        points=np.asarray((verdict.found.points - (left, top)) * scale, np.float32),
    )


def _square(photo: Image, middle: tuple[float, float], width: float) -> tuple[Image, int, int]:
    """The square around a face, with its left and top; no larger than the photo."""
    side = min(*photo.shape[:2], max(16, round(width / _SHARE)))
    left = int(np.clip(round(middle[0] - side / 2), 0, photo.shape[1] - side))
    top = int(np.clip(round(middle[1] - 0.45 * side), 0, photo.shape[0] - side))
    return np.ascontiguousarray(photo[top : top + side, left : left + side]), left, top
