"""Retouches a photo: takes eyes and mouth out of it, and keeps their colours.

What is taken out is filled with the skin around it: smooth as a soap film, so that light and shade
go on through it without a seam, with the photo's own grain on top.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.portrait.base import Image
from engine.portrait.illustrated.palette import Lab, chroma, hex_of, hue, lab_image, lch, mix
from personas.persona import FaceGeometry, Point

Mask = NDArray[np.float32]
Points = NDArray[np.float32]

LEFT_EYE = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
RIGHT_EYE = (362, 382, 381, 380, 374, 373, 390, 249, 263, 466, 388, 387, 386, 385, 384, 398)
LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
"""Outlines in the order of MediaPipe FaceMesh."""
_MESH = 468
"""Points that a face mesh has at least; with fewer, ellipses stand for the outlines."""
_SOLVED_AT = 112
"""Pixels of a hole's longer side at which it is filled: what is smooth needs no more."""


@dataclass(frozen=True)
class FeatureColours:
    """What a photo's own features look like, as `#rrggbb`."""

    iris: str
    eye_white: str
    lip: str
    skin: str


def eye_areas(picture: Image, geometry: FaceGeometry, points: Points) -> list[Mask]:
    """Where the eyes are with lids and lashes, but not the brows: two masks, 0 or 1."""
    radius = geometry.eye_radius
    eyes = ((geometry.left_eye, LEFT_EYE), (geometry.right_eye, RIGHT_EYE))
    areas = []
    for centre, outline in eyes:
        area = _ellipse(picture, geometry, centre, (1.22 * radius, 0.62 * radius))
        if len(points) >= _MESH:
            area = np.maximum(area, _grown(picture, points[list(outline)], 0.3 * radius))
        areas.append(area)
    return areas


def painted_eye_areas(picture: Image, geometry: FaceGeometry, points: Points) -> list[Mask]:
    """Likewise of a thing with a painted face, whose eyes are round and wide open.

    They are larger than what a detector of people's faces takes for eyes.
    """
    radius = 1.5 * geometry.eye_radius
    seen = eye_areas(picture, geometry, points)
    eyes = (geometry.left_eye, geometry.right_eye)
    return [
        np.maximum(area, _ellipse(picture, geometry, eye, (radius, 0.92 * radius)))
        for area, eye in zip(seen, eyes, strict=True)
    ]


def mouth_area(picture: Image, geometry: FaceGeometry, points: Points) -> Mask:
    """Where the lips are and what is between them, 0 or 1."""
    wide = geometry.mouth_width
    if len(points) >= _MESH:
        return _grown(picture, points[list(LIPS)], 0.09 * wide)
    return _ellipse(picture, geometry, geometry.mouth, (0.6 * wide, 0.34 * wide))


def animal_eye_areas(
    picture: Image, geometry: FaceGeometry, radii: tuple[float, float]
) -> list[Mask]:
    """Where an animal has its round eyes with their dark rims: two masks, 0 or 1."""
    light = lab_image(picture)[..., 0]
    areas = []
    for eye, radius in zip((geometry.left_eye, geometry.right_eye), radii, strict=True):
        area = _ellipse(picture, geometry, eye, (1.2 * radius, 1.16 * radius))
        around = _ellipse(picture, geometry, eye, (1.7 * radius, 1.6 * radius)) - area
        # Rims run out into dark corners, which would darken all of the filling.
        dark = light < np.median(light[around > 0]) - 14 if around.any() else light < 0
        corners = cv2.morphologyEx(dark * around, cv2.MORPH_OPEN, np.ones((5, 5)))
        width = 2 * max(1, round(0.08 * radius)) + 1
        wide = cv2.dilate(corners, np.ones((width, width)))
        areas.append(np.asarray(np.maximum(area, wide), np.float32))
    return areas


