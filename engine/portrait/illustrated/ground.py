"""The ground a face is drawn on: evened, lightened, or laid under it where there is too little."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.portrait.base import Image
from engine.portrait.illustrated.look import Rendering, surface_colour
from engine.portrait.illustrated.palette import (
    chroma,
    hex_of,
    hue,
    lab_image,
    lch,
    rgb_image,
    rgb_of,
)
from engine.portrait.illustrated.proportions import FEATURES_HEIGHT, FEATURES_WIDTH, features_centre
from personas.persona import FaceGeometry

Floats = NDArray[np.float32]

DARKEST = 46.0
"""L of a surface below which it is lightened, so that a face on it can be read."""
PATCH = 1.12
"""Diameter of a patch, in widths of the face oval."""
UNEVEN = 9.0
"""CIELAB spread of a surface above which it is calmed."""


def prepare_ground(body: Image, geometry: FaceGeometry, rendering: Rendering) -> Image:
    """The body with a surface that a face can be read on; colours outside stay as they are.

    Args:
        body: RGBA, straight alpha.
        geometry: where the face will be.
        rendering: shaded art keeps its light and shade, others become flat.
    """
    near = _cover(body.shape, geometry, FEATURES_WIDTH, FEATURES_HEIGHT, 0.05)
    seen = (near > 0.5) & (body[..., 3] > 127)
    if seen.sum() < 16:
        return body
    lab = lab_image(body)
    skin = surface_colour(body, geometry)
    spread = float(np.mean(np.linalg.norm(lab[seen] - skin, axis=1)))
    target = lch(
        max(float(skin[0]), min(DARKEST + 0.35 * float(skin[0]), 62)), chroma(skin), hue(skin)
    )
    calm = float(np.clip((spread - UNEVEN) / 12, 0, 1)) * 0.9
    lift = float(target[0] - skin[0])
    if calm < 0.05 and lift < 1:
        return body
    soft = 0.22 if rendering == "shaded" else 0.05
    cover = _cover(body.shape, geometry, 1.08 * FEATURES_WIDTH, 1.08 * FEATURES_HEIGHT, soft)[
        ..., None
    ]
    lab = lab + cover * np.array([lift, 0, 0], np.float32)
    lab = lab + cover * calm * (target - lab)
    out = body.copy()
    changed = cover[..., 0] > 0.002
    out[..., :3][changed] = rgb_image(lab)[changed]
    return out


def lay_patch(
    body: Image, geometry: FaceGeometry, rendering: Rendering, line: float, below: bool = False
) -> Image:
    """The body with a disc in its own colour, lighter, for a face it has no room for itself.

    Args:
        body: RGBA, straight alpha.
        geometry: where the face will be.
        rendering: how the disc is drawn.
        line: width of the art's outlines, pixels.
        below: the body lies on the disc, as glasses do on a face.
    """
    skin = surface_colour(body, geometry)
    light = lch(max(float(skin[0]) + 8, 80), min(chroma(skin), 34), hue(skin))
    disc = _cover(body.shape, geometry, PATCH, PATCH, 0.0)
    colour = np.empty((*body.shape[:2], 3), np.float32)
    colour[:] = rgb_of(hex_of(light))
    rim = lch(float(light[0]) * 0.72, chroma(light) + 4, hue(light))
    if rendering == "outlined":
        rim, border = lch(8, 2, 60), line / geometry.width
    else:
        border = 0.03
    inner = _cover(body.shape, geometry, PATCH - 2 * border, PATCH - 2 * border, 0.0)
    if rendering == "shaded":
        y = (np.arange(body.shape[0]) - geometry.centre[1]) / geometry.width
        colour += (np.clip(-y, -0.7, 0.7) * 22)[:, None, None].astype(np.float32)
    ring = np.array(rgb_of(hex_of(rim)), np.float32)
    colour = np.clip(colour * inner[..., None] + ring * (1 - inner[..., None]), 0, 255)
    patch = np.dstack([colour, disc * 255]).round().astype(np.uint8)
    return over(patch, body) if below else over(body, patch)


def over(below: Image, above: Image) -> Image:
    """One straight-alpha picture on another."""
    top = above[..., 3:].astype(np.float32) / 255
    base = below[..., 3:].astype(np.float32) / 255 * (1 - top)
    alpha = top + base
    colour = (above[..., :3] * top + below[..., :3] * base) / np.maximum(alpha, 1e-6)
    return np.dstack([colour, alpha * 255]).round().astype(np.uint8)


def _cover(
    picture: tuple[int, ...], geometry: FaceGeometry, width: float, height: float, soft: float
) -> Floats:
    """An ellipse around the features, 0 to 1.

    Args:
        picture: height and width, pixels.
        geometry: the face.
        width: of the ellipse, in widths of the face oval.
        height: likewise.
        soft: how wide its edge is, likewise.
    """
    x0, y0 = features_centre(geometry)
    y, x = np.mgrid[: picture[0], : picture[1]].astype(np.float32)
    cos, sin = np.cos(geometry.roll), np.sin(geometry.roll)
    across = ((x - x0) * cos + (y - y0) * sin) / (width / 2)
    down = ((y - y0) * cos - (x - x0) * sin) / (height / 2)
    distance = (1 - np.hypot(across, down) / geometry.width) * min(width, height) / 2
    edge = max(soft, 1.5 / geometry.width)
    cover = np.clip(distance / edge + 0.5, 0, 1)
    return np.asarray(cover * cover * (3 - 2 * cover), np.float32)
