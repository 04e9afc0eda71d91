"""Acting: what is heard becomes coefficients, and coefficients become keypoints of each frame.

All of it stays on the networks' device, and is done in pieces, so that a long speech takes
little more memory than a short one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.talkinghead.sadtalker.coefficients import (
    ANGLES,
    EXPRESSION,
    POSE,
    SOURCE,
    camera_track,
    driving_coefficients,
    driving_windows,
)
from engine.talkinghead.sadtalker.direction import Direction
from engine.talkinghead.sadtalker.networks import transform_keypoints
from engine.talkinghead.sadtalker.networks.pose import CHUNK
from engine.talkinghead.sadtalker.smoothing import smooth
from engine.talkinghead.sadtalker.source import Source
from engine.talkinghead.sadtalker.weights import SadTalkerNetworks

_PIECE: Final = 8 * CHUNK
"""Frames that are listened to at a time."""


def coefficients_of(
    networks: SadTalkerNetworks,
    source: Tensor,
    windows: NDArray[np.float32],
    direction: Direction,
) -> Tensor:
    """What expression and pose go with a sound.

    Args:
        networks: who listens.
        source: [73], the portrait's coefficients.
        windows: [frames, 80, 16], what is heard.
        direction: how it is played.

    Returns:
        [frames, 70].
    """
    device = networks.device
    with torch.inference_mode():
        heard = torch.from_numpy(windows).to(device)[None, :, None]
        closed = torch.from_numpy(direction.blinks).to(device)[None, :, None]
        expressions = []
        for start in range(0, heard.shape[1], _PIECE):
            piece = slice(start, start + _PIECE)
            own = source[EXPRESSION].expand(1, heard[:, piece].shape[1], -1)
            expressions.append(networks.expression(heard[:, piece], own, closed[:, piece])[0])
        latents = direction.latents.to(device)
        poses = smooth(_poses(networks, source, heard, direction.style, latents))
        return torch.cat([torch.cat(expressions), poses], dim=1)


def _poses(
    networks: SadTalkerNetworks, source: Tensor, heard: Tensor, style: int, latents: Tensor
) -> Tensor:
    """[frames, 6], a few chunks at a time; the last chunk looks back as it does in one go."""
    own = source[None, POSE]

    def moved(first: int, end: int, chunk: int) -> Tensor:
        # The network takes the first frame for the portrait itself, whatever is heard there.
        count = networks.pose.chunks(end - first)
        part = latents[None, chunk : chunk + count]
        poses: Tensor = networks.pose(heard[:, first:end], own, style, latents=part)
        return poses[0, 1:]

    frames = heard.shape[1]
    whole, rest = divmod(frames - 1, CHUNK)
    parts = [own]
    for start in range(0, whole * CHUNK, _PIECE):
        end = min(start + _PIECE, whole * CHUNK)
        parts.append(moved(start, end + 1, start // CHUNK))
    if rest:
        parts.append(moved(max(0, frames - 1 - CHUNK), frames, whole)[-rest:])
    return torch.cat(parts)


def keypoints_of(
    networks: SadTalkerNetworks,
    source: Source,
    coefficients: Tensor,
    direction: Direction,
    *,
    still: bool,
    movement: float = 1.0,
    camera: Mapping[str, Sequence[float]] | None = None,
    ease: int = 0,
) -> Tensor:
    """The keypoints of each frame.

    Args:
        networks: who maps.
        source: of whom.
        coefficients: [frames, 70].
        direction: how it is played.
        still: only the expression moves.
        movement: size of the head's movements.
        camera: for some of yaw, pitch and roll, the degrees to pass through instead.
        ease: frames over which a clip goes out of, and back to, the portrait's own pose.

    Returns:
        [frames, 15, 3].
    """
    with torch.inference_mode():
        played = coefficients.clone()
        own = source.coefficients[POSE]
        played[:, POSE] = own + movement * (played[:, POSE] - own)
        played[:, ANGLES] += torch.from_numpy(direction.turns).to(played)
        driving = driving_coefficients(
            played,
            source.coefficients,
            expression_scale=torch.from_numpy(direction.expression),
            with_place=networks.mapping.coefficients == SOURCE,
            still=still,
        )
        turned = {
            axis: torch.from_numpy(camera_track(degrees, len(driving))).to(driving)
            for axis, degrees in (camera or {}).items()
            if degrees
        }
        parts = []
        for start in range(0, len(driving), _PIECE):
            end = min(start + _PIECE, len(driving))
            motion = networks.mapping(driving_windows(driving, start, end))
            angles = {axis: track[start:end] for axis, track in turned.items()}
            parts.append(transform_keypoints(source.canonical, motion, **angles))
        share = eased(len(driving), ease).to(driving)[:, None, None]
        return source.keypoints + share * (torch.cat(parts) - source.keypoints)


def eased(frames: int, ease: int) -> Tensor:
    """[frames]: 0 at both ends, 1 from the frame `ease` on; all 1 without ease."""
    if ease <= 0:
        return torch.ones(frames)
    at = torch.arange(frames)
    span = max(1, min(ease, frames // 2))
    share = (torch.minimum(at, frames - 1 - at) / span).clamp(0, 1)
    return share * share * (3 - 2 * share)
