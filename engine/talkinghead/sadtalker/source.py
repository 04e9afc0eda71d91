"""Source: all that SadTalker computes of a portrait once, for every clip of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.portrait.base import FaceLandmarker, Image, PortraitDraft
from engine.talkinghead.sadtalker import alignment
from engine.talkinghead.sadtalker.canvas import Canvas, Framing, make_canvas
from engine.talkinghead.sadtalker.coefficients import (
    SOURCE,
    source_coefficients,
    source_window,
)
from engine.talkinghead.sadtalker.facecrop import FaceCrop, crop_face, cut_face
from engine.talkinghead.sadtalker.facepoints import Points, crop_points, find_five
from engine.talkinghead.sadtalker.networks import SourceFeatures, transform_keypoints
from engine.talkinghead.sadtalker.weights import SadTalkerNetworks
from personas.errors import InvalidInputError
from personas.persona import Mood

_SMALLEST = 16
"""Pixels that a face must have at least."""


@dataclass(frozen=True)
class Source:
    """What every clip of one portrait needs. Safe to share between threads.

    Attributes:
        canvas: the picture, and the face's place on it.
        coefficients: [73], of the 3-D face model.
        canonical: [1, 15, 3], keypoints from the front, without expression.
        keypoints: [1, 15, 3], keypoints as they are in the portrait.
        features: what the portrait shows.
        mood: how it moves.
    """

    canvas: Canvas
    coefficients: Tensor
    canonical: Tensor
    keypoints: Tensor
    features: SourceFeatures
    mood: Mood = Mood.CALM


def make_source(
    portrait: PortraitDraft,
    networks: SadTalkerNetworks,
    *,
    size: int,
    resolution: int,
    framing: Framing = "full",
    landmarkers: Sequence[FaceLandmarker] = (),
) -> Source:
    """Looks at a portrait once and for all.

    Args:
        portrait: of whom.
        networks: who looks.
        size: width and height of a frame.
        resolution: of the face as the networks see and make it, pixels; a multiple of 128.
        framing: what a clip shows.
        landmarkers: who may look for the corners of eyes and mouth.

    Raises:
        InvalidInputError: it is no picture, or there is no face that could be moved.
    """
    image = rgb_of(portrait.image)
    height, width = image.shape[:2]
    five = find_five(image, portrait.geometry, landmarkers)
    crop = crop_face(crop_points(five), width, height)
    left, top, right, bottom = crop.box_in(*crop.resized)
    if min(right - left, bottom - top) < _SMALLEST:
        raise InvalidInputError("The face of this portrait is too small to be moved.")
    face = cut_face(image, crop, resolution)
    coefficients = fit(face, in_face(five, crop, width, height, resolution), networks)
    canonical, keypoints, features = understand(face, coefficients, networks)
    return Source(
        canvas=make_canvas(image, crop, size, framing),
        coefficients=coefficients,
        canonical=canonical,
        keypoints=keypoints,
        features=features,
        mood=portrait.look.mood if portrait.look is not None else Mood.CALM,
    )


def in_face(five: Points, crop: FaceCrop, width: int, height: int, resolution: int) -> Points:
    """Where points of a picture lie in its face as it was cut out."""
    left, top, right, bottom = crop.box_in(width, height)
    scale = resolution / np.array([right - left, bottom - top])
    return np.asarray((five + 0.5 - (left, top)) * scale - 0.5)


def fit(face: Image, five: Points, networks: SadTalkerNetworks) -> Tensor:
    """The 73 coefficients of a face.

    Args:
        face: [resolution, resolution, 3] RGB.
        five: [5, 2] eyes, nose, mouth corners, pixels of `face`.
        networks: who looks.
    """
    height, width = face.shape[:2]
    aligned = alignment.align(alignment.upward(five, height), width, height)
    seen = to_tensor(alignment.cut(face, aligned), networks.device)
    with torch.inference_mode():
        return source_coefficients(networks.reconstruction(seen)[0], aligned.placed)


def understand(
    face: Image, coefficients: Tensor, networks: SadTalkerNetworks
) -> tuple[Tensor, Tensor, SourceFeatures]:
    """Canonical keypoints, keypoints of the portrait, and its features."""
    picture = to_tensor(face, networks.device)
    with torch.inference_mode():
        canonical = networks.keypoints(picture)
        with_place = networks.mapping.coefficients == SOURCE
        motion = networks.mapping(source_window(coefficients, with_place=with_place)[None])
        keypoints = transform_keypoints(canonical, motion)
        return canonical, keypoints, networks.generator.encode(picture)


def to_tensor(image: Image, device: torch.device) -> Tensor:
    """[h, w, 3] uint8 to [1, 3, h, w] float32 of 0 to 1."""
    tensor = torch.tensor(image, device=device)
    return tensor.permute(2, 0, 1)[None].float() / 255


def rgb_of(image: Image) -> Image:
    """Any picture as [h, w, 3] RGB: grey ones get three colours, transparent ones a white ground.

    Raises:
        InvalidInputError: it is no picture.
    """
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or min(image.shape[:2]) < _SMALLEST:
        raise InvalidInputError("A portrait must be a picture of at least 16 pixels.")
    if image.ndim == 2:
        image = image[..., None]
    channels = image.shape[2]
    if channels not in (1, 2, 3, 4):
        raise InvalidInputError("A portrait must be a picture in grey or colour.")
    colour = image[..., : 1 if channels < 3 else 3]
    if channels in (2, 4):
        alpha = image[..., -1:].astype(np.float32) / 255
        colour = np.rint(colour * alpha + 255 * (1 - alpha)).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(colour, (*image.shape[:2], 3)))
