"""A calm place for a face on a photo without one, and a ground that is made calmer."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.portrait.base import Image
from engine.portrait.illustrated.kernels import mean, mean_colour, oval
from engine.portrait.illustrated.palette import lab_image
from engine.portrait.illustrated.proportions import (
    FEATURES_HEIGHT,
    FEATURES_WIDTH,
    GROWN,
    face_at_centre,
)
from personas.persona import FaceGeometry

Floats = NDArray[np.float32]

WIDEST = 0.45
"""Of a face that nobody has seen, in widths of the portrait: more would be a mask."""


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
    mask = cv2.resize(subject, size, interpolation=cv2.INTER_AREA)
    inside = (mask > 0.5).astype(np.float32)
    if inside.any():  # the soft rim of a subject is no place for a brow
        mask = cv2.erode(inside, np.ones((5, 5)), borderValue=1.0)
    lab = lab_image(small)
    edges = np.zeros(mask.shape, np.float32)
    for plane in cv2.split(lab):
        for way in ((1, 0), (0, 1)):
            edges += cv2.Sobel(plane, cv2.CV_32F, *way) ** 2
    edges = np.minimum(np.sqrt(edges) / 8, 12)
    on_it = np.asarray(np.clip(mask, 0, 1), np.float32)
    weight = on_it + 1e-4
    rows, columns = np.mgrid[: mask.shape[0], : mask.shape[1]].astype(np.float32)
    middle_x = float((columns * weight).sum() / weight.sum())
    middle_y = float((rows * weight).sum() / weight.sum())
    shorter = min(mask.shape)
    away = np.hypot(columns - middle_x, rows - middle_y) / shorter
    best = (-math.inf, middle_x, middle_y, 0.3 * shorter)
    for share in (WIDEST, 0.42, 0.39, 0.36, 0.33, 0.3, 0.27):
        width = share * shorter
        area = oval(FEATURES_WIDTH * width, FEATURES_HEIGHT * width)
        # Brows reach into the corners, and a face wants air: what is around counts as well.
        around = oval(1.2 * FEATURES_WIDTH * width, 1.12 * FEATURES_HEIGHT * width)
        covered = mean(on_it, around, cv2.BORDER_CONSTANT)
        colour = mean_colour(lab, area)
        square = mean((lab * lab).sum(axis=2), area)
        uneven = np.sqrt(np.maximum(square - (colour * colour).sum(axis=2), 0))
        # Squared, so that one strong line counts more than much grain.
        lines = np.sqrt(np.maximum(mean(edges * edges, around), 0))
        # A face must be seen: on the dark it is only drawn where all is dark.
        dim = np.clip((45 - colour[..., 0]) / 45, 0, 1)
        score = 3.2 * math.log(share) - 1.5 * uneven / 20 - 0.8 * lines
        score = score - 4.5 * np.maximum(away - 0.05, 0) - 0.8 * dim
        score = score - 30 * np.maximum(0.985 - covered, 0)
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
    # Bilateral: what is striking keeps its outline, or a smear would show where the calm begins.
    near = max(1.0, 0.035 * geometry.width)
    source = np.ascontiguousarray(picture[..., :3])
    blurred = cv2.bilateralFilter(source, 0, 38, near).astype(np.float32)
    x, y = geometry.centre[0], (geometry.left_eye[1] + geometry.mouth[1]) / 2
    rows, columns = np.mgrid[:size, : picture.shape[1]].astype(np.float32)
    far = np.hypot((columns - x) / (0.58 * geometry.width), (rows - y) / (0.66 * geometry.width))
    share = np.clip(1.15 - far, 0, 1)
    share = (share * share * (3 - 2 * share))[..., None] * 0.92
    out = picture.copy()
    out[..., :3] = np.clip(colour + share * (blurred - colour), 0, 255).round()
    return out
