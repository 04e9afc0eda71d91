"""Where the face of what a photo shows would be: on its own eyes, or on a calm part of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.portrait.base import Image
from engine.portrait.illustrated.palette import lab_image
from engine.portrait.illustrated.proportions import (
    FEATURES_HEIGHT,
    FEATURES_WIDTH,
    GROWN,
    face_at_centre,
    face_at_eyes,
)
from personas.persona import FaceGeometry

Floats = NDArray[np.float32]

WIDEST = 0.45
"""Of a face that nobody has seen, in widths of the portrait: more would be a mask."""
_GRID = 208
"""Pixels of the longer side on which eyes are looked for."""
_RADII = np.geomspace(5.0, 24.0, 13)
"""Of the eyes that are looked for, likewise: smaller spots are everywhere."""
_DIRECTIONS = 16
_CERTAIN = 0.7
"""Score of a pair of eyes; grass, gravel and cups stay below 0.6."""


@dataclass(frozen=True)
class _Disc:
    """Something round with a dark middle: where, how large, how likely an eye, its colour."""

    x: float
    y: float
    radius: float
    score: float
    colour: Floats


@dataclass(frozen=True)
class AnimalFace:
    """A face between two eyes that look out of fur or feathers.

    Attributes:
        geometry: where ours goes, pixels of the photo.
        radii: of the left and the right eye, likewise; turned heads have a smaller one.
    """

    geometry: FaceGeometry
    radii: tuple[float, float]


def animal_face(rgb: Image) -> AnimalFace | None:
    """The face between two eyes like those of a cat or an owl: round, alike, with dark pupils.

    Args:
        rgb: the photo.
    """
    scale = _GRID / max(rgb.shape[:2])
    size = (max(8, round(rgb.shape[1] * scale)), max(8, round(rgb.shape[0] * scale)))
    lab = lab_image(np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8))
    discs = sorted(_discs(cv2.GaussianBlur(lab, (0, 0), 0.8)), key=lambda disc: -disc.score)[:60]
    best: tuple[float, _Disc, _Disc] | None = None
    for number, one in enumerate(discs):
        for other in discs[number + 1 :]:
            score = _pair(one, other)
            if score > _CERTAIN and (best is None or score > best[0]):
                best = (score, *sorted((one, other), key=lambda disc: disc.x))
    if best is None:
        return None
    left, right = (_outermost(disc, discs) for disc in best[1:])
    dx, dy = right.x - left.x, right.y - left.y
    apart = math.hypot(dx, dy) / scale
    middle = (left.x + right.x + 1) / 2 / scale, (left.y + right.y + 1) / 2 / scale
    face = face_at_eyes(middle, apart / GROWN.eye_distance, GROWN, math.atan2(dy, dx))
    radii = min(left.radius / scale, 0.4 * apart), min(right.radius / scale, 0.4 * apart)
    radius = (max(radii) + sum(radii) / 2) / 2
    face = face.model_copy(update={"eye_radius": radius, "mouth_width": 0.5 * apart})
    return AnimalFace(face, radii)


def _outermost(disc: _Disc, discs: list[_Disc]) -> _Disc:
    """The widest round edge about the same place: that of the lids, not of the pupil."""
    around = [
        other
        for other in discs
        if math.hypot(other.x - disc.x, other.y - disc.y) < 0.5 * disc.radius
        and other.score > 0.6 * disc.score
        and other.radius < 2 * disc.radius
    ]
    return max(around, key=lambda other: other.radius, default=disc)


def _discs(lab: Floats) -> list[_Disc]:
    """Places from which edges lie all around at one distance (radial symmetry), dark within."""
    slopes = [
        np.stack([cv2.Sobel(plane, cv2.CV_32F, *way) for plane in cv2.split(lab)], axis=2)
        for way in ((1, 0), (0, 1))
    ]
    strongest = (slopes[0] ** 2 + slopes[1] ** 2).argmax(axis=2)[..., None]
    gx, gy = (np.take_along_axis(slope, strongest, axis=2)[..., 0] for slope in slopes)
    steep = np.hypot(gx, gy)
    y, x = np.nonzero(steep > 12)
    ux, uy, weight = gx[y, x] / steep[y, x], gy[y, x] / steep[y, x], steep[y, x] / 40
    found = []
    for radius in _RADII:
        round_ = _roundness(lab.shape, x, y, ux, uy, np.minimum(weight, 1), float(radius))
        pupil = _mean(lab[..., 0], _ring(0, 0.35 * radius))
        outside = _mean(lab[..., 0], _ring(1.15 * radius, 1.6 * radius))
        dark = np.clip((outside - pupil) / 30, 0, 1) * np.clip((62 - pupil) / 30, 0, 1)
        inner = _colour(lab, _ring(0, 0.95 * radius))
        outer = _colour(lab, _ring(1.1 * radius, 1.6 * radius))
        contrast = np.clip(np.linalg.norm(inner - outer, axis=2) / 18, 0, 1)
        score = np.asarray(round_ * dark * contrast, np.float32)
        peak = (score == cv2.dilate(score, np.ones((2 * int(radius) + 1,) * 2))) & (score > 0.3)
        for row, column in zip(*np.nonzero(peak), strict=True):
            likely = float(score[row, column])
            found.append(
                _Disc(float(column), float(row), float(radius), likely, inner[row, column])
            )
    return found


def _roundness(
    shape: tuple[int, ...],
    x: NDArray[np.int64],
    y: NDArray[np.int64],
    ux: Floats,
    uy: Floats,
    weight: Floats,
    radius: float,
) -> Floats:
    """For each place, the share of directions in which an edge lies at `radius` and faces it."""
    votes = np.zeros((_DIRECTIONS, *shape[:2]), np.float32)
    for sign in (-1.0, 1.0):
        to_x = np.rint(x + sign * radius * ux).astype(int)
        to_y = np.rint(y + sign * radius * uy).astype(int)
        inside = (to_x >= 0) & (to_x < shape[1]) & (to_y >= 0) & (to_y < shape[0])
        angle = np.arctan2(-sign * uy, -sign * ux) % (2 * np.pi)
        way = (angle / (2 * np.pi) * _DIRECTIONS).astype(int) % _DIRECTIONS
        np.add.at(votes, (way[inside], to_y[inside], to_x[inside]), weight[inside])
    blur = max(1.0, 0.14 * radius)
    spread = [cv2.GaussianBlur(plane, (0, 0), blur) for plane in votes]
    full = 0.035 * radius / blur
    return np.asarray(np.mean([np.minimum(plane / full, 1) for plane in spread], axis=0))


def _pair(one: _Disc, other: _Disc) -> float:
    """How likely two discs are the eyes of one animal, 0 to 1."""
    dx, dy = abs(other.x - one.x), abs(other.y - one.y)
    radius, apart = (one.radius + other.radius) / 2, math.hypot(dx, dy)
    alike = max(one.radius, other.radius) <= 1.5 * min(one.radius, other.radius)
    if not alike or not 2.2 * radius < apart < 8 * radius or dy > 0.7 * dx:
        return 0.0
    colours = float(np.linalg.norm(one.colour - other.colour))
    return math.sqrt(one.score * other.score) * math.exp(-colours / 25)


def calm_place(rgb: Image, subject: Floats) -> FaceGeometry:
    """A face that lies on what a photo shows, beside whatever is striking on it.

    Args:
        rgb: the photo.
        subject: what of it counts, 0 to 1.
    """
    scale = 128 / min(rgb.shape[:2])
    if max(rgb.shape[:2]) * scale > 512:
        scale = 512 / max(rgb.shape[:2])
    size = (max(8, round(rgb.shape[1] * scale)), max(8, round(rgb.shape[0] * scale)))
    small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    mask = np.clip(cv2.resize(subject, size, interpolation=cv2.INTER_AREA), 0, 1)
    lab = lab_image(small)
    edges = np.zeros(mask.shape, np.float32)
    for plane in cv2.split(lab):
        for way in ((1, 0), (0, 1)):
            edges += cv2.Sobel(plane, cv2.CV_32F, *way) ** 2
    edges = np.minimum(np.sqrt(edges) / 8, 12)
    weight = mask + 1e-4
    rows, columns = np.mgrid[: mask.shape[0], : mask.shape[1]].astype(np.float32)
    middle_x = float((columns * weight).sum() / weight.sum())
    middle_y = float((rows * weight).sum() / weight.sum())
    shorter = min(mask.shape)
    away = np.hypot(columns - middle_x, rows - middle_y) / shorter
    best = (-math.inf, middle_x, middle_y, 0.3 * shorter)
    for share in (WIDEST, 0.4, 0.36, 0.32, 0.28, 0.24, 0.2):
        width = share * shorter
        area = _oval(FEATURES_WIDTH * width, FEATURES_HEIGHT * width)
        covered = _mean(mask, area, cv2.BORDER_CONSTANT)
        mean = _colour(lab, area)
        square = _mean((lab * lab).sum(axis=2), area)
        uneven = np.sqrt(np.maximum(square - (mean * mean).sum(axis=2), 0))
        # A face must be seen: on the dark it is only drawn where all is dark.
        dim = np.clip((45 - mean[..., 0]) / 45, 0, 1)
        score = 2.6 * math.log(share) - 1.5 * uneven / 20 - 1.1 * _mean(edges, area) / 2
        score = score - 3.2 * away - 12 * np.maximum(0.97 - covered, 0) - 0.8 * dim
        at_y, at_x = np.unravel_index(int(np.argmax(score)), score.shape)
        if score[at_y, at_x] > best[0]:
            best = (float(score[at_y, at_x]), float(at_x), float(at_y), width)
    _, best_x, best_y, width = best
    return face_at_centre(((best_x + 0.5) / scale, (best_y + 0.5) / scale), width / scale, GROWN)


def calmed(picture: Image, geometry: FaceGeometry) -> Image:
    """The picture with lines and grain fading towards the middle of the face; light stays.

    Args:
        picture: RGB or RGBA.
        geometry: where the face will be.
    """
    size = picture.shape[0]
    colour = np.ascontiguousarray(picture[..., :3]).astype(np.float32)
    blurred = cv2.GaussianBlur(colour, (0, 0), max(1.0, 0.07 * geometry.width))
    x, y = geometry.centre[0], (geometry.left_eye[1] + geometry.mouth[1]) / 2
    rows, columns = np.mgrid[:size, : picture.shape[1]].astype(np.float32)
    far = np.hypot((columns - x) / (0.62 * geometry.width), (rows - y) / (0.68 * geometry.width))
    share = np.clip(1.15 - far, 0, 1)
    share = (share * share * (3 - 2 * share))[..., None] * 0.92
    out = picture.copy()
    out[..., :3] = np.clip(colour + share * (blurred - colour), 0, 255).round()
    return out


def _ring(inner: float, outer: float) -> Floats:
    reach = int(math.ceil(outer))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    distance = np.hypot(x, y)
    ring = ((distance >= inner) & (distance <= outer)).astype(np.float32)
    return np.asarray(ring / ring.sum(), np.float32)


def _oval(width: float, height: float) -> Floats:
    rx, ry = max(width / 2, 0.5), max(height / 2, 0.5)
    y, x = np.mgrid[-int(ry) : int(ry) + 1, -int(rx) : int(rx) + 1]
    oval = ((x / rx) ** 2 + (y / ry) ** 2 <= 1).astype(np.float32)
    return np.asarray(oval / oval.sum(), np.float32)


def _mean(plane: Floats, kernel: Floats, border: int = cv2.BORDER_REPLICATE) -> Floats:
    source = np.ascontiguousarray(plane, np.float32)
    return np.asarray(cv2.filter2D(source, cv2.CV_32F, kernel, borderType=border), np.float32)


def _colour(lab: Floats, kernel: Floats) -> Floats:
    return np.stack([_mean(lab[..., channel], kernel) for channel in range(3)], axis=2)
