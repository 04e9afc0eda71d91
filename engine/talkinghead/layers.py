"""Stage: a portrait's layers at the size of a frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.portrait.base import Image, PortraitDraft
from personas.errors import InvalidInputError
from personas.persona import FaceGeometry, FaceLook

_FILLED_AT: Final = 160
"""Pixels of the longer side at which features are painted over."""


@dataclass(frozen=True)
class Stage:
    """Background and body, [size, size, 3 and 4], and the face to draw, in the same pixels."""

    background: Image
    body: Image
    geometry: FaceGeometry
    look: FaceLook


def make_stage(portrait: PortraitDraft, size: int) -> Stage:
    """The layers of a portrait at the size of a frame.

    A portrait that was not made in layers is all body: its own features are painted over, so
    that ours can move in their place, and behind it lies a blurred copy of itself.

    Raises:
        InvalidInputError: the portrait is no picture, or its layers do not fit it.
    """
    image = portrait.image
    if image.ndim != 3 or image.shape[2] not in (3, 4) or min(image.shape[:2]) < 16:
        raise InvalidInputError("A portrait must be a colour picture of at least 16 pixels.")
    look = portrait.look or _look_of(image, portrait.geometry)
    background, body = portrait.background, portrait.body
    if background is None or body is None:
        plain = image[..., :3]
        background = cv2.GaussianBlur(plain, (0, 0), max(image.shape) / 24).astype(np.uint8)
        bare = _without_features(plain, portrait.geometry)
        body = np.dstack([bare, np.full(image.shape[:2], 255, np.uint8)])
    elif background.shape[:2] != image.shape[:2] or body.shape != (*image.shape[:2], 4):
        raise InvalidInputError("The layers of a portrait must have its size.")
    left, top, side = _square(image.shape[1], image.shape[0], portrait.geometry)
    scale = size / side
    return Stage(
        background=_resized(background[..., :3], left, top, side, size),
        body=_resized_alpha(body, left, top, side, size),
        geometry=_moved(portrait.geometry, scale, left, top),
        look=look.model_copy(update={"line_width": look.line_width * scale}),
    )


def _square(width: int, height: int, geometry: FaceGeometry) -> tuple[int, int, int]:
    """Left, top and side of the largest square that has the face as near its middle as can be."""
    side = min(width, height)
    left = int(np.clip(round(geometry.centre[0] - side / 2), 0, width - side))
    top = int(np.clip(round(geometry.centre[1] - side / 2), 0, height - side))
    return left, top, side


def _resized(image: Image, left: int, top: int, side: int, size: int) -> Image:
    part = np.ascontiguousarray(image[top : top + side, left : left + side])
    if side == size:
        return part
    how = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(part, (size, size), interpolation=how), np.uint8)


def _resized_alpha(body: Image, left: int, top: int, side: int, size: int) -> Image:
    if side == size:
        return _resized(body, left, top, side, size)
    # Colours of transparent pixels mean nothing: they must not bleed into the edges.
    alpha = body[..., 3:].astype(np.float32) / 255
    small = _resized(
        np.rint(np.dstack([body[..., :3] * alpha, body[..., 3:]])).astype(np.uint8),
        left, top, side, size,
    ).astype(np.float32)  # fmt: skip
    colour = small[..., :3] * 255 / np.maximum(small[..., 3:], 1)
    return np.dstack([np.clip(np.rint(colour), 0, 255), small[..., 3:]]).astype(np.uint8)


def _moved(geometry: FaceGeometry, scale: float, left: int, top: int) -> FaceGeometry:
    points = {
        name: (
            (getattr(geometry, name)[0] - left) * scale,
            (getattr(geometry, name)[1] - top) * scale,
        )
        for name in ("left_eye", "right_eye", "nose", "mouth", "centre")
    }
    lengths = {
        name: getattr(geometry, name) * scale
        for name in ("eye_radius", "mouth_width", "width", "height")
    }
    return geometry.model_copy(update={**points, **lengths})


def _feature_mask(shape: tuple[int, ...], geometry: FaceGeometry) -> NDArray[np.uint8]:
    mask = np.zeros(shape[:2], np.uint8)
    radius, half = geometry.eye_radius, geometry.mouth_width / 2
    spots = [
        (geometry.left_eye, 1.5 * radius, 1.15 * radius),
        (geometry.right_eye, 1.5 * radius, 1.15 * radius),
        (geometry.mouth, 1.25 * half, 0.62 * half),
    ]
    up = np.array([np.sin(geometry.roll), -np.cos(geometry.roll)])
    for eye in (geometry.left_eye, geometry.right_eye):
        brow = np.asarray(eye) + up * 1.55 * radius
        spots.append(((float(brow[0]), float(brow[1])), 1.6 * radius, 0.6 * radius))
    for (x, y), wide, tall in spots:
        centre, axes = (round(x), round(y)), (max(1, round(wide)), max(1, round(tall)))
        cv2.ellipse(mask, centre, axes, float(np.degrees(geometry.roll)), 0, 360, 255, -1)
    return mask


def _without_features(image: Image, geometry: FaceGeometry) -> Image:
    """The picture with eyes, brows and mouth painted over by what is around them."""
    mask = _feature_mask(image.shape, geometry)
    # Skin is smooth: filled in a small copy it is done at once, and as good.
    shrink = max(1.0, max(image.shape[:2]) / _FILLED_AT)
    size = (round(image.shape[1] / shrink), round(image.shape[0] / shrink))
    small = cv2.resize(np.ascontiguousarray(image), size, interpolation=cv2.INTER_AREA)
    wide = cv2.dilate(mask, np.ones((round(2 * shrink) + 1,) * 2, np.uint8))
    holes = cv2.resize(wide, size, interpolation=cv2.INTER_AREA)
    filled = cv2.inpaint(small, (holes > 0).astype(np.uint8) * 255, 4, cv2.INPAINT_TELEA)
    filled = cv2.GaussianBlur(filled, (0, 0), 1.0)
    skin = cv2.resize(filled, image.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    share = cv2.GaussianBlur(mask, (0, 0), max(0.8, geometry.eye_radius * 0.12))
    mixed = image + (skin.astype(np.float32) - image) * (share[..., None].astype(np.float32) / 255)
    return np.rint(mixed).astype(np.uint8)


def _look_of(image: Image, geometry: FaceGeometry) -> FaceLook:
    """A look for a picture of which nothing is known: its skin is the colour of the cheeks."""
    x, y = geometry.nose
    reach = max(2, round(geometry.width * 0.3))
    top, left = max(0, round(y) - reach // 2), max(0, round(x) - reach)
    cheeks = image[
        top : max(round(y) + reach // 2, top + 1), left : max(round(x) + reach, left + 1)
    ]
    if not cheeks.size:
        cheeks = image
    red, green, blue = (int(v) for v in np.median(cheeks[..., :3].reshape(-1, 3), axis=0))
    return FaceLook(
        rendering="shaded",
        skin=f"#{red:02x}{green:02x}{blue:02x}",
        line_width=max(1.0, geometry.width * 0.016),
        eye_shape="almond",
    )
