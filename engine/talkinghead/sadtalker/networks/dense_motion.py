"""DenseMotion: keypoints of the source and of a moment -> where each part of the picture goes."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from engine.talkinghead.sadtalker.networks.keypoints import KEYPOINTS
from engine.talkinghead.sadtalker.networks.layers import (
    ConvNorm3d,
    UpConvNorm3d,
    axis_of,
    frozen,
    melt,
    put_channels_last,
)

MOTIONS: Final = KEYPOINTS + 1
"""One for each keypoint, and the one that moves nothing."""

_COMPRESSED: Final = 4
_INPUTS: Final = MOTIONS * (1 + _COMPRESSED)
_WIDTHS: Final = (_INPUTS, 64, 128, 256, 512, 1024)
_OUTPUTS: Final = 32 + _INPUTS
_KERNEL: Final = 7
_VARIANCE: Final = 0.01
"""Of the Gaussian that marks a keypoint."""
_LEAST: Final = 1e-3
"""Motions that weigh less do not count."""


class DenseMotion(nn.Module):
    """A feature volume and keypoints -> a deformation of that volume, and what it hides.

    Each keypoint proposes to shift everything as it was shifted itself; a network looks at the
    results and weighs the proposals for each place. As all proposals are shifts, neither their
    grids nor their samples are made point by point: an interpolation on a regular grid is a
    product of one small matrix for each axis, and the weighted sum of grids is the grid plus a
    weighted sum of shifts.

    Grids, heatmaps, the softmax and the deformation are float32 whatever the convolutions
    are: with 8 bits a coordinate would be off by up to half a pixel, and a place would change
    its mind about who moves it.

    Args:
        channels: of the feature volume.
        depth: of the feature volume.
    """

    def __init__(self, channels: int, depth: int) -> None:
        super().__init__()
        self.compress = nn.Conv3d(channels, _COMPRESSED, 1)
        self.norm: nn.Module = nn.BatchNorm3d(_COMPRESSED)
        self.hourglass = _Hourglass()
        self.mask: nn.Module = nn.Conv3d(_OUTPUTS, MOTIONS, _KERNEL, padding=_KERNEL // 2)
        self.occlusion: nn.Module = nn.Conv2d(_OUTPUTS * depth, 1, _KERNEL, padding=_KERNEL // 2)

    def fold(self) -> None:
        """Turn the loaded weights into those that inference uses; once, after loading."""
        self.norm = melt(self.compress, self.norm)
        self.hourglass.fold()
        assert isinstance(self.mask, nn.Conv3d) and isinstance(self.occlusion, nn.Conv2d)
        self.mask = _Sliced(self.mask)
        self.occlusion = _Tapped(self.occlusion, _OUTPUTS)

    def set_precision(self, dtype: torch.dtype) -> None:
        """How exact the convolutions are; once folded.

        In bfloat16 the two that decide who moves a place are float32 all the same: their rounding
        would be most of what a frame loses, and they are a tenth of its work.

        Args:
            dtype: float32, float16 or bfloat16.
        """
        deciding = torch.float32 if dtype == torch.bfloat16 else dtype
        for module in (self.hourglass, self.occlusion):
            put_channels_last(module.to(dtype))
        for module in (self.hourglass.decoder.conv, self.mask):
            put_channels_last(module.to(deciding))

    def compressed(self, volume: Tensor) -> Tensor:
        """What of a source the motion depends on: [B, 32, D, H, W] -> [B, 4, D, H, W]."""
        return F.relu(self.norm(self.compress(volume)))

    def forward(
        self, compressed: Tensor, kp_source: Tensor, kp_driving: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The way from the source to moments.

        Args:
            compressed: of B sources, or of one for all, float32.
            kp_source: [B, 15, 3] or [1, 15, 3].
            kp_driving: [B, 15, 3].

        Returns:
            Deformation [B, D, H, W, 3] float32, x, y, z where each place comes from; occlusion
            [B, 1, H, W] float32, 0 hidden to 1 seen; weights of motions [B, 16, D, H, W].
        """
        shifts = F.pad((kp_source - kp_driving).float(), (0, 0, 1, 0))
        size = compressed.shape[2:]
        proposals = _shifted(compressed.float(), shifts)
        marks = _marks(kp_driving.float(), size) - _marks(kp_source.float(), size)
        seen = torch.cat((F.pad(marks, (0, 0, 0, 0, 0, 0, 1, 0))[..., None], proposals), dim=-1)
        # [B, 16, D, H, W, 5] -> channels last, 80 of them
        inputs = seen.permute(0, 2, 3, 4, 1, 5).flatten(4).permute(0, 4, 1, 2, 3)
        features = self.hourglass(inputs)
        weights = F.softmax(self.mask(features).float(), dim=1)
        return _deformation(weights, shifts), self.occlusion(features).sigmoid(), weights


