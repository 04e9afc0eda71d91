"""KeypointDetector, and the way from a face's own keypoints to those of a moment."""

from __future__ import annotations

from collections import OrderedDict
from itertools import pairwise
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from engine.talkinghead.sadtalker.networks.layers import ConvNorm2d, UpConvNorm3d, axis_of
from engine.talkinghead.sadtalker.networks.mapping import HeadMotion

KEYPOINTS: Final = 15
"""Points in space by which the renderer knows a pose and an expression."""

_DEPTH: Final = 16
_TEMPERATURE: Final = 0.1
_BLUR: Final = 13
_STEP: Final = 4
"""A picture is looked at with every fourth of its pixels."""
_WIDTHS: Final = (3, 64, 128, 256, 512, 1024)
_UP_WIDTHS: Final = (1024, 512, 256, 128, 64, 32)
_PI: Final = 3.14
"""The networks were trained with this."""


class KeypointDetector(nn.Module):
    """A picture of a face -> its keypoints as they would be from the front, at rest.

    Works in float32 always: it runs once a portrait, and all of a clip depends on it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.down = _Blur()
        self.predictor = _Predictor()
        self.kp = nn.Conv3d(_UP_WIDTHS[-1], KEYPOINTS, 3, padding=1)

    def fold(self) -> None:
        """Turn the loaded weights into those that inference uses; once, after loading."""
        self.predictor.fold()

    def forward(self, images: Tensor) -> Tensor:
        """Canonical keypoints.

        Args:
            images: [B, 3, H, W] float32, RGB in 0..1; H and W are multiples of 128.

        Returns:
            [B, 15, 3]: x, y, z; the picture's edges lie at -1 and 1.
        """
        logits = self.kp(self.predictor(self.down(images)))
        heat = F.softmax(logits.flatten(2) / _TEMPERATURE, dim=-1).view(logits.shape)
        depth, height, width = logits.shape[2:]
        return torch.stack(
            (
                heat.sum(dim=(2, 3)) @ axis_of(width, heat),
                heat.sum(dim=(2, 4)) @ axis_of(height, heat),
                heat.sum(dim=(3, 4)) @ axis_of(depth, heat),
            ),
            dim=-1,
        )


class _Blur(nn.Module):
    """A Gaussian, then every fourth pixel; the checkpoint holds the kernel."""

    weight: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("weight", torch.empty(3, 1, _BLUR, _BLUR))

    def forward(self, images: Tensor) -> Tensor:
        return F.conv2d(images, self.weight, stride=_STEP, padding=_BLUR // 2, groups=3)


class _Predictor(nn.Module):
    """Features in two dimensions on the way down, in three on the way up."""

    def __init__(self) -> None:
        super().__init__()
        down = (ConvNorm2d(i, o) for i, o in pairwise(_WIDTHS))
        up = (UpConvNorm3d(i, o) for i, o in pairwise(_UP_WIDTHS))
        self.down_blocks = nn.Sequential(OrderedDict((f"down{i}", b) for i, b in enumerate(down)))
        self.conv = nn.Conv2d(_WIDTHS[-1], _UP_WIDTHS[0] * _DEPTH, 1)
        self.up_blocks = nn.Sequential(OrderedDict((f"up{i}", b) for i, b in enumerate(up)))

    def fold(self) -> None:
        for block in (*self.down_blocks, *self.up_blocks):
            assert isinstance(block, ConvNorm2d | UpConvNorm3d)
            block.fold()

    def forward(self, x: Tensor) -> Tensor:
        for block in self.down_blocks:
            x = F.avg_pool2d(block(x), 2)
        y: Tensor = self.up_blocks(torch.unflatten(self.conv(x), 1, (-1, _DEPTH)))
        return y


def degrees(logits: Tensor) -> Tensor:
    """The angle that logits over bins expect: [B, 66] -> degrees, [B]."""
    bins = torch.arange(logits.shape[-1], dtype=logits.dtype, device=logits.device)
    return F.softmax(logits, dim=-1) @ bins * 3 - 99


def rotation(yaw: Tensor, pitch: Tensor, roll: Tensor) -> Tensor:
    """Rotations Rx(pitch) Ry(yaw) Rz(roll) of angles in degrees, each [B]: [B, 3, 3]."""
    radians = torch.stack((pitch, yaw, roll)) / 180 * _PI
    (a, b, c), (d, e, f) = radians.cos(), radians.sin()
    rows = (
        *(b * c, -b * f, e),
        *(a * f + d * e * c, a * c - d * e * f, -d * b),
        *(d * f - a * e * c, d * c + a * e * f, a * b),
    )
    return torch.unflatten(torch.stack(rows, dim=-1), -1, (3, 3))


def transform_keypoints(
    canonical: Tensor,
    motion: HeadMotion,
    *,
    yaw: Tensor | None = None,
    pitch: Tensor | None = None,
    roll: Tensor | None = None,
) -> Tensor:
    """Where a face's keypoints are in a moment.

    Sideways shifts and those in depth are left aside, as in training: the crop follows the head.

    Args:
        canonical: [B, 15, 3] of a KeypointDetector, or [1, 15, 3] for all.
        motion: of B frames.
        yaw: degrees, [B] or [1], in place of the motion's own.
        pitch: likewise.
        roll: likewise.

    Returns:
        [B, 15, 3] float32.
    """
    count = len(motion.yaw)
    angles = (
        degrees(own.float()) if given is None else given.to(own.device).float().expand(count)
        for own, given in ((motion.yaw, yaw), (motion.pitch, pitch), (motion.roll, roll))
    )
    turn = rotation(*angles)
    shift = torch.zeros_like(motion.translation, dtype=torch.float32)
    shift[:, 1] = motion.translation[:, 1]
    expression = torch.unflatten(motion.expression.float(), -1, (KEYPOINTS, 3))
    return canonical.float() @ turn.mT + shift[:, None] + expression
