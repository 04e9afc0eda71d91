"""Beside the original program: the same weights, sound and portrait, in one run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.portrait.base import PortraitDraft
from engine.talkinghead.bench import sample_portrait, sample_speech
from engine.talkinghead.motion import frame_count
from engine.talkinghead.sadtalker.acting import coefficients_of
from engine.talkinghead.sadtalker.audio import FPS, hear, resample
from engine.talkinghead.sadtalker.coefficients import (
    SOURCE,
    driving_coefficients,
    driving_windows,
)
from engine.talkinghead.sadtalker.direction import direct, rank_styles
from engine.talkinghead.sadtalker.facecrop import crop_face, cut_face
from engine.talkinghead.sadtalker.facepoints import crop_points, find_five
from engine.talkinghead.sadtalker.networks import transform_keypoints
from engine.talkinghead.sadtalker.original import Take, measure
from engine.talkinghead.sadtalker.source import Source, make_source
from engine.talkinghead.sadtalker.weights import SadTalkerNetworks
from engine.talkinghead.settings import SadTalkerSettings


@dataclass(frozen=True)
class Beside:
    """The original program and ours with the same weights, sound and portrait.

    Attributes:
        resolution: of the face, pixels.
        audio_seconds: length of the speech.
        frames: that both made.
        listening: seconds of the original for expressions and poses.
        rendering: seconds of the original for faces; two at once, float32.
        pasting: seconds of the original for whole pictures.
        total: seconds of the original until its first frame can be seen, which is its last one.
        memory_mb: of the GPU at its most, in the original; None where there is none.
        here: our seconds for the same clip, encoding and sound included, by batch.
        ratio: `total` by the least of them.
        alike: our faces beside the original's, PSNR in decibels.
    """

    resolution: int
    audio_seconds: float
    frames: int
    listening: float
    rendering: float
    pasting: float
    total: float
    memory_mb: float | None
    here: dict[int, float]
    ratio: float
    alike: float


def compare(
    original: Path,
    networks: SadTalkerNetworks,
    settings: SadTalkerSettings,
    ours: Mapping[int, Sequence[float]],
    *,
    resolution: int,
    lengths: Sequence[float],
    size: int,
) -> list[Beside]:
    """Has the original program make the clips that we have made.

    Args:
        original: a checkout of it.
        networks: ours, with random weights.
        settings: what ours were made with.
        ours: seconds that each clip took here, by batch.
        resolution: of the face.
        lengths: of the speech, seconds.
        size: of a frame.

    Raises:
        InvalidInputError: there is no original program.
        UnavailableError: it did not run.
    """
    portrait = sample_portrait(size)
    source = make_source(
        portrait, networks, size=size, resolution=resolution, framing=settings.framing
    )
    if networks.device.type == "cuda":
        torch.cuda.empty_cache()
    takes = [_take(networks, settings, portrait, source, length) for length in lengths]
    found = []
    for index, took in enumerate(measure(original, takes, networks.device)):
        take = takes[index]
        here = {batch: totals[index] for batch, totals in ours.items()}
        faces = _faces(networks, source, torch.from_numpy(take.driving), len(took.faces))
        error = float(np.mean((faces - took.faces) ** 2))
        total = round(took.total, 4)
        found.append(
            Beside(
                resolution=resolution,
                audio_seconds=round(len(take.driving) / FPS, 3),
                frames=len(take.driving),
                listening=took.listening,
                rendering=took.rendering,
                pasting=took.pasting,
                total=total,
                memory_mb=took.memory_mb,
                here=here,
                ratio=round(total / min(here.values()), 2),
                alike=round(-10 * math.log10(max(error, 1e-12)), 1),
            )
        )
    return found


def _take(
    networks: SadTalkerNetworks,
    settings: SadTalkerSettings,
    portrait: PortraitDraft,
    source: Source,
    length: float,
) -> Take:
    """What the original program is to make: what our networks heard, without our direction."""
    speech = sample_speech(length)
    frames = frame_count(speech.duration, FPS)
    windows = hear(resample(speech), frames)
    ranks = rank_styles(networks.pose)
    direction = direct(frames, source.mood, 0, settings=settings, ranks=ranks, speech=speech)
    coefficients = coefficients_of(networks, source.coefficients, windows, direction)
    driving = driving_coefficients(
        coefficients,
        source.coefficients,
        with_place=networks.mapping.coefficients == SOURCE,
        still=settings.still,
    )
    image = portrait.image
    crop = crop_face(crop_points(find_five(image, portrait.geometry)), *image.shape[1::-1])
    left, top, right, bottom = crop.box
    return Take(
        portrait=source.canvas.picture,
        box=(left, top, right, bottom),
        face=cut_face(image, crop, source.features.volume.shape[-1] * 4),
        windows=windows,
        blinks=direction.blinks,
        source=source.coefficients.cpu().numpy(),
        driving=driving.cpu().numpy(),
    )


def _faces(
    networks: SadTalkerNetworks, source: Source, driving: Tensor, count: int
) -> NDArray[np.float32]:
    """Our faces of the first frames that these coefficients drive: [count, 3, h, w]."""
    with torch.inference_mode():
        motion = networks.mapping(driving_windows(driving.to(networks.device), 0, count))
        keypoints = transform_keypoints(source.canonical, motion)
        faces = networks.generator.render(source.features, source.keypoints, keypoints)
        return np.asarray(faces.float().cpu().numpy())
