"""Art that is made of simple shapes, for any subject, without packs."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from engine.portrait.base import Image
from engine.portrait.illustrated.art.library import Artwork
from personas.persona import ArtCredit, FaceGeometry, PortraitBrief
from personas.styles import ArtKind, Style

CREDIT = ArtCredit(title="shape", author="the tests", licence="MIT")


def disc(
    size: int = 1024, radius: float = 0.4, colour: tuple[int, int, int] = (230, 120, 60)
) -> Image:
    """A disc in the middle of nothing; the radius is a share of the picture's width."""
    rgba = np.zeros((size, size, 4), np.uint8)
    rgba[..., :3] = colour
    y, x = np.mgrid[:size, :size]
    centre = (size - 1) / 2
    rgba[..., 3] = np.where(np.hypot(x - centre, y - centre) < radius * size, 255, 0)
    return rgba


def stick(size: int = 1024, width: int = 12, slant: bool = True) -> Image:
    """A thin stick, from corner to corner or upright."""
    rgba = np.zeros((size, size, 4), np.uint8)
    rgba[..., :3] = (120, 90, 60)
    alpha = np.zeros((size, size), np.uint8)
    ends = ((80, 940), (940, 80)) if slant else ((512, 40), (512, 980))
    cv2.line(alpha, *ends, 255, width)
    rgba[..., 3] = alpha
    return rgba


@dataclass
class FakeArt:
    """Finds the same artwork for every brief."""

    rgba: Image
    svg: str | None = None
    has_face: bool = False
    face_hint: FaceGeometry | None = None
    pack: str = "ours"
    kind: ArtKind = "object"

    def find(self, brief: PortraitBrief, style: Style, seed: int) -> Artwork:
        return Artwork(
            rgba=self.rgba,
            svg=self.svg,
            title=brief.subject,
            pack=self.pack,
            style=style.name,
            kind=self.kind,
            has_face=self.has_face,
            face_hint=self.face_hint,
            credits=(CREDIT,),
            score=1.0,
        )
