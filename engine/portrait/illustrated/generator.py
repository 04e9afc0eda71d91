"""IllustratedGenerator: a portrait out of existing art, with a face drawn where one would be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol

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
from engine.portrait.illustrated.framing import Frame, frame_subject, upright
from engine.portrait.illustrated.ground import DARKEST, lay_patch, over, prepare_ground
from engine.portrait.illustrated.look import (
    OUTLINE,
    Rendering,
    as_photographed,
    choose_look,
    surface_colour,
)
from engine.portrait.illustrated.photo import checked_photo, is_cutout, photo_layers, squared
from engine.portrait.illustrated.placement import (
    body_box,
    face_behind,
    grown,
    place_face,
    place_over,
)
from engine.portrait.illustrated.proportions import CHILD, GROWN, face_at_centre
from engine.portrait.illustrated.scenery import cast_shadow, paint_scene
from personas.errors import UnavailableError
from personas.persona import ArtCredit, FaceGeometry, FaceLook, PortraitBrief
from personas.styles import Style, StyleCatalogue

if TYPE_CHECKING:
    from engine.portrait.illustrated.art.library import Artwork

PHOTO = "photo"
"""The style of portraits that were made of an uploaded picture."""
NAME = "illustrated-2"
"""Stored with every portrait: raise it when the same brief and seed begin to look different."""


SHARPEST = 1536
"""Pixels at which art is drawn again at most; shaded art takes a second for that."""
BOLDEST = 0.026
"""Width of outlines at most, of the portrait's width: as on a subject that is seen whole."""
EYEWEAR = frozenset({"glasses", "sunglasses", "goggles"})
"""Titles of art that is worn on a face, so that its face is behind it."""


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
        keep_faces: a face that was found on a photo stays on it, because the talking head moves
            it as it is; a drawn head draws its own in its place all the same.
    """

    def __init__(
        self,
        art: Artworks,
        styles: StyleCatalogue,
        size: int = 512,
        landmarkers: Sequence[FaceLandmarker] = (),
        *,
        keep_faces: bool = False,
    ) -> None:
        self._art = art
        self._styles = styles
        self._size = size
        self._landmarkers = tuple(landmarkers)
        self._keep_faces = keep_faces

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
        style = self._styles.resolve(brief.style, brief)
        if photo is not None:
            return self._from_photo(checked_photo(photo), brief, seed, tell)
        tell(0.0, "looking for the right picture")
        art = self._art.find(brief, style, seed)
        tell(0.3, f"finding the face of the {art.title}")
        site, rendering = _site(art, brief), self._rendering(art, style)
        draft = self._compose(site, rendering, style.name, art.credits, brief, seed, tell)
        tell(1.0, "done")
        return draft

    def _from_photo(
        self, photo: Image, brief: PortraitBrief, seed: int, tell: Progress
    ) -> PortraitDraft:
        tell(0.1, "looking for a face in the picture")
        if is_cutout(photo):
            subject = squared(photo)
            place = place_face(subject)
            face = face_at_centre(place.centre, place.width, GROWN)
            ground: Ground = "patch" if place.patch else "prepare"
            return self._compose(
                _Site(subject, face, ground), "shaded", PHOTO, (), brief, seed, tell
            )
        layers = photo_layers(photo, self._landmarkers, self._size)
        tell(0.8, "painting the face")
        look = choose_look(layers.body, layers.geometry, brief, "shaded", seed, own_nose=False)
        look = look.model_copy(update={"blush": None})  # a disc of paint on a photo
        if layers.colours is not None:
            look = as_photographed(look, layers.colours, layers.kind == "person")
        draft = self._draft(layers.background, layers.body, layers.geometry, look, PHOTO, (), seed)
        if self._keep_faces and layers.kind == "person":
            found = layers.geometry.model_copy(update={"source": "found"})
            draft = replace(draft, image=layers.picture, geometry=found)
        return draft

    def _rendering(self, art: Artwork, style: Style) -> Rendering:
        """How the art is drawn, which is not always how it was asked for."""
        if art.pack in style.packs or art.kind == "person":
            return style.rendering
        for other in self._styles.all():
            if art.pack in other.packs:
                return other.rendering
        return "shaded"  # our own drawings

    def _compose(
        self,
        site: _Site,
        rendering: Rendering,
        style: str,
        credits: tuple[ArtCredit, ...],
        brief: PortraitBrief,
        seed: int,
        tell: Progress,
    ) -> PortraitDraft:
        size = self._size
        frame = frame_subject(body_box(site.subject[..., 3]), site.face, size)
        geometry = frame.face(site.face)
        drawn = OUTLINE * site.subject.shape[0] * frame.scale
        line = min(drawn, BOLDEST * size) if rendering == "outlined" else None
        body = _near(site, frame, size, finer=line / drawn if line is not None else 1.0)
        if site.ground in ("patch", "wearer"):
            below = site.ground == "wearer"
            body = lay_patch(body, geometry, rendering, line or 4.0, below)
        elif site.ground == "prepare":
            body = prepare_ground(body, geometry, rendering)
        look = choose_look(body, geometry, brief, rendering, seed, site.own_nose, line)
        tell(0.5, "painting the background")
        background = paint_scene(body, brief, rendering, seed)
        background = cast_shadow(background, body, frame.grounded)
        tell(0.8, "painting the face")
        return self._draft(background, body, geometry, look, style, credits, seed)

    def _draft(
        self,
        background: Image,
        body: Image,
        geometry: FaceGeometry,
        look: FaceLook,
        style: str,
        credits: tuple[ArtCredit, ...],
        seed: int,
    ) -> PortraitDraft:
        opaque = np.full((*background.shape[:2], 1), 255, np.uint8)
        image = np.ascontiguousarray(over(np.dstack([background, opaque]), body)[..., :3])
        FacePainter(geometry, look).paint(image)
        return PortraitDraft(
            image=image,
            geometry=geometry,
            style=style,
            seed=seed,
            generator=NAME,
            look=look,
            background=background,
            body=body,
            credits=credits,
        )


Ground = Literal["keep", "prepare", "patch", "wearer"]


@dataclass(frozen=True)
class _Site:
    """Where on its subject a face goes.

    Attributes:
        subject: the art without a face.
        face: in the art's pixels.
        ground: what the face is drawn on: the art as it is, evened and lightened, a patch on it,
            or somebody who wears it.
        own_nose: draw one; False where the art has a nose that stays.
        svg: the source of `subject`, to draw it again from near.
        pack: which art it is.
    """

    subject: Image
    face: FaceGeometry
    ground: Ground
    own_nose: bool = True
    svg: str | None = None
    pack: str = ""


def _site(art: Artwork, brief: PortraitBrief) -> _Site:
    proportions = CHILD if brief.age == "child" else GROWN
    if art.face_hint is not None:
        if art.kind == "person":
            return _Site(art.rgba, art.face_hint, "keep", svg=art.svg, pack=art.pack)
        face = grown(art.face_hint, art.rgba)
        return _Site(art.rgba, face, "prepare", svg=art.svg, pack=art.pack)
    if art.title in EYEWEAR:
        face = face_behind(art.rgba)
        return _Site(art.rgba, face, "wearer", svg=art.svg, pack=art.pack)
    if art.has_face:
        subject, svg, old = take_face_out(art)
        if old is not None and not old.profile:
            face = place_over(old, subject, proportions)
            dark = surface_colour(subject, face)[0] < DARKEST
            ground: Ground = "prepare" if dark else "keep"
            return _Site(subject, face, ground, old.nose is None, svg, art.pack)
        size = subject.shape[0]
        head = (old.centre[0] * size, old.centre[1] * size) if old is not None else None
        place = place_face(subject, head)
    else:
        subject, turned = upright(art.rgba)
        svg = art.svg if turned == 0 else None
        place = place_face(subject)
    face = face_at_centre(place.centre, place.width, proportions)
    ground = "patch" if place.patch else "prepare"
    return _Site(subject, face, ground, svg=svg, pack=art.pack)


def _near(site: _Site, frame: Frame, size: int, *, finer: float) -> Image:
    """The subject as the portrait shows it; drawn again where that looks better.

    That is where its pixels would be enlarged, or its lines become as thick as beams.

    Args:
        site: the subject, and its source where that is known.
        frame: what of it is shown.
        size: of the portrait, pixels.
        finer: how wide its lines are to be, of what they are; 1 at most.
    """
    body = frame.picture(site.subject, size)
    if site.svg is None:
        return body
    from engine.portrait.illustrated.art.packs import PACKS
    from engine.portrait.illustrated.art.raster import SIZE, render, with_lines

    drawn = PACKS[site.pack].resolution if site.pack in PACKS else SIZE
    needed = min(round(frame.scale * SIZE), SHARPEST)
    if needed <= 1.05 * drawn and finer > 0.95:
        return body
    try:
        # The whole drawing, not the window: blurs that a view box cuts make the renderer fail.
        rgba = render(with_lines(site.svg, finer), max(needed, drawn))
    except UnavailableError:
        return body
    return replace(frame, scale=frame.scale * SIZE / rgba.shape[0]).picture(rgba, size)


def _silent(_: float, __: str) -> None:
    """Nobody asked how far it is."""
