"""Where on a thing its face would be.

A search over place and size: the ellipse that holds the features must lie on the body, and of
those that do the best is large, on an even surface, in the middle of the body at its height, and
neither at the top nor at the bottom.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.portrait.base import Image
from engine.portrait.illustrated.features import OldFace
from engine.portrait.illustrated.palette import lab_image
from engine.portrait.illustrated.proportions import (
    FEATURES_HEIGHT,
    FEATURES_WIDTH,
    GROWN,
    Proportions,
    face_at_eyes,
    features_centre,
    moved,
)
from personas.persona import FaceGeometry, Point

Floats = NDArray[np.float32]

GRID = 144
"""Pixels of the longer side on which is searched."""
SIZES = (0.92, 0.8, 0.7, 0.61, 0.53, 0.46, 0.4, 0.35, 0.3, 0.26, 0.22, 0.18, 0.15, 0.125, 0.105)
"""Widths of the face oval that are tried, in square roots of the body's area."""
COVERED = 0.985
"""How much of the features' ellipse should lie on the body."""
LEAST_COVERED = 0.94
"""How much of it must."""
SMALLEST_HEAD = 0.1
"""Likewise on a head, which may be small: the portrait shows it from near."""
PATCHED = -9.0
"""Score of places that need a patch."""
SMALLEST = 0.32
"""Below this width, in square roots of the area, a face gets a patch to sit on instead."""


@dataclass(frozen=True)
class Place:
    """Where a face goes.

    Attributes:
        centre: middle of the features, pixels.
        width: of the face oval, pixels.
        patch: the art is too thin or too broken there: the face needs a ground of its own.
        score: higher is better; comparable between places on one picture only.
    """

    centre: Point
    width: float
    patch: bool
    score: float


