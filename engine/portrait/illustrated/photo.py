"""A photo as a persona: cropped, taken apart in layers, its own eyes and mouth painted over.

The drawn face goes exactly where a detector saw one; where there is none, or no detector, it goes
where a face would be on what the photo shows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.portrait.base import FaceLandmarker, Image
from engine.portrait.illustrated.erase import fill_in
from engine.portrait.illustrated.framing import FACE_SHARE
from engine.portrait.illustrated.ground import prepare_ground
from engine.portrait.illustrated.placement import place_face
from engine.portrait.illustrated.proportions import GROWN, face_at_centre, moved
from personas.errors import InvalidInputError
from personas.persona import FaceGeometry, Point

SMALLEST = 32
"""Pixels of the shorter side below which nothing can be seen."""
LARGEST = 1600
"""Pixels of the longer side that are worked on."""

Mask = NDArray[np.float32]


@dataclass(frozen=True)
class PhotoLayers:
    """A photo, ready for a face.

    Attributes:
        background: RGB, without the subject.
        body: RGBA, the subject without eyes and mouth.
        geometry: where the face goes.
    """

    background: Image
    body: Image
    geometry: FaceGeometry


def checked_photo(photo: Image) -> Image:
    """The photo as RGB or RGBA of a size that can be worked on.

    Raises:
        InvalidInputError: it is no picture, too small, or nothing can be seen on it.
    """
    if photo.ndim == 2:
        photo = np.dstack([photo] * 3)
    if photo.ndim != 3 or photo.shape[2] not in (3, 4) or photo.dtype != np.uint8:
        raise InvalidInputError("This is no picture that can be used: it needs RGB or RGBA pixels.")
    height, width = photo.shape[:2]
    if min(height, width) < SMALLEST:
        raise InvalidInputError(f"The picture is too small: {SMALLEST} pixels at least.")
    if max(height, width) > 8 * min(height, width):
        raise InvalidInputError("The picture is too narrow to show somebody. Crop it first.")
    if photo.shape[2] == 4 and not (photo[..., 3] > 127).any():
        raise InvalidInputError("The picture is empty: all of it is transparent.")
    shrink = LARGEST / max(height, width)
    if shrink < 1:
        size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
        photo = np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8)
    return np.ascontiguousarray(photo)


def is_cutout(photo: Image) -> bool:
    """Whether it is a subject on nothing, which can be treated as art."""
    return photo.shape[2] == 4 and float((photo[..., 3] < 128).mean()) > 0.08


def squared(cutout: Image) -> Image:
    """A cut-out in the middle of a square."""
    height, width = cutout.shape[:2]
    side = max(height, width)
    canvas = np.zeros((side, side, 4), np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    canvas[top : top + height, left : left + width] = cutout
    return canvas


def photo_layers(photo: Image, landmarkers: Sequence[FaceLandmarker], size: int) -> PhotoLayers:
    """Takes a photo apart.

    Args:
        photo: RGB or RGBA, as `checked_photo` gives it.
        landmarkers: asked one after the other for a face.
        size: width and height of the portrait, pixels.
    """
    rgb = np.ascontiguousarray(photo[..., :3])
    found = next((seen for one in landmarkers if (seen := one.find(rgb)) is not None), None)
    if found is not None:
        face = found.geometry.model_copy(update={"source": "drawn"})
        subject: Mask | None = None
    else:
        subject = _subject(rgb)
        alpha = (subject * 255).astype(np.uint8)
        place = place_face(np.dstack([rgb, alpha]))
        face = face_at_centre(place.centre, place.width, GROWN)
    scale, shift = _crop(rgb.shape[1], rgb.shape[0], face, size)
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]], np.float64)
    picture = _view(rgb, matrix, size)
    geometry = moved(face, scale, shift)
    if subject is None:
        cover = _head_and_shoulders(geometry, size)
        picture = _without_features(picture, geometry)
    else:
        cover = np.clip(_view(subject, matrix, size).astype(np.float32), 0, 1)
    body = np.dstack([picture, (cover * 255).round().astype(np.uint8)])
    if subject is not None:  # there may be eyes after all, those of a cat: they fade
        body = prepare_ground(body, geometry, "shaded")
    return PhotoLayers(_without_subject(picture, cover), body, geometry)


def _crop(width: int, height: int, face: FaceGeometry, size: int) -> tuple[float, Point]:
    """The square around a face that a photo fills without a gap: scale and shift."""
    scale = max(size / min(width, height), FACE_SHARE * size / face.width)
    scale = max(size / min(width, height), min(scale, 0.5 * size / face.width))

    def pan(extent: float, at: float, wish: float) -> float:
        return float(np.clip(wish - at * scale, size - extent * scale, 0))

    return scale, (pan(width, face.centre[0], 0.5 * size), pan(height, face.centre[1], 0.45 * size))


def _view(
    picture: NDArray[np.generic], matrix: NDArray[np.float64], size: int
) -> NDArray[np.uint8]:
    """An affine view; shrunk pictures are averaged first, so that they do not sparkle."""
    shrink = float(matrix[0, 0])
    source = np.asarray(picture)
    if shrink < 0.7:
        extent = (
            max(1, round(source.shape[1] * shrink)),
            max(1, round(source.shape[0] * shrink)),
        )
        source = np.asarray(cv2.resize(source, extent, interpolation=cv2.INTER_AREA))
        matrix = matrix.copy()
        matrix[:, :2] = np.eye(2)
    view = cv2.warpAffine(
        source, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(view)


def _head_and_shoulders(geometry: FaceGeometry, size: int) -> Mask:
    """A soft silhouette of somebody whose face is at `geometry`."""
    scale = 4
    mask = np.zeros((size, size), np.uint8)
    x, y = geometry.centre
    unit = geometry.width

    def at(px: float, py: float) -> tuple[int, int]:
        return round(px * scale), round(py * scale)

    head = (round(unit * 0.74 * scale), round(max(geometry.height, unit) * 0.74 * scale))
    cv2.ellipse(
        mask, at(x, y - 0.06 * unit), head, math.degrees(geometry.roll), 0, 360, 255, -1,
        cv2.LINE_AA, 2,
    )  # fmt: skip
    chin = y + 0.5 * geometry.height
    body = np.array(
        [
            at(x - 0.4 * unit, chin - 0.2 * unit),
            at(x + 0.4 * unit, chin - 0.2 * unit),
            at(x + 0.5 * unit, chin + 0.3 * unit),
            at(x + 1.35 * unit, chin + 0.75 * unit),
            at(x + 1.55 * unit, size * 1.2 + chin),
            at(x - 1.55 * unit, size * 1.2 + chin),
            at(x - 1.35 * unit, chin + 0.75 * unit),
            at(x - 0.5 * unit, chin + 0.3 * unit),
        ],
        np.int32,
    )
    cv2.fillPoly(mask, [body], 255, cv2.LINE_AA, 2)
    soft = cv2.GaussianBlur(mask, (0, 0), max(1.0, unit * 0.05))
    return np.asarray(soft / np.float32(255), np.float32)


def _without_features(picture: Image, geometry: FaceGeometry) -> Image:
    """The photo with skin where its eyes, brows and mouth were."""
    size = picture.shape[0]
    radius = geometry.eye_radius
    for eye in (geometry.left_eye, geometry.right_eye):
        at = (eye[0] / size, (eye[1] - 0.5 * radius) / size)
        picture = fill_in(picture, at, (3.4 * radius / size, 3.6 * radius / size))
    mouth = (geometry.mouth[0] / size, geometry.mouth[1] / size)
    wide = geometry.mouth_width / size
    return fill_in(picture, mouth, (1.45 * wide, 0.85 * wide))


def _subject(rgb: Image) -> Mask:
    """What a photo is about: what differs from its border; all of it where that is not clear."""
    shrink = 160 / max(rgb.shape[:2])
    size = (max(8, round(rgb.shape[1] * shrink)), max(8, round(rgb.shape[0] * shrink)))
    small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    whole = np.ones(rgb.shape[:2], np.float32)
    if small.reshape(-1, 3).std(axis=0).max() < 4:
        return whole
    labels = np.zeros(small.shape[:2], np.uint8)
    border = (round(size[0] * 0.06), round(size[1] * 0.05))
    box = (*border, size[0] - 2 * border[0], size[1] - border[1])
    models = np.zeros((1, 65)), np.zeros((1, 65))
    try:
        cv2.setRNGSeed(7)  # its clustering draws lots
        cv2.grabCut(small, labels, box, *models, 3, cv2.GC_INIT_WITH_RECT)
    except cv2.error:  # too few colours to tell anything apart
        return whole
    mask = ((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)).astype(np.uint8)
    count, parts, stats, _ = cv2.connectedComponentsWithStats(mask)
    if count < 2:
        return whole
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    mask = (parts == largest).astype(np.uint8)
    left, top, wide, _ = box
    frame = (mask[top, left : left + wide], mask[top:, left], mask[top:, left + wide - 1])
    unclear = float(np.concatenate(frame).mean()) > 0.45  # cut off by the box, not by an outline
    if unclear or not 0.08 < float(mask.mean()) < 0.9:
        return whole
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    full = cv2.resize(mask.astype(np.float32), rgb.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    soft = cv2.GaussianBlur(full, (0, 0), max(1.0, 0.006 * max(rgb.shape[:2])))
    return np.asarray(np.clip(soft * 1.6 - 0.3, 0, 1), np.float32)


def _without_subject(picture: Image, cover: Mask) -> Image:
    """The photo's surroundings, spread over the place of the subject."""
    size = picture.shape[0]
    small = 128
    weight = cv2.resize(1 - cover, (small, small), interpolation=cv2.INTER_AREA)[..., None]
    seen = cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA).astype(np.float32)
    weight = np.clip(weight * 1.4 - 0.4, 0, 1) + 1e-4
    spread = np.zeros_like(seen)
    total = np.zeros_like(weight)
    for sigma in (2.0, 6.0, 18.0, 50.0):  # near surroundings count most, far ones fill the middle
        share = cv2.GaussianBlur(weight, (0, 0), sigma)[..., None]
        spread += cv2.GaussianBlur(seen * weight, (0, 0), sigma) / (sigma**2)
        total += share / (sigma**2)
    filled = cv2.resize(spread / total, (size, size), interpolation=cv2.INTER_CUBIC)
    # Where the subject is whole nothing of it stays; its soft edge keeps what is seen there.
    inside = np.clip(cover * 3 - 1.5, 0, 1)[..., None]
    mixed = picture * (1 - inside) + np.clip(filled, 0, 255) * inside
    return np.asarray(mixed.round(), np.uint8)
