"""Networks with SadTalker's interface that move a picture as a whole, and nothing else.

At rest they give back the very picture they were given, so that crop, place and mask can be seen.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from engine.talkinghead.sadtalker.networks import HeadMotion, PoseNet, SourceFeatures
from engine.talkinghead.sadtalker.weights import SadTalkerNetworks


class _Net(nn.Module):
    """Something whose weights can be told from another's."""

    def __init__(self, seed: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((3,), seed))


class Reconstruction(_Net):
    def forward(self, images: Tensor) -> Tensor:
        light = images.mean(dim=(2, 3)).mean(dim=1, keepdim=True)
        return torch.linspace(-0.1, 0.1, 257) + 0.0 * light


class Expression(_Net):
    """Opens the first coefficient with the loudness."""

    def forward(self, windows: Tensor, reference: Tensor, blink: Tensor) -> Tensor:
        loud = (windows.mean(dim=(2, 3, 4), keepdim=False) + 4) / 8
        moved = torch.zeros_like(reference)
        moved[..., 0] = loud
        moved[..., 1] = blink[..., 0]
        return reference + moved


class _Decoder(_Net):
    def __init__(self) -> None:
        super().__init__()
        self.classbias = nn.Parameter(torch.zeros(46, 64))

    def forward(self, heard: Tensor, reference: Tensor, style: int, latents: Tensor) -> Tensor:
        at = torch.linspace(0, 3.14, 32)[:, None] * torch.ones(6)
        # Style 45 sits still, style 0 moves most.
        size = 0.002 * (46 - style) * (1 + 0.1 * latents[:, :1, None])
        return reference[:, None] + size * at.sin()


class Pose(_Net):
    chunks = staticmethod(PoseNet.chunks)

    def __init__(self) -> None:
        super().__init__()
        self.netG = SimpleNamespace(decoder=_Decoder())

    def forward(self, windows: Tensor, reference: Tensor, style: int, *, latents: Tensor) -> Tensor:
        frames = windows.shape[1]
        decode = self.netG.decoder
        chunks = [decode(windows, reference * 0, style, latent[None]) for latent in latents[0]]
        moved = [torch.zeros(1, 1, 6), *chunks]
        return reference[:, None] + torch.cat(moved, dim=1)[:, :frames]


class Mapping(_Net):
    def __init__(self, coefficients: int = 73) -> None:
        super().__init__()
        self.coefficients = coefficients

    def forward(self, semantics: Tensor) -> HeadMotion:
        now = semantics[..., 13]
        bins = torch.arange(66) * 3 - 99.0
        pitch, yaw, roll = (-((bins - 57.3 * now[:, at, None]) ** 2) / 9 for at in (64, 65, 66))
        expression = torch.zeros(len(now), 45)
        expression[:, 1::3] = 0.2 * now[:, :1]
        return HeadMotion(yaw, pitch, roll, torch.zeros(len(now), 3), expression)


class Keypoints(_Net):
    def forward(self, images: Tensor) -> Tensor:
        return torch.linspace(-0.6, 0.6, 45).view(1, 15, 3).expand(len(images), -1, -1)


class MovingPicture(_Net):
    """A generator that shifts the picture as its keypoints go. `failures` are raised first."""

    def __init__(self) -> None:
        super().__init__()
        self.failures: list[Exception] = []
        self.batches: list[int] = []
        self.largest = 0
        self.spoil = False

    def encode(self, images: Tensor) -> SourceFeatures:
        small = F.pixel_unshuffle(images, 4)
        volume = F.pad(small, (0, 0, 0, 0, 0, 512 - small.shape[1])).unflatten(1, (32, 16))
        return SourceFeatures(volume, volume[:, :4] * 0)

    def decoder(self, features: Tensor) -> Tensor:
        return features

    def decoder_features(
        self, source: SourceFeatures, kp_source: Tensor, kp_driving: Tensor
    ) -> Tensor:
        return self.render(source, kp_source, kp_driving)

    def render(self, source: SourceFeatures, kp_source: Tensor, kp_driving: Tensor) -> Tensor:
        if self.failures:
            raise self.failures.pop(0)
        count = len(kp_driving)
        if self.largest and count > self.largest:
            raise torch.OutOfMemoryError(f"{count} frames do not fit")
        self.batches.append(count)
        pictures = F.pixel_shuffle(source.volume.flatten(1, 2)[:, :48], 4).expand(count, -1, -1, -1)
        shift = (kp_driving - kp_source).mean(dim=1)
        move = torch.eye(2, 3).repeat(count, 1, 1)
        move[:, :, 2] = -shift[:, :2]
        grid = F.affine_grid(move, list(pictures.shape), align_corners=False)
        made = F.grid_sample(pictures, grid, padding_mode="border", align_corners=False)
        return made * float("nan") if self.spoil else made


def tiny_networks(coefficients: int = 73, **changes: Any) -> SadTalkerNetworks:
    """All networks; `changes` replace some."""
    parts: dict[str, Any] = {
        "reconstruction": Reconstruction(),
        "expression": Expression(),
        "pose": Pose(),
        "mapping": Mapping(coefficients),
        "keypoints": Keypoints(),
        "generator": MovingPicture(),
        "device": torch.device("cpu"),
        "precision": torch.float32,
        **changes,
    }
    for part in parts.values():
        if isinstance(part, nn.Module):
            part.requires_grad_(False)
    return SadTalkerNetworks(**parts)


def make_bench_quick(monkeypatch: Any) -> None:
    """Lets the benchmark measure these networks, and the device's peak only once."""
    from engine.talkinghead.sadtalker import bench, peak

    def tiny(*, coefficients: int, device: Any, precision: Any) -> SadTalkerNetworks:
        return tiny_networks(coefficients)

    monkeypatch.setattr(peak, "_TRIES", 1)
    monkeypatch.setattr(bench.SadTalkerNetworks, "random", tiny)
