"""A landmarker that sees what it is told to see."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.portrait.base import Image, Landmarks
from engine.portrait.guidance.face import aim
from personas.persona import FaceGeometry, PortraitBrief


class ScriptedLandmarker:
    """Sees a face on those pictures, in their order, of which `sees` says so; the last goes on.

    Args:
        sees: one word for each picture.
        geometry: of the face; None: in the middle.
        name: as it is named in tables.
    """

    def __init__(
        self,
        sees: Sequence[bool],
        geometry: FaceGeometry | None = None,
        name: str = "scripted",
    ) -> None:
        self._sees = list(sees)
        self._geometry = geometry
        self._name = name
        self.seen: list[Image] = []

    @property
    def name(self) -> str:
        return self._name

    def find(self, image: Image) -> Landmarks | None:
        number = min(len(self.seen), len(self._sees) - 1)
        self.seen.append(image)
        if not self._sees[number]:
            return None
        geometry = self._geometry or aim(PortraitBrief(subject="thing"), image.shape[0])
        geometry = geometry.model_copy(update={"source": "found"})
        return Landmarks(np.zeros((0, 2), np.float32), geometry, self._name)