def _shifted(volume: Tensor, shifts: Tensor) -> Tensor:
    """A volume, shifted each way: [B or 1, C, D, H, W], [B, K, 3] -> [B, K, D, H, W, C].

    Outside is zero. The shift is in coordinates whose ends are the first and last sample, the
    reading in coordinates whose ends are the outer edges: the networks were trained so.
    """
    batch, motions = shifts.shape[:2]
    channels, depth, height, width = volume.shape[1:]
    # Each step turns the last axis and puts it first; after x, y and z, channels are last.
    to_x, to_y, to_z = (
        _interpolation(shifts[..., axis], size) for axis, size in enumerate((width, height, depth))
    )
    x = to_x.flatten(1, 2) @ volume.flatten(1, 3).mT
    y = to_y @ x.reshape(batch, motions, -1, height).mT
    z = to_z @ y.reshape(batch, motions, -1, depth).mT
    return z.view(batch, motions, depth, height, width, channels)


def _interpolation(shifts: Tensor, size: int) -> Tensor:
    """What each sample takes of each, along one axis: [B, K] -> [B, K, size, size]."""
    places = axis_of(size, shifts) + shifts[..., None]
    pixels = ((places + 1) * size - 1) / 2
    steps = torch.arange(size, dtype=torch.float32, device=shifts.device)
    return (1 - (pixels[..., None] - steps).abs()).clamp_(min=0)


def _marks(keypoints: Tensor, size: torch.Size) -> Tensor:
    """A Gaussian around each keypoint: [B, 15, 3] -> [B, 15, D, H, W]."""
    depth, height, width = (
        (-0.5 / _VARIANCE * (axis_of(n, keypoints) - keypoints[..., axis, None]).square()).exp()
        for n, axis in zip(size, (2, 1, 0), strict=True)
    )
    return depth[..., :, None, None] * height[..., None, :, None] * width[..., None, None, :]


def _deformation(weights: Tensor, shifts: Tensor) -> Tensor:
    """The weighted sum of shifted grids: [B, 16, D, H, W], [B, 16, 3] -> [B, D, H, W, 3]."""
    counted = torch.where(weights < _LEAST, 0, weights)
    shift = torch.einsum("bkdhw,bkc->bdhwc", counted, shifts)
    depth, height, width = (axis_of(n, weights) for n in weights.shape[2:])
    total = counted.sum(dim=1)
    grid = (
        total * width,
        total * height[:, None],
        total * depth[:, None, None],
    )
    return shift + torch.stack(grid, dim=-1)


