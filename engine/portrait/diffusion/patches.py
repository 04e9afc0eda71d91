"""PatchCodec: pictures as the principal components of their patches, in place of an autoencoder.

A linear code that is fitted in seconds and shows small features as sharp as they are, where an
autoencoder takes hours of training. For small models: large ones have learned better codes.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTinyOutput
from diffusers.models.modeling_utils import ModelMixin
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

PATCH: Final = 8
"""Pixels of a patch, along a side."""


class PatchCodec(ModelMixin, ConfigMixin):  # type: ignore[misc]  # as all models of diffusers
    """Encodes each patch of a picture as its components, and adds them up again.

    Components are divided by the square root of their deviation: large ones stay larger, so that
    a diffusion model settles them first, and small ones are not lost in its loss.

    Args:
        channels: components that are kept.
        scaling_factor: latents are multiplied with it, as those of other autoencoders are.
        block_out_channels: its length says how large a patch is, to pipelines.
    """

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        channels: int = 32,
        scaling_factor: float = 1.0,
        block_out_channels: tuple[int, ...] = (1, 1, 1, 1),
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.into = nn.Parameter(torch.zeros(channels, 3, PATCH, PATCH), requires_grad=False)
        self.back = nn.Parameter(torch.zeros(channels, 3, PATCH, PATCH), requires_grad=False)
        self.mean = nn.Parameter(torch.zeros(3, PATCH, PATCH), requires_grad=False)
        self.use_slicing = False

    def encode(self, pixels: Tensor) -> AutoencoderTinyOutput:
        """[n, 3, h, w] from -1 to 1 -> latents [n, channels, h / 8, w / 8]."""
        tiles = self.mean.repeat(1, pixels.shape[2] // PATCH, pixels.shape[3] // PATCH)
        return AutoencoderTinyOutput(functional.conv2d(pixels - tiles, self.into, stride=PATCH))

    def decode(self, latents: Tensor, **_: Any) -> tuple[Tensor]:
        """Latents [n, channels, h, w] -> [n, 3, 8 h, 8 w], about -1 to 1."""
        pixels = functional.conv_transpose2d(latents, self.back, stride=PATCH)
        return (pixels + self.mean.repeat(1, latents.shape[2], latents.shape[3]),)

    def enable_slicing(self) -> None:
        """It needs no memory that could be saved."""
        self.use_slicing = True

    def enable_tiling(self) -> None:
        """It needs no memory that could be saved."""


def fit(pictures: NDArray[np.uint8], channels: int) -> PatchCodec:
    """The code of the pictures' own patches.

    Args:
        pictures: [n, h, w, 3], sides a multiple of `PATCH`.
        channels: components that are kept.
    """
    count, height, width, _ = pictures.shape
    shape = (count, height // PATCH, PATCH, width // PATCH, PATCH, 3)
    patches = (pictures.astype(np.float32) / 127.5 - 1).reshape(shape).transpose(0, 1, 3, 5, 2, 4)
    flat = patches.reshape(-1, 3 * PATCH * PATCH)
    mean = flat.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov((flat - mean).T))
    best = np.argsort(values)[::-1][:channels]
    basis = vectors[:, best].T.reshape(channels, 3, PATCH, PATCH)
    loud = np.sqrt(np.sqrt(values[best]))[:, None, None, None]
    # Over all components the variance of the latents is 1.
    loud *= np.sqrt((values[best] / np.sqrt(values[best])).mean())
    kind: Any = PatchCodec  # the library has no annotations
    codec: PatchCodec = kind(channels)
    with torch.no_grad():
        codec.into.copy_(torch.from_numpy((basis / loud).astype(np.float32)))
        codec.back.copy_(torch.from_numpy((basis * loud).astype(np.float32)))
        codec.mean.copy_(torch.from_numpy(mean.reshape(3, PATCH, PATCH)))
    return codec
