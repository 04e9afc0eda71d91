"""Takes the face out of art that has one, so that no persona looks out of two."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from engine.portrait.base import Image
from engine.portrait.illustrated.features import OldFace, find_face
from engine.portrait.illustrated.shapes import shapes_of, without
from personas.errors import UnavailableError
from personas.persona import Point

if TYPE_CHECKING:
    from engine.portrait.illustrated.art.library import Artwork


def take_face_out(art: Artwork) -> tuple[Image, str | None, OldFace | None]:
    """The artwork without eyes, brows and mouth, and where they were.

    The shapes are left out of the drawing and what they covered is seen. Where the source is not
    known, or no eyes are found in it, the picture comes back as it is.

    Args:
        art: a picture that already shows a face.

    Returns:
        The picture, its source where that is known, and the face that it had.
    """
    if art.svg is None:
        return art.rgba, None, None
    old = find_face(shapes_of(art.svg), art.rgba)
    if old is None or not old.shapes:
        return art.rgba, art.svg, old
    from engine.portrait.illustrated.art.packs import PACKS
    from engine.portrait.illustrated.art.raster import SIZE, artwork

    info = PACKS.get(art.pack)
    svg: str | None = without(art.svg, old.shapes)
    try:
        rgba = artwork(svg or "", info.resolution if info else SIZE)
    except UnavailableError:  # what we wrote back cannot be drawn: fill the pixels instead
        svg, rgba = None, art.rgba
        for eye in {old.left_eye, old.right_eye}:
            rgba = fill_in(rgba, eye, (old.eye[0] * 1.3, old.eye[1] * 1.3))
    return rgba, svg, old


def fill_in(rgba: Image, centre: Point, extent: tuple[float, float]) -> Image:
    """The picture with an ellipse of it painted over in the colours around.

    Args:
        rgba: straight alpha, or RGB.
        centre: of the ellipse, shares of the picture's width and height.
        extent: width and height of the ellipse, likewise.
    """
    height, width = rgba.shape[:2]
    x, y = centre[0] * width, centre[1] * height
    rx, ry = max(2.0, extent[0] * width / 2), max(2.0, extent[1] * height / 2)
    left, right = int(max(0, x - 2 * rx)), int(min(width, x + 2 * rx + 1))
    top, bottom = int(max(0, y - 2 * ry)), int(min(height, y + 2 * ry + 1))
    if right - left < 4 or bottom - top < 4:
        return rgba
    part = rgba[top:bottom, left:right]
    grid_y, grid_x = np.mgrid[top:bottom, left:right].astype(np.float32)
    distance = np.hypot((grid_x - x) / rx, (grid_y - y) / ry)
    # Colours are smooth there, so a small picture says enough; 96 px keep it quick.
    shrink = max(1.0, max(part.shape[:2]) / 96)
    size = (max(4, round(part.shape[1] / shrink)), max(4, round(part.shape[0] / shrink)))
    small = cv2.resize(np.ascontiguousarray(part[..., :3]), size, interpolation=cv2.INTER_AREA)
    hole = (cv2.resize(distance, size) < 1.08).astype(np.uint8) * 255
    filled = cv2.inpaint(small, hole, 4, cv2.INPAINT_TELEA)
    filled = cv2.resize(filled, (part.shape[1], part.shape[0]), interpolation=cv2.INTER_CUBIC)
    filled = cv2.GaussianBlur(filled, (0, 0), max(0.8, 0.08 * min(rx, ry)))
    cover = np.clip((1.06 - distance) / 0.12, 0, 1)[..., None]
    out = rgba.copy()
    mixed = part[..., :3] * (1 - cover) + filled * cover
    out[top:bottom, left:right, :3] = mixed.round().astype(np.uint8)
    return out
