"""FaceReconstruction: a picture of a face -> coefficients of the 3-D face model.

The architecture is that of Deng et al., "Accurate 3D Face Reconstruction with Weakly-Supervised
Learning" (2019): a ResNet-50 and seven linear heads.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from engine.talkinghead.sadtalker.networks.layers import frozen, melt, put_channels_last

HEADS: Final = {
    "identity": 80,
    "expression": 64,
    "texture": 80,
    "angle": 3,
    "light": 27,
    "shift": 2,
    "depth": 1,
}
"""What the 257 coefficients are, in their order."""

_FEATURES: Final = 2048


class _Bottleneck(nn.Module):
    """A residual block: 1x1, 3x3 (where the stride is), 1x1."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = 4 * width
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1: nn.Module = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2: nn.Module = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3: nn.Module = nn.BatchNorm2d(outputs)
        self.downsample: nn.Sequential | None = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def fold(self) -> None:
        self.bn1 = melt(self.conv1, self.bn1)
        self.bn2 = melt(self.conv2, self.bn2)
        self.bn3 = melt(self.conv3, self.bn3)
        if self.downsample is not None:
            conv = self.downsample[0]
            assert isinstance(conv, nn.Conv2d)
            self.downsample[1] = melt(conv, self.downsample[1])

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = F.relu(self.bn2(self.conv2(y)), inplace=True)
        y = self.bn3(self.conv3(y))
        return F.relu(y.add_(x if self.downsample is None else self.downsample(x)), inplace=True)


class _ResNet50(nn.Module):
    """Pictures [B, 3, H, W] -> [B, 2048, H/32, W/32]."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1: nn.Module = nn.BatchNorm2d(64)
        self.layer1 = _stage(64, 64, blocks=3, stride=1)
        self.layer2 = _stage(256, 128, blocks=4, stride=2)
        self.layer3 = _stage(512, 256, blocks=6, stride=2)
        self.layer4 = _stage(1024, 512, blocks=3, stride=2)

    def fold(self) -> None:
        self.bn1 = melt(self.conv1, self.bn1)
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            for block in stage:
                assert isinstance(block, _Bottleneck)
                block.fold()

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        x = F.max_pool2d(x, kernel_size=3, stride=2, padding=1)
        y: Tensor = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return y


def _stage(inputs: int, width: int, blocks: int, stride: int) -> nn.Sequential:
    rest = (_Bottleneck(4 * width, width, 1) for _ in range(blocks - 1))
    return nn.Sequential(_Bottleneck(inputs, width, stride), *rest)


class FaceReconstruction(nn.Module):
    """Pictures of aligned faces -> coefficients of the 3-D face model."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = _ResNet50()
        self.final_layers = nn.ModuleList(nn.Conv2d(_FEATURES, n, 1) for n in HEADS.values())

    def fold(self) -> None:
        """Turn the loaded weights into those that inference uses; once, after loading."""
        self.backbone.fold()
        put_channels_last(self)
        heads = [head for head in self.final_layers if isinstance(head, nn.Conv2d)]
        joined = nn.Conv2d(_FEATURES, sum(HEADS.values()), 1, device="meta")
        joined.weight = frozen(torch.cat([head.weight.detach() for head in heads]))
        joined.bias = frozen(
            torch.cat([head.bias.detach() for head in heads if head.bias is not None])
        )
        self.final_layers = nn.ModuleList([joined])

    def features(self, images: Tensor) -> Tensor:
        """What the heads look at: [B, 3, 224, 224] -> [B, 2048, 1, 1]."""
        seen: Tensor = self.backbone(images.contiguous(memory_format=torch.channels_last))
        return seen.mean(dim=(2, 3), keepdim=True)

    def forward(self, images: Tensor) -> Tensor:
        """Coefficients of faces.

        Args:
            images: [B, 3, 224, 224] float32, RGB in 0..1, aligned to the 5-point template.

        Returns:
            [B, 257]: identity 80, expression 64, texture 80, angle 3 (radians), light 27,
            translation 3.
        """
        features = self.features(images)
        return torch.cat([head(features) for head in self.final_layers], dim=1).flatten(1)
