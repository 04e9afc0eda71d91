"""Finds the face of an animal by its eyes: two alike, round, with a dark middle.

Spots and buttons are round as well: only what is nearly certain counts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.portrait.base import Image
from engine.portrait.illustrated.kernels import mean, mean_colour, ring
from engine.portrait.illustrated.palette import lab_image
from engine.portrait.illustrated.proportions import GROWN, face_at_eyes
from personas.persona import FaceGeometry

Floats = NDArray[np.float32]

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
    smooth = np.asarray(cv2.GaussianBlur(lab, (0, 0), 0.8), np.float32)
    discs = sorted(_discs(smooth), key=lambda disc: -disc.score)[:60]
    best: tuple[float, _Disc, _Disc] | None = None
    for number, one in enumerate(discs):
        for other in discs[number + 1 :]:
            score = _pair(one, other)
            if score > _CERTAIN and (best is None or score > best[0]):
                best = (score, one, other) if one.x < other.x else (score, other, one)
    if best is None:
        return None
    left, right = (_outermost(disc, discs) for disc in best[1:])
    dx, dy = right.x - left.x, right.y - left.y
    apart = math.hypot(dx, dy) / scale
    middle = (left.x + right.x + 1) / 2 / scale, (left.y + right.y + 1) / 2 / scale
    face = face_at_eyes(middle, apart / GROWN.eye_distance, GROWN, math.atan2(dy, dx))
    radii = min(left.radius / scale, 0.4 * apart), min(right.radius / scale, 0.4 * apart)
    radius = 0.94 * sum(radii) / 2
    nose = _nose(lab, (left, right))
    # The mouth is right under the nose; on a turned head not at right angles to the eyes.
    below = -math.sin(face.roll / 3) * 0.3 * apart, 0.3 * apart
    update = {
        "eye_radius": radius,
        "mouth_width": 0.42 * apart,
        "nose": (nose[0] / scale, nose[1] / scale),
        "mouth": (  # open, it still has to be on the picture
            nose[0] / scale + below[0],
            min(nose[1] / scale + below[1], rgb.shape[0] - 0.2 * apart),
        ),
    }
    return AnimalFace(face.model_copy(update=update), radii)


def _nose(lab: Floats, eyes: tuple[_Disc, _Disc]) -> tuple[float, float]:
    """What stands out most from the fur between and below two eyes, pixels of `lab`."""
    left, right = eyes
    dx, dy = right.x - left.x, right.y - left.y
    apart = math.hypot(dx, dy)
    rows, columns = np.mgrid[: lab.shape[0], : lab.shape[1]].astype(np.float32)
    off_x, off_y = columns - (left.x + right.x) / 2, rows - (left.y + right.y) / 2
    across = (off_x * dx + off_y * dy) / apart**2
    down = (off_y * dx - off_x * dy) / apart**2
    likely = np.exp(-((across / 0.3) ** 2) - ((down - 0.75) / 0.3) ** 2)
    near = likely > 0.05
    if not near.any():
        middle = (left.x + right.x) / 2, (left.y + right.y) / 2
        return middle[0] - 0.7 * dy, middle[1] + 0.7 * dx
    fur = np.median(lab[near], axis=0)
    striking = cv2.GaussianBlur(np.linalg.norm(lab - fur, axis=2), (0, 0), 0.07 * apart)
    weight = np.where(near, likely * striking**4, 0)
    total = max(float(weight.sum()), 1e-9)
    return float((weight * columns).sum()) / total, float((weight * rows).sum()) / total


def _outermost(disc: _Disc, discs: list[_Disc]) -> _Disc:
    """The widest round edge about the same place: that of the lids, not of the pupil."""
    around = [
        other
        for other in discs
        if math.hypot(other.x - disc.x, other.y - disc.y) < 0.5 * disc.radius
        and other.score > 0.75 * disc.score
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
    gx, gy = np.asarray(gx, np.float32), np.asarray(gy, np.float32)
    steep = np.asarray(np.hypot(gx, gy), np.float32)
    y, x = np.nonzero(steep > 12)
    ux, uy = (np.asarray(slope[y, x] / steep[y, x], np.float32) for slope in (gx, gy))
    weight = np.asarray(np.minimum(steep[y, x] / 40, 1), np.float32)
    found = []
    for radius in _RADII:
        round_ = _roundness(lab.shape, x, y, ux, uy, weight, float(radius))
        pupil = mean(lab[..., 0], ring(0, 0.35 * radius))
        outside = mean(lab[..., 0], ring(1.15 * radius, 1.6 * radius))
        dark = np.clip((outside - pupil) / 30, 0, 1) * np.clip((62 - pupil) / 30, 0, 1)
        inner = mean_colour(lab, ring(0, 0.95 * radius))
        outer = mean_colour(lab, ring(1.1 * radius, 1.6 * radius))
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
