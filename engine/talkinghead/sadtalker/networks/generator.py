"""Generator: a portrait, its keypoints and those of a moment -> the picture of that moment."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from engine.talkinghead.sadtalker.networks.decoder import SpadeDecoder
from engine.talkinghead.sadtalker.networks.dense_motion import DenseMotion
from engine.talkinghead.sadtalker.networks.layers import ConvNorm2d, melt, put_channels_last

_CHANNELS: Final = 32
_DEPTH: Final = 16
_LEAK: Final = 0.01


@dataclass(frozen=True)
class SourceFeatures:
    """All that does not depend on the moment; made once a portrait.

    Attributes:
        volume: [B, 32, 16, H / 4, W / 4] float32, what the portrait shows, in space.
        compressed: [B, 4, 16, H / 4, W / 4] float32, what of it the motion depends on.
    """

    volume: Tensor
    compressed: Tensor

    def to(self, device: torch.device | str) -> SourceFeatures:
        """The same on another device."""
        return SourceFeatures(self.volume.to(device), self.compressed.to(device))

    @classmethod
    def join(cls, several: Sequence[SourceFeatures]) -> SourceFeatures:
        """Several portraits of one size as a batch: one for each frame to render."""
        return cls(
            torch.cat([one.volume for one in several]),
            torch.cat([one.compressed for one in several]),
        )


class Generator(nn.Module):
    """The renderer: portraits are encoded once, frames are rendered in batches.

    Encoding is float32 always. Rendering is as exact as its convolutions are made by
    `set_precision`; what must not be rounded (see DenseMotion, SpadeDecoder) stays float32.
    """

    def __init__(self) -> None:
        super().__init__()
        self.first = ConvNorm2d(3, 64)
        self.down_blocks = nn.ModuleList([ConvNorm2d(64, 128), ConvNorm2d(128, 256)])
        self.second = nn.Conv2d(256, _CHANNELS * _DEPTH, 1)
        self.resblocks_3d = nn.Sequential(
            OrderedDict((f"3dr{index}", _Residual3d(_CHANNELS)) for index in range(6))
        )
        self.dense_motion_network = DenseMotion(_CHANNELS, _DEPTH)
        self.third = ConvNorm2d(_CHANNELS * _DEPTH, 256, slope=_LEAK)
        self.fourth = nn.Conv2d(256, 256, 1)
        self.decoder = SpadeDecoder()

    def fold(self) -> None:
        """Turn the loaded weights into those that inference uses; once, after loading."""
        for block in (self.first, *self.down_blocks, self.third):
            assert isinstance(block, ConvNorm2d)
            block.fold()
        for residual in self.resblocks_3d:
            assert isinstance(residual, _Residual3d)
            residual.fold()
        self.dense_motion_network.fold()
        self.decoder.fold()
        self.set_precision(torch.float32)

    def set_precision(self, dtype: torch.dtype) -> None:
        """How exact the convolutions of `render` are; once folded.

        Args:
            dtype: float32, float16 or bfloat16.
        """
        for module in (self.third, self.fourth, self.decoder):
            put_channels_last(module.to(dtype))
        self.dense_motion_network.set_precision(dtype)

    def compile_parts(self, **options: Any) -> None:
        """Have the parts of `render` compiled when they are first used.

        Blocks of one kind share what is compiled, so this takes a fraction of the time that
        compiling `render` as a whole takes, and gives up hardly anything for it.

        Args:
            options: for `torch.compile`; shapes are taken as fixed.
        """
        for part in (self.dense_motion_network, *self.decoder.blocks):
            part.compile(dynamic=False, fullgraph=True, **options)

    def encode(self, images: Tensor) -> SourceFeatures:
        """What the portraits show.

        Args:
            images: [B, 3, H, W] float32, RGB in 0..1; H and W are multiples of 128.

        Returns:
            Their features, float32.
        """
        x = self.first(images)
        for block in self.down_blocks:
            x = F.avg_pool2d(block(x), 2)
        volume = self.resblocks_3d(torch.unflatten(self.second(x), 1, (_CHANNELS, _DEPTH)))
        return SourceFeatures(volume, self.dense_motion_network.compressed(volume))

    def render(self, source: SourceFeatures, kp_source: Tensor, kp_driving: Tensor) -> Tensor:
        """The pictures of B moments.

        Args:
            source: features of B portraits, or of one for all.
            kp_source: the portraits' keypoints, [B, 15, 3] or [1, 15, 3].
            kp_driving: the moments' keypoints, [B, 15, 3].

        Returns:
            [B, 3, H, W], RGB in 0..1, as exact as `set_precision` says.
        """
        features = self.decoder_features(source, kp_source, kp_driving)
        frames: Tensor = self.decoder(features)
        return frames

    def decoder_features(
        self, source: SourceFeatures, kp_source: Tensor, kp_driving: Tensor
    ) -> Tensor:
        """What the decoder paints from: [B, 256, H / 4, W / 4]."""
        deformation, occlusion, _ = self.dense_motion_network(
            source.compressed, kp_source, kp_driving
        )
        # float32, as the places are: they are not rounded to what half the bits can say
        volume = source.volume.expand(deformation.shape[0], -1, -1, -1, -1)
        moved = F.grid_sample(volume, deformation, align_corners=False).flatten(1, 2)
        dtype = self.fourth.weight.dtype
        moved = moved.to(dtype=dtype, memory_format=torch.channels_last)
        features: Tensor = self.fourth(self.third(moved)) * occlusion.to(dtype)
        return features


class _Residual3d(nn.Module):
    """Batch norm, ReLU and convolution, twice, added to what came in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm3d(channels)
        self.conv1 = nn.Conv3d(channels, channels, 3, padding=1)
        self.norm2: nn.Module = nn.BatchNorm3d(channels)
        self.conv2 = nn.Conv3d(channels, channels, 3, padding=1)

    def fold(self) -> None:
        self.norm2 = melt(self.conv1, self.norm2)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv1(F.relu(self.norm1(x)))
        y = self.conv2(F.relu(self.norm2(y)))
        return y.add_(x)