def animal_colours(
    picture: Image, geometry: FaceGeometry, radii: tuple[float, float], skin: Lab
) -> FeatureColours:
    """The colours of an animal's eyes, which show no white: the iris fills them."""
    lab = lab_image(picture)
    seen = []
    for eye, radius in zip((geometry.left_eye, geometry.right_eye), radii, strict=True):
        disc = _ellipse(picture, geometry, eye, (0.62 * radius, 0.62 * radius))
        inside = lab[disc > 0]
        # The lighter half, but no reflections: the rest is pupil and shadow.
        low, high = np.quantile(inside[:, 0], (0.55, 0.95))
        seen.append(np.median(inside[(inside[:, 0] >= low) & (inside[:, 0] <= high)], axis=0))
    eye_colour = np.mean(seen, axis=0)
    strong, tone = float(np.clip(1.4 * chroma(eye_colour), 8, 60)), hue(eye_colour)
    light = lch(float(np.clip(eye_colour[0] + 16, 50, 84)), strong, tone)
    iris = lch(float(np.clip(eye_colour[0] + 2, 28, 60)), strong, tone)
    lip = mix(lch(max(20.0, 0.62 * float(skin[0])), chroma(skin), hue(skin)), lch(40, 34, 24), 0.4)
    return FeatureColours(hex_of(iris), hex_of(light), hex_of(lip), hex_of(skin))


def colours_of(picture: Image, geometry: FaceGeometry, points: Points, skin: Lab) -> FeatureColours:
    """The colours of the features that are still on the picture.

    Args:
        picture: RGB, the photo as the portrait shows it.
        geometry: where the face is, in the same pixels.
        points: of the face mesh, likewise; may be empty.
        skin: what is around the features.
    """
    lab = lab_image(picture)
    radius = geometry.eye_radius
    irises = []
    for eye in (geometry.left_eye, geometry.right_eye):
        disc = _ellipse(picture, geometry, eye, (0.42 * radius, 0.3 * radius))
        seen = lab[disc > 0]
        if len(seen) >= 4:
            # Neither the pupil and the lashes nor the white and the light in the eye.
            low, high = np.quantile(seen[:, 0], (0.2, 0.6))
            irises.append(np.median(seen[(seen[:, 0] >= low) & (seen[:, 0] <= high)], axis=0))
    seen_iris = np.mean(irises, axis=0) if irises else lch(32, 18, 60)
    # Small and in the lids' shadow: as the eye would look from near, in good light.
    iris = lch(
        float(np.clip(seen_iris[0] * 1.1, 24, 52)),
        float(np.clip(chroma(seen_iris) * 1.25, 6, 42)),
        hue(seen_iris),
    )
    white = mix(lch(float(np.clip(skin[0] + 14, 66, 94)), 2, 80), skin, 0.06)
    lips = lab[mouth_area(picture, geometry, points) > 0]
    lip = mix(skin, lch(46, 34, 24), 0.5)
    if len(lips) >= 16:
        # The reddest of it: teeth, skin and the dark between the lips are not.
        redness = lips[:, 1] - 0.4 * np.abs(lips[:, 0] - 50)
        lip = np.median(lips[redness >= np.quantile(redness, 0.65)], axis=0).astype(np.float32)
    lip = mix(lip, lch(float(np.clip(lip[0], 22, max(24.0, skin[0] - 17))), 34, 24), 0.3)
    # On a photo without colours nothing has any.
    tint = np.array([1, *[min(1.0, chroma(skin) / 8)] * 2], np.float32)
    found = (hex_of(colour * tint) for colour in (iris, white, lip, skin))
    return FeatureColours(*found)


