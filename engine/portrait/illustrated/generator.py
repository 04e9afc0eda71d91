"""IllustratedGenerator: a portrait out of existing art, with a face drawn where one would be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np

from engine.face.painter import FacePainter
from engine.portrait.base import (
    FaceLandmarker,
    Image,
    PortraitCapabilities,
    PortraitDraft,
    Progress,
)
from engine.portrait.illustrated.erase import take_face_out
from engine.portrait.illustrated.framing import frame_subject, upright
from engine.portrait.illustrated.ground import lay_patch, over, prepare_ground
from engine.portrait.illustrated.look import OUTLINE, Rendering, choose_look
from engine.portrait.illustrated.placement import body_box, place_face, place_over
from engine.portrait.illustrated.proportions import CHILD, GROWN, face_at_centre
from engine.portrait.illustrated.scenery import paint_scene
from personas.errors import InvalidInputError
from personas.persona import FaceGeometry, PortraitBrief
from personas.styles import Style, StyleCatalogue

if TYPE_CHECKING:
    from engine.portrait.illustrated.art.library import Artwork

NAME = "illustrated-1"
"""Stored with every portrait: raise it when the same brief and seed begin to look different."""


class Artworks(Protocol):
    """Where the art comes from."""

    def find(self, brief: PortraitBrief, style: Style, seed: int) -> Artwork:
        """The artwork for a brief."""


class IllustratedGenerator:
    """A PortraitGenerator. Keeps nothing between portraits; safe to use from several threads.

    Args:
        art: finds the artwork.
        styles: the catalogue; those whose generator is `illustrated` are offered.
        size: width and height of the portraits, pixels.
        landmarkers: find the face in an uploaded photo; may be none.
    """

    def __init__(
        self,
        art: Artworks,
        styles: StyleCatalogue,
        size: int = 512,
        landmarkers: Sequence[FaceLandmarker] = (),
    ) -> None:
        self._art = art
        self._styles = styles
        self._size = size
        self._landmarkers = tuple(landmarkers)

    @property
    def capabilities(self) -> PortraitCapabilities:
        """Every drawn style; nothing is guided, nothing needs a GPU."""
        names = tuple(s.name for s in self._styles.all() if s.generator == "illustrated")
        return PortraitCapabilities(styles=names, guided=False, size=self._size, needs_gpu=False)

    def generate(
        self,
        brief: PortraitBrief,
        seed: int,
        *,
        photo: Image | None = None,
        progress: Progress | None = None,
    ) -> PortraitDraft:
        """Draws `brief`; the same brief, seed and photo give the same picture.

        Raises:
            UnavailableError: the art pack of the style has not been fetched.
            InvalidInputError: the photo cannot be used.
        """
        tell = progress or _silent
        if photo is not None:
            raise InvalidInputError("Photos are not yet read.")
        style = self._styles.resolve(brief.style, brief)
        tell(0.0, "looking for the right picture")
        art = self._art.find(brief, style, seed)
        tell(0.3, f"finding the face of the {art.title}")
        return self._draw(art, brief, style, seed, tell)

    def _rendering(self, art: Artwork, style: Style) -> Rendering:
        """How the art is drawn, which is not always how it was asked for."""
        if art.pack in style.packs or art.kind == "person":
            return style.rendering
        for other in self._styles.all():
            if art.pack in other.packs:
                return other.rendering
        return style.rendering

    def _draw(
        self, art: Artwork, brief: PortraitBrief, style: Style, seed: int, tell: Progress
    ) -> PortraitDraft:
        size, rendering = self._size, self._rendering(art, style)
        subject, face, patch, own_nose = _with_face_place(art, brief)
        frame = frame_subject(body_box(subject[..., 3]), face, size)
        geometry = frame.face(face)
        body = frame.picture(subject, size)
        line = OUTLINE * subject.shape[0] * frame.scale if rendering == "outlined" else None
        if patch:
            body = lay_patch(body, geometry, rendering, line or 4.0)
        else:
            body = prepare_ground(body, geometry, rendering)
        look = choose_look(body, geometry, brief, rendering, seed, own_nose, line)
        tell(0.5, "painting the background")
        background = paint_scene(body, brief, rendering, seed)
        background = _shadow(background, body, frame.grounded)
        tell(0.8, "painting the face")
        image = np.ascontiguousarray(
            over(np.dstack([background, np.full((size, size), 255, np.uint8)]), body)[..., :3]
        )
        FacePainter(geometry, look).paint(image)
        tell(1.0, "done")
        return PortraitDraft(
            image=image,
            geometry=geometry,
            style=style.name,
            seed=seed,
            generator=NAME,
            look=look,
            background=background,
            body=body,
            credits=art.credits,
        )


def _with_face_place(art: Artwork, brief: PortraitBrief) -> tuple[Image, FaceGeometry, bool, bool]:
    """The subject without a face, the face's place, whether it needs a patch and a nose."""
    proportions = CHILD if brief.age == "child" else GROWN
    if art.face_hint is not None:
        return art.rgba, art.face_hint, False, True
    if not art.has_face:
        subject, _ = upright(art.rgba)
        place = place_face(subject)
        return subject, face_at_centre(place.centre, place.width, proportions), place.patch, True
    subject, old = take_face_out(art)
    if old is not None and not old.profile:
        return subject, place_over(old, subject, proportions), False, old.nose is None
    size = subject.shape[0]
    head = (old.centre[0] * size, old.centre[1] * size) if old is not None else None
    place = place_face(subject, head)
    return subject, face_at_centre(place.centre, place.width, proportions), place.patch, True


def _shadow(background: Image, body: Image, grounded: bool) -> Image:
    """The scene with the shade that the subject throws: behind it, and on the ground."""
    size = background.shape[0]
    alpha = body[..., 3].astype(np.float32) / 255
    drop = np.float32([[1, 0, 0], [0, 1, size * 0.012]])
    shade = cv2.GaussianBlur(cv2.warpAffine(alpha, drop, (size, size)), (0, 0), size * 0.022) * 0.28
    if grounded:
        _, _, _, bottom = body_box(body[..., 3])
        foot = alpha[max(0, bottom - size // 14) : bottom].max(0)
        columns = np.flatnonzero(foot > 0.3)
        if len(columns):
            ground = np.zeros((size, size), np.float32)
            centre = (int(columns.mean()), min(bottom - size // 100, size - 1))
            axes = (max(4, int((columns[-1] - columns[0]) * 0.52)), max(3, size // 40))
            cv2.ellipse(ground, centre, axes, 0, 0, 360, 1.0, -1)
            ground = cv2.GaussianBlur(ground, (0, 0), size * 0.013) * 0.42
            shade = np.maximum(shade, ground)
    dark = np.float32([26, 18, 40])
    mixed = background * (1 - shade[..., None]) + dark * shade[..., None]
    return mixed.round().astype(np.uint8)


def _silent(_: float, __: str) -> None:
    """Nobody asked how far it is."""
