"""A photo as a persona: cropped, taken apart in layers, its own eyes and mouth taken out.

The drawn eyes and mouth go exactly where a detector saw some, or where two round eyes look out of
fur; where there is neither, a small face goes on a calm part of what the photo shows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.portrait.base import FaceLandmarker, Image
from engine.portrait.illustrated.animals import animal_face
from engine.portrait.illustrated.calm import WIDEST, calm_place, calmed
from engine.portrait.illustrated.cutout import head_and_shoulders, main_subject, without_subject
from engine.portrait.illustrated.framing import FACE_SHARE
from engine.portrait.illustrated.look import surface_colour
from engine.portrait.illustrated.palette import hex_of, lab_image, lch, mix
from engine.portrait.illustrated.proportions import moved
from engine.portrait.illustrated.retouch import (
    FeatureColours,
    animal_colours,
    animal_eye_areas,
    colours_of,
    eye_areas,
    mouth_area,
    painted_eye_areas,
    smoothed_over,
)
from personas.errors import InvalidInputError
from personas.persona import FaceGeometry, Point

SMALLEST = 32
"""Pixels of the shorter side below which nothing can be seen."""
LARGEST = 1600
"""Pixels of the longer side that are worked on."""
SMILE = 0.88
"""Width of a drawn mouth at most, in distances of the eyes."""

Mask = NDArray[np.float32]
Points = NDArray[np.float32]
Kind = Literal["person", "animal", "thing"]
"""A face that a detector found, a pair of round eyes, or neither."""


@dataclass(frozen=True)
class PhotoLayers:
    """A photo, ready for a face.

    Attributes:
        background: RGB, without the subject.
        body: RGBA, the subject without eyes and mouth.
        geometry: where the face goes.
        kind: whose face it is.
        colours: those of the features that were taken out; None where there were none.
        picture: RGB, the photo as the portrait shows it.
    """

    background: Image
    body: Image
    geometry: FaceGeometry
    kind: Kind
    colours: FeatureColours | None
    picture: Image


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
    subject: Mask | None = None
    points = np.zeros((0, 2), np.float32)
    radii = (0.0, 0.0)
    kind: Kind
    if found is not None:
        kind, points = "person", found.points
        face = face_to_draw(found.geometry)
    elif (animal := animal_face(rgb)) is not None:
        kind, face, radii = "animal", animal.geometry, animal.radii
    else:
        kind, subject = "thing", main_subject(rgb)
        face = calm_place(rgb, subject)
    middle = face.centre if subject is None else _between(face.centre, _middle(subject))
    scale, shift = _crop(rgb.shape[1], rgb.shape[0], face, middle, size, kind)
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]], np.float64)
    picture = _view(rgb, matrix, size)
    geometry = moved(face, scale, shift)
    points = np.asarray(points * scale + np.array(shift, np.float32), np.float32)
    colours = None
    if kind == "person":
        cover = head_and_shoulders(picture, geometry)
    elif kind == "animal":
        cover = np.ones((size, size), np.float32)
    else:
        assert subject is not None
        cover = np.clip(_view(subject, matrix, size).astype(np.float32), 0, 1)
    if kind == "thing":
        bare = calmed(picture, geometry)
    elif kind == "person":
        bare, colours = without_eyes_and_mouth(picture, geometry, points)
    else:
        radii = radii[0] * scale, radii[1] * scale
        areas = animal_eye_areas(picture, geometry, radii)
        skin = surface_colour(_opaque(picture), geometry)
        colours = animal_colours(picture, geometry, radii, skin)
        bare, colours = _smoothed(picture, geometry, areas, colours)
    body = np.dstack([bare, (cover * 255).round().astype(np.uint8)])
    return PhotoLayers(without_subject(picture, cover), body, geometry, kind, colours, picture)


def without_eyes_and_mouth(
    picture: Image, geometry: FaceGeometry, points: Points, *, painted: bool = False
) -> tuple[Image, FeatureColours]:
    """The picture of a face with skin in place of eyes and mouth, and the colours of these.

    Args:
        picture: RGB.
        geometry: of the face, in its pixels.
        points: of the detector that found it, likewise.
        painted: a thing that was painted with a face: its eyes are round and wide open, and
            their white is white.
    """
    skin = surface_colour(_opaque(picture), geometry)
    colours = colours_of(picture, geometry, points, skin)
    if painted:
        eyes = painted_eye_areas(picture, geometry, points)
        colours = replace(colours, eye_white=hex_of(mix(lch(96, 2, 80), skin, 0.06)))
    else:
        eyes = eye_areas(picture, geometry, points)
    areas = [*eyes, mouth_area(picture, geometry, points)]
    return _smoothed(picture, geometry, areas, colours)


def face_to_draw(found: FaceGeometry) -> FaceGeometry:
    """The face that is drawn in place of one that was found.

    Smiles are wide, and the mouth that we draw smiles by itself.
    """
    widest = SMILE * math.dist(found.left_eye, found.right_eye)
    mouth_width = min(found.mouth_width, max(widest, 1.0))
    return found.model_copy(update={"source": "drawn", "mouth_width": mouth_width})


def _smoothed(
    picture: Image, geometry: FaceGeometry, areas: Sequence[Mask], colours: FeatureColours
) -> tuple[Image, FeatureColours]:
    """Skin over all areas, of which the first two are the eyes; lids get the colour of theirs."""
    bare = picture
    for number, area in enumerate(areas):
        bare = smoothed_over(bare, area, 0.22 * geometry.eye_radius, seed=number)
    # Lids are drawn in the colour of the skin that is there now, not of the cheeks.
    lids = bare[(areas[0] + areas[1]) > 0]
    if len(lids):
        lid = np.median(lab_image(lids[None])[0], axis=0)
        colours = replace(colours, skin=hex_of(lid))
    return bare, colours


def _opaque(picture: Image) -> Image:
    return np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])


def _middle(subject: Mask) -> Point:
    """Where most of a subject is."""
    across, down = subject.sum(axis=0), subject.sum(axis=1)
    total = max(float(across.sum()), 1e-6)
    return (
        float((across * np.arange(len(across))).sum()) / total,
        float((down * np.arange(len(down))).sum()) / total,
    )


def _between(one: Point, other: Point) -> Point:
    return (one[0] + other[0]) / 2, (one[1] + other[1]) / 2


def _crop(
    width: int, height: int, face: FaceGeometry, middle: Point, size: int, kind: Kind
) -> tuple[float, Point]:
    """The square around `middle` that a photo fills without a gap: scale and shift."""
    least = size / min(width, height)
    if kind == "person":
        scale = max(least, min(FACE_SHARE * size / face.width, 0.5 * size / face.width))
    elif kind == "animal":
        scale = max(least, 0.34 * size / face.width)
    else:
        scale = max(least, min(WIDEST * size / face.width, 1.12 * least))

    def pan(extent: float, at: float, wish: float) -> float:
        return float(np.clip(wish - at * scale, size - extent * scale, 0))

    return scale, (pan(width, middle[0], 0.5 * size), pan(height, middle[1], 0.45 * size))


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