def smoothed_over(picture: Image, area: Mask, feather: float, seed: int = 7) -> Image:
    """The picture with the area filled from its surroundings, without a seam.

    Args:
        picture: RGB.
        area: 1 what goes, 0 what stays.
        feather: pixels over which the filling and the photo go over into each other.
        seed: of the grain.
    """
    rows, columns = np.flatnonzero(area.max(axis=1)), np.flatnonzero(area.max(axis=0))
    if not len(rows):
        return picture
    pad = max(6, round(0.35 * max(len(rows), len(columns))))
    window = (
        slice(max(0, rows[0] - pad), rows[-1] + pad + 1),
        slice(max(0, columns[0] - pad), columns[-1] + pad + 1),
    )
    part, hole = picture[window].astype(np.float32), area[window]
    filled = _membrane(part, hole)
    filled += _grain(part, hole, seed)
    reach = round(2 * feather) + 1
    grown = cv2.dilate(hole, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    share = np.maximum(cv2.GaussianBlur(grown, (0, 0), max(0.6, feather / 2)), hole)[..., None]
    out = picture.copy()
    out[window] = np.clip(part + share * (filled - part), 0, 255).round().astype(np.uint8)
    return out


def _membrane(part: NDArray[np.float32], hole: Mask) -> NDArray[np.float32]:
    """The picture with its hole spanned by a soap film: Laplace's equation, from coarse to fine."""
    shrink = max(1.0, max(hole.shape) / _SOLVED_AT)
    size = (max(4, round(hole.shape[1] / shrink)), max(4, round(hole.shape[0] / shrink)))
    # Single hairs and lashes at the rim must not be drawn out over all of it.
    calm = cv2.GaussianBlur(cv2.medianBlur(part.astype(np.uint8), 5), (0, 0), 1.2)
    small = np.asarray(cv2.resize(calm, size, interpolation=cv2.INTER_AREA), np.float32)
    gone = cv2.resize(cv2.dilate(hole, np.ones((3, 3))), size, interpolation=cv2.INTER_LINEAR) > 0.1
    solved = _solved(small, gone)
    full = cv2.resize(solved, hole.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    return np.asarray(full, np.float32)


def _solved(small: NDArray[np.float32], gone: NDArray[np.bool_]) -> NDArray[np.float32]:
    if gone.all():
        return np.broadcast_to(small.mean(axis=(0, 1)), small.shape).astype(np.float32)
    if min(gone.shape) >= 16:  # the half-sized film is a good first guess
        half = (gone.shape[1] // 2, gone.shape[0] // 2)
        known = (~gone).astype(np.float32)
        weight = cv2.resize(known, half, interpolation=cv2.INTER_AREA)
        colour = cv2.resize(small * known[..., None], half, interpolation=cv2.INTER_AREA)
        mean = np.asarray(colour / np.maximum(weight, 1e-3)[..., None], np.float32)
        coarse = _solved(mean, weight < 0.25)
        guess = cv2.resize(coarse, gone.shape[::-1], interpolation=cv2.INTER_LINEAR)
    else:
        guess = np.broadcast_to(small[~gone].mean(axis=0), small.shape)
    film = np.where(gone[..., None], guess, small).astype(np.float32)
    cross = np.array([[0, 0.25, 0], [0.25, 0, 0.25], [0, 0.25, 0]], np.float32)
    for _ in range(40):
        film[gone] = cv2.filter2D(film, -1, cross, borderType=cv2.BORDER_REPLICATE)[gone]
    return film


def _grain(part: NDArray[np.float32], hole: Mask, seed: int) -> NDArray[np.float32]:
    """Noise as strong as the photo's own around the hole, [h, w, 1]."""
    grey = part.mean(axis=2)
    fine = grey - cv2.GaussianBlur(grey, (0, 0), 1.5)
    around = fine[hole == 0]
    strength = float(np.median(np.abs(around))) * 1.48 if around.size else 0.0
    noise = np.random.default_rng(seed).standard_normal(grey.shape).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), 0.8)
    noise *= min(strength, 4.0) / max(float(noise.std()), 1e-6)
    return np.asarray(noise[..., None], np.float32)


def _ellipse(
    picture: Image, geometry: FaceGeometry, centre: Point, radii: tuple[float, float]
) -> Mask:
    """A filled ellipse that is turned with the face."""
    area = np.zeros(picture.shape[:2], np.float32)
    at = (round(centre[0] * 16), round(centre[1] * 16))
    axes = (max(16, round(radii[0] * 16)), max(16, round(radii[1] * 16)))
    cv2.ellipse(area, at, axes, float(np.degrees(geometry.roll)), 0, 360, 1.0, -1, cv2.LINE_8, 4)
    return area


def _grown(picture: Image, outline: Points, reach: float) -> Mask:
    """A filled outline and what is near it."""
    area = np.zeros(picture.shape[:2], np.float32)
    hull = cv2.convexHull(np.rint(outline).astype(np.int32))
    cv2.fillConvexPoly(area, hull, 1.0)
    width = 2 * max(1, round(reach)) + 1
    return np.asarray(
        cv2.dilate(area, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))), np.float32
    )