class _Sliced(nn.Module):
    """A cubic kernel as a flat one for each of its slices, whose results are shifted and added.

    The same sums. The original has too few outputs to keep a GPU's matrix units busy, and flat
    kernels are the ones that libraries do best.
    """

    def __init__(self, conv: nn.Conv3d) -> None:
        super().__init__()
        self.slices = conv.weight.shape[2]
        # [outputs, inputs, slice, y, x] -> [slice * outputs, inputs, y, x]
        weight = conv.weight.detach().permute(2, 0, 1, 3, 4).flatten(0, 1)
        self.weight = frozen(weight.contiguous())
        assert conv.bias is not None
        self.bias = frozen(conv.bias.detach())

    def forward(self, x: Tensor) -> Tensor:
        """[B, inputs, D, H, W] -> [B, outputs, D, H, W], float32."""
        reach, depth = self.slices // 2, x.shape[2]
        flat = F.conv2d(x.transpose(1, 2).flatten(0, 1), self.weight, padding=reach)
        parts = torch.unflatten(flat, 0, (-1, depth)).transpose(1, 2)
        total = self.bias.float().view(-1, 1, 1, 1).expand(len(x), -1, *x.shape[2:]).clone()
        for index, part in enumerate(parts.chunk(self.slices, dim=1)):
            # what this slice of the kernel reads lies `shift` further in
            shift = index - reach
            into, out_of = max(0, -shift), max(0, shift)
            count = depth - abs(shift)
            if count > 0:
                total[:, :, into : into + count] += part[:, :, out_of : out_of + count]
        return total


class _Tapped(nn.Module):
    """A large flat kernel with one output: what each tap gives, then the taps shifted and added."""

    def __init__(self, conv: nn.Conv2d, channels: int) -> None:
        super().__init__()
        assert conv.bias is not None
        weight = torch.unflatten(conv.weight.detach()[0], 0, (channels, -1)).flip(-1, -2)
        # [channels, depth, y, x] -> [taps, channels, depth, 1, 1]
        self.weight = frozen(weight.flatten(2).permute(2, 0, 1)[..., None, None].contiguous())
        self.bias = frozen(conv.bias.detach())

    def forward(self, x: Tensor) -> Tensor:
        """[B, channels, D, H, W] -> [B, 1, H, W], float32."""
        taps = F.conv3d(x.to(self.weight.dtype), self.weight).float()
        size = (x.shape[3], x.shape[4])
        return F.fold(taps.flatten(2), size, _KERNEL, padding=_KERNEL // 2) + self.bias.float()


class _Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down_blocks = nn.ModuleList(ConvNorm3d(i, o) for i, o in pairwise(_WIDTHS))


class _Decoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        # all but the first read what the way down left behind, too
        widths = ((1024, 512), (1024, 256), (512, 128), (256, 64), (128, 32))
        self.up_blocks = nn.ModuleList(UpConvNorm3d(*pair) for pair in widths)
        self.conv = nn.Conv3d(_OUTPUTS, _OUTPUTS, 3, padding=1)
        self.norm: nn.Module = nn.BatchNorm3d(_OUTPUTS)


class _Hourglass(nn.Module):
    """[B, 80, D, H, W] -> [B, 112, D, H, W]; H and W are multiples of 32."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = _Encoder()
        self.decoder = _Decoder()

    def fold(self) -> None:
        for block in (*self.encoder.down_blocks, *self.decoder.up_blocks):
            assert isinstance(block, ConvNorm3d | UpConvNorm3d)
            block.fold()
        self.decoder.norm = melt(self.decoder.conv, self.decoder.norm)

    def forward(self, x: Tensor) -> Tensor:
        # What the last convolution reads of it again is as exact as that one.
        left = [x.to(self.decoder.conv.weight.dtype)]
        for block in self.encoder.down_blocks:
            left.append(_halved(block(left[-1])))
        x = left.pop()
        for block in self.decoder.up_blocks:
            x = torch.cat((block(x), left.pop()), dim=1)
        y: Tensor = self.decoder.norm(self.decoder.conv(x.to(self.decoder.conv.weight.dtype)))
        return F.relu(y, inplace=True)


def _halved(x: Tensor) -> Tensor:
    """Half as high and wide: [B, C, D, H, W] -> [B, C, D, H / 2, W / 2], channels stay last.

    Flat pooling of each slice: pooling in space knows neither channels last nor bfloat16.
    """
    flat = F.avg_pool2d(x.transpose(1, 2).flatten(0, 1), 2)
    return torch.unflatten(flat, 0, (-1, x.shape[2])).transpose(1, 2)
