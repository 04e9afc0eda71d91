"""PoseNet (audio2pose): how a head moves while this is heard, in one of 46 styles."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from engine.talkinghead.sadtalker.networks.audio import EMBEDDING, AudioEncoder

STYLES: Final = 46
"""Styles of moving that the network has learnt: 0 to 45."""
LATENT: Final = 64
"""Random numbers that decide how a chunk of frames moves."""
CHUNK: Final = 32
"""Frames that the network makes at once."""
POSE: Final = 6
"""Numbers of a pose: three angles (radians), three translations."""


class PoseNet(nn.Module):
    """Mel windows, a reference pose, a style and random latents -> poses.

    The first frame has the reference pose; the others are made in chunks of 32, each with a
    latent of its own and each relative to the reference.
    """

    def __init__(self) -> None:
        super().__init__()
        self.audio_encoder = _Nested()
        self.netG = _Generator()

    def fold(self) -> None:
        """Turn the loaded weights into those that inference uses; once, after loading."""
        self.audio_encoder.audio_encoder.fold()

    @staticmethod
    def chunks(frames: int) -> int:
        """How many latents `frames` frames take."""
        return -(-max(frames - 1, 0) // CHUNK)

    def forward(
        self,
        windows: Tensor,
        reference: Tensor,
        style: int,
        *,
        latents: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Poses of all frames.

        Args:
            windows: [B, T, 1, 80, 16] float32, the mel spectrogram around each frame.
            reference: [B, 6], the portrait's own pose.
            style: 0 to 45.
            latents: [B, chunks(T), 64], standard normal; drawn where None.
            generator: what they are drawn from, on its own device; PyTorch's own where None.

        Returns:
            [B, T, 6].

        Raises:
            ValueError: there is no such style, or the latents have another shape.
        """
        batch, frames = windows.shape[:2]
        count = self.chunks(frames)
        if not 0 <= style < STYLES:
            raise ValueError(f"style is {style}, not 0 to {STYLES - 1}")
        if latents is None:
            device = windows.device if generator is None else generator.device
            latents = torch.randn(batch, count, LATENT, generator=generator, device=device)
        if latents.shape != (batch, count, LATENT):
            raise ValueError(f"latents are {tuple(latents.shape)}, not {(batch, count, LATENT)}")
        if count == 0:
            return reference[:, None]
        heard = self.audio_encoder.audio_encoder.embed(windows[:, 1:])
        made = self._moved(heard, reference, style, latents.to(windows))
        return torch.cat((reference[:, None], reference[:, None] + made), dim=1)

    def _moved(self, heard: Tensor, reference: Tensor, style: int, latents: Tensor) -> Tensor:
        """Motion of every frame but the first: embeddings [B, T - 1, 512] -> [B, T - 1, 6].

        All chunks are one batch. The last one is the last 32 frames: where it overlaps the one
        before, only its end counts, and where there are fewer, the first is heard again.
        """
        batch, frames = heard.shape[:2]
        whole, rest = divmod(frames, CHUNK)
        chunks = [heard[:, : whole * CHUNK].view(batch, whole, CHUNK, -1)] if whole else []
        if rest:
            last = heard[:, -CHUNK:]
            first = heard[:, :1].expand(-1, CHUNK - last.shape[1], -1)
            chunks.append(torch.cat((first, last), dim=1)[:, None])
        count = whole + (rest > 0)
        moved = self.netG.decoder(
            torch.cat(chunks, dim=1).flatten(0, 1),
            reference[:, None].expand(-1, count, -1).flatten(0, 1),
            style,
            latents.flatten(0, 1),
        ).view(batch, count, CHUNK, POSE)
        parts = [moved[:, :whole].flatten(1, 2)]
        if rest:
            parts.append(moved[:, -1, -rest:])
        return torch.cat(parts, dim=1)