def body_box(alpha: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom (exclusive) of what can be seen; the whole picture if nothing is."""
    rows, columns = np.flatnonzero(alpha.max(1) > 24), np.flatnonzero(alpha.max(0) > 24)
    if not len(rows):
        return 0, 0, alpha.shape[1], alpha.shape[0]
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def place_face(rgba: Image, near: Point | None = None) -> Place:
    """The best place for a face; there always is one.

    Args:
        rgba: the subject, straight alpha.
        near: where its head is known to be, pixels.
    """
    box = body_box(rgba[..., 3])
    left, top, right, bottom = box
    scale = GRID / max(right - left, bottom - top)
    pad = GRID // 12
    size = (max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale)))
    part = np.ascontiguousarray(rgba[top:bottom, left:right])
    shrunk = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
    small = np.pad(shrunk, ((pad, pad), (pad, pad), (0, 0)))
    mask = (small[..., 3] > 127).astype(np.float32)
    area = float(mask.sum())
    if area < 16:  # nothing, or dust: a face in the middle of where it would be
        centre = (left + right) / 2, (top + bottom) / 2
        return Place(centre, 0.5 * min(right - left, bottom - top), True, float("-inf"))
    surface = _Surface(small, mask)
    unit = float(np.sqrt(area))
    head = ((near[0] - left) * scale + pad, (near[1] - top) * scale + pad) if near else None
    smallest = SMALLEST if near is None else SMALLEST_HEAD
    best = None
    for share in SIZES:
        if share < smallest and best is not None:
            break  # a smaller face elsewhere would lie better, but could not be seen
        found = surface.best(share * unit, unit, head)
        if found is not None and (best is None or found[0] > best[0]):
            best = (*found, share)
    if best is None or best[-1] < smallest:
        best = _with_patch(surface, unit, best)
    score, x, y, share = best
    to_art = 1 / scale
    return Place(
        centre=(left + (x - pad + 0.5) * to_art, top + (y - pad + 0.5) * to_art),
        width=share * unit * to_art,
        patch=score <= PATCHED,
        score=score,
    )


def _with_patch(
    surface: _Surface, unit: float, best: tuple[float, int, int, float] | None
) -> tuple[float, int, int, float]:
    """A place for a face that brings its own ground: where the body is thickest, high up."""
    if best is not None:
        score, x, y, _ = best
    else:
        # In the middle of what is thin, where as much as possible of it meets.
        middle_y, middle_x = 0.47 * surface.mask.shape[0], 0.5 * surface.mask.shape[1]
        rows, columns = np.mgrid[: surface.mask.shape[0], : surface.mask.shape[1]]
        away = np.hypot(0.8 * (rows - middle_y), columns - middle_x) / unit
        thick = surface.thickness / surface.thickness.max() - 0.8 * away
        deepest = int(np.argmax(np.where(surface.mask > 0, thick, -1e9)))
        y, x = divmod(deepest, thick.shape[1])
        if surface.even > 0.5:  # a ring, a snowflake: the patch fills its middle
            y, x = round(middle_y), round(middle_x)
        score = PATCHED
    return min(score, PATCHED), int(x), int(y), SMALLEST


def place_over(old: OldFace, rgba: Image, proportions: Proportions) -> FaceGeometry:
    """A face exactly where the art had its own, as large as the head allows.

    Args:
        old: the face that was taken out.
        rgba: the subject without it, straight alpha.
        proportions: of what kind of face.
    """
    size = rgba.shape[1]
    x, y = old.centre[0] * size, old.centre[1] * size
    row = rgba[int(np.clip(y, 0, size - 1)), :, 3] > 127
    right = _run(row[int(np.clip(x, 0, size - 1)) :])
    left = _run(row[int(np.clip(x, 0, size - 1)) :: -1])
    head = 2.0 * min(left, right) if min(left, right) > 0.3 * max(left, right) else left + right
    natural = old.distance * size / proportions.eye_distance
    width = float(np.clip(natural, 0.68 * head, 0.94 * head)) if head > 8 else natural
    width = float(np.clip(width, natural * 0.8, natural * 1.7))
    if old.mouth is not None:  # ours goes near it, or it would slip off a small chin
        by_mouth = (old.mouth[1] - old.centre[1]) * size / proportions.mouth
        if by_mouth > 0.7 * natural:
            width = min(width, 1.15 * by_mouth)
    column = rgba[int(np.clip(y, 0, size - 1)) :, int(np.clip(x, 0, size - 1)), 3] > 127
    below = _run(column)
    reach = proportions.mouth + 0.14
    if 0 < below < reach * width:  # the chin is near: a smaller face, a little higher
        smaller = max(below / reach, 0.75 * width)
        y -= max(0.0, reach * smaller - below)
        width = smaller
    return face_at_eyes((x, y), width, proportions)


def grown(face: FaceGeometry, rgba: Image) -> FaceGeometry:
    """A face enlarged about its own middle, as far as the even surface it lies on reaches.

    Args:
        face: where somebody put it, pixels.
        rgba: the subject, straight alpha.
    """
    left, _, right, _ = body_box(rgba[..., 3])
    step = max(1, rgba.shape[0] // 256)
    alpha = rgba[::step, ::step, 3].astype(np.float32) / 255
    lab = lab_image(np.ascontiguousarray(rgba[::step, ::step]))
    y, x = np.mgrid[: alpha.shape[0], : alpha.shape[1]].astype(np.float32) * step
    centre = features_centre(face)

    def spread(width: float) -> float:
        """How uneven the surface is under a face of this width; infinite beside the body."""
        rx, ry = FEATURES_WIDTH * width / 2, FEATURES_HEIGHT * width / 2
        inside = np.hypot((x - centre[0]) / rx, (y - centre[1]) / ry) <= 1
        if not inside.any() or float(alpha[inside].mean()) < COVERED:
            return float("inf")
        colours = lab[inside]
        return float(np.linalg.norm(colours - colours.mean(axis=0), axis=1).mean())

    allowed = 1.25 * spread(face.width) + 2.5
    for factor in (1.6, 1.5, 1.4, 1.3, 1.2, 1.1):
        width = factor * face.width
        if width <= 0.72 * (right - left) and spread(width) <= allowed < float("inf"):
            shift = centre[0] * (1 - factor), centre[1] * (1 - factor)
            return moved(face, factor, shift)
    return face


def face_behind(rgba: Image) -> FaceGeometry:
    """The face of somebody who wears what has a lens for each eye.

    Args:
        rgba: glasses from the front, straight alpha.
    """
    left, top, right, bottom = body_box(rgba[..., 3])
    middle = (left + right) // 2
    weight = rgba[top:bottom, left:right, 3].astype(np.float64) + 1e-6
    columns, rows = np.arange(left, right), np.arange(top, bottom)

    def centre(start: int, end: int) -> float:
        part = weight[:, start - left : end - left].sum(0)
        return float((part * columns[start - left : end - left]).sum() / part.sum())

    x1, x2 = centre(left, max(middle, left + 1)), centre(min(middle, right - 1), right)
    y = float((weight.sum(1) * rows).sum() / weight.sum())
    return face_at_eyes(((x1 + x2) / 2, y), max(x2 - x1, 4.0) / GROWN.eye_distance)


def _run(row: NDArray[np.bool_]) -> int:
    """How many pixels from the first are on the body."""
    gaps = np.flatnonzero(~row)
    return int(gaps[0]) if len(gaps) else len(row)


class _Surface:
    """What can be asked of a body at every place at once."""

    def __init__(self, rgba: Image, mask: Floats) -> None:
        self.mask = mask
        lab = lab_image(rgba) * mask[..., None]
        self._lab = lab
        self._square = (lab * lab).sum(2)
        self.thickness = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
        rows = np.arange(mask.shape[0], dtype=np.float32)
        occupied = np.flatnonzero(mask.max(1))
        first, last = float(occupied[0]), float(occupied[-1])
        self.height = np.broadcast_to(
            ((rows - first) / max(last - first, 1))[:, None], mask.shape
        ).astype(np.float32)
        self._centre = _row_centres(mask)
        self.even = _mirrored(mask)
        self._inner_edges = self._edges(lab)

    def _edges(self, lab: Floats) -> Floats:
        """Lines and borders of colour on the body, away from its outline."""
        jump = np.zeros(self.mask.shape, np.float32)
        for channel in range(3):
            plane = np.ascontiguousarray(lab[..., channel])
            jump += cv2.Sobel(plane, cv2.CV_32F, 1, 0) ** 2
            jump += cv2.Sobel(plane, cv2.CV_32F, 0, 1) ** 2
        away = (self.thickness > 3).astype(np.float32)
        return np.minimum(np.sqrt(jump) / 8, 25) * away

    def best(self, width: float, unit: float, head: Point | None) -> tuple[float, int, int] | None:
        """Score, x and y of the best place for an oval of this width, or None if it fits nowhere.

        Args:
            width: of the face oval, pixels of the grid.
            unit: square root of the body's area, pixels of the grid.
            head: where to stay close to, pixels of the grid.
        """
        kernel = _ellipse(FEATURES_WIDTH * width, FEATURES_HEIGHT * width)
        covered = _mean(self.mask, kernel)
        fits = covered >= LEAST_COVERED
        if not fits.any():
            return None
        mean = np.stack([_mean(self._lab[..., c], kernel) for c in range(3)], axis=2)
        variance = np.maximum(_mean(self._square, kernel) - (mean * mean).sum(2), 0)
        uneven = np.sqrt(variance) / 20
        edges = _mean(self._inner_edges, kernel) / 4
        care = 0.9 if head is None else 1.8
        score = 2.2 * np.log(width / unit) - care * np.minimum(uneven, 1.6 if head is None else 2.5)
        score -= 0.9 * np.minimum(edges, 2.0) + 16 * np.maximum(COVERED - covered, 0)
        columns = np.arange(self.mask.shape[1], dtype=np.float32)[None, :]
        if head is None:
            level = np.where(self.height < 0.46, 0.46 - self.height, 0.8 * (self.height - 0.46))
            aside = np.abs(columns - self._centre)
            # What is symmetrical has its face in the middle, even if a leg has more room.
            aside = np.maximum(aside, self.even * np.abs(columns - (columns.size - 1) / 2))
            score -= (2.5 + 2.5 * self.even) * aside / unit + 2.2 * level
        else:
            rows = np.arange(self.mask.shape[0], dtype=np.float32)[:, None]
            away = np.hypot(columns - head[0], rows - head[1])
            score -= 9 * np.maximum(away - 0.3 * width, 0) / unit
        score = np.where(fits, score, -np.inf)
        y, x = np.unravel_index(int(np.argmax(score)), score.shape)
        return float(score[y, x]), int(x), int(y)


def _row_centres(mask: Floats) -> Floats:
    """For each pixel, where its row's body has its middle; smooth from row to row.

    Rows with a gap (between legs, through a handle) have a middle for each part.
    """
    height, width = mask.shape
    centres = np.full((height, width), (width - 1) / 2, np.float32)
    for y in range(height):
        row = np.flatnonzero(np.diff(np.pad(mask[y], 1)))
        for start, end in zip(row[::2], row[1::2], strict=True):
            centres[y, start:end] = (start + end - 1) / 2
    weight = cv2.blur(mask, (1, 15)) + 1e-6
    smooth = cv2.blur(centres * mask, (1, 15)) / weight
    return np.where(mask > 0, smooth, centres).astype(np.float32)


def _mirrored(mask: Floats) -> float:
    """How far a body, centred in its grid, is its own mirror image: 0 to 1."""
    both = float((mask * mask[:, ::-1]).sum())
    either = float(np.maximum(mask, mask[:, ::-1]).sum())
    return float(np.clip((both / max(either, 1) - 0.8) / 0.1, 0, 1))


def _ellipse(width: float, height: float) -> Floats:
    """A filled ellipse as a kernel whose sum is 1."""
    rx, ry = max(width / 2, 0.5), max(height / 2, 0.5)
    y, x = np.mgrid[-int(ry) : int(ry) + 1, -int(rx) : int(rx) + 1]
    inside = ((x / rx) ** 2 + (y / ry) ** 2 <= 1).astype(np.float32)
    return np.asarray(inside / inside.sum(), np.float32)


def _mean(plane: Floats, kernel: Floats) -> Floats:
    return np.asarray(
        cv2.filter2D(
            np.ascontiguousarray(plane, np.float32),
            cv2.CV_32F,
            kernel,
            borderType=cv2.BORDER_CONSTANT,
        ),
        np.float32,
    )