class _Nested(nn.Module):
    """The checkpoint names the encoder twice."""

    def __init__(self) -> None:
        super().__init__()
        self.audio_encoder = AudioEncoder()


class _Generator(nn.Module):
    """The trained half of a variational autoencoder that inference uses."""

    def __init__(self) -> None:
        super().__init__()
        self.decoder = PoseDecoder()


class PoseDecoder(nn.Module):
    """One chunk: what is heard, a reference, a style, a latent -> motion relative to it."""

    def __init__(self) -> None:
        super().__init__()
        self.resunet = _UNet()
        self.MLP = nn.Sequential()
        self.MLP.add_module("L0", nn.Linear(POSE + LATENT + CHUNK * POSE, 128))
        self.MLP.add_module("relu", nn.ReLU())
        self.MLP.add_module("L1", nn.Linear(128, CHUNK * POSE))
        self.MLP.add_module("sigmoid", nn.Sigmoid())
        self.pose_linear = nn.Linear(POSE, POSE)
        self.linear_audio = nn.Linear(EMBEDDING, POSE)
        self.classbias = nn.Parameter(torch.empty(STYLES, LATENT))

    def forward(self, heard: Tensor, reference: Tensor, style: int, latents: Tensor) -> Tensor:
        """[N, 32, 512], [N, 6], style, [N, 64] -> motion [N, 32, 6]."""
        audio = self.linear_audio(heard).flatten(1)
        x = self.MLP(torch.cat((reference, latents + self.classbias[style], audio), dim=-1))
        moved: Tensor = self.pose_linear(self.resunet(x.view(-1, 1, CHUNK, POSE)).squeeze(1))
        return moved


class _Residual(nn.Module):
    """Batch norm, ReLU and convolution, twice, beside a convolution that skips them."""

    def __init__(self, inputs: int, outputs: int, stride: int | tuple[int, int] = 1) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.BatchNorm2d(inputs),
            nn.ReLU(),
            nn.Conv2d(inputs, outputs, 3, stride, 1),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1),
        )
        self.conv_skip = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1), nn.BatchNorm2d(outputs)
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv_block(x) + self.conv_skip(x)
        return y


class _Twice(nn.Module):
    """Twice as many rows, by a learnt kernel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.upsample = nn.ConvTranspose2d(channels, channels, (2, 1), (2, 1))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.upsample(x)
        return y


class _UNet(nn.Module):
    """Smooths a chunk, taken as a picture of frames by pose numbers: [N, 1, 32, 6], the same."""

    def __init__(self) -> None:
        super().__init__()
        self.input_layer = nn.Sequential(
            nn.Conv2d(1, 32, 3, padding=1),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.Conv2d(32, 32, 3, padding=1),
        )
        self.input_skip = nn.Sequential(nn.Conv2d(1, 32, 3, padding=1))
        self.residual_conv_1 = _Residual(32, 64, (2, 1))
        self.residual_conv_2 = _Residual(64, 128, (2, 1))
        self.bridge = _Residual(128, 256, (2, 1))
        self.upsample_1 = _Twice(256)
        self.up_residual_conv1 = _Residual(256 + 128, 128)
        self.upsample_2 = _Twice(128)
        self.up_residual_conv2 = _Residual(128 + 64, 64)
        self.upsample_3 = _Twice(64)
        self.up_residual_conv3 = _Residual(64 + 32, 32)
        self.output_layer = nn.Sequential(nn.Conv2d(32, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        full = self.input_layer(x) + self.input_skip(x)
        half = self.residual_conv_1(full)
        quarter = self.residual_conv_2(half)
        y = self.upsample_1(self.bridge(quarter))
        y = self.upsample_2(self.up_residual_conv1(torch.cat((y, quarter), dim=1)))
        y = self.upsample_3(self.up_residual_conv2(torch.cat((y, half), dim=1)))
        y = self.up_residual_conv3(torch.cat((y, full), dim=1))
        return F.sigmoid(self.output_layer(y))
