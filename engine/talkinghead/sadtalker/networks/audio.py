"""The audio encoder that the expression and the pose network share in form, not in weights."""

from __future__ import annotations

from typing import Final

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from engine.talkinghead.sadtalker.networks.layers import melt

_LAYERS: Final[tuple[tuple[int, int, int | tuple[int, int], int, int, bool], ...]] = (
    # channels in, out, stride, padding, kernel, residual
    (1, 32, 1, 1, 3, False),
    (32, 32, 1, 1, 3, True),
    (32, 32, 1, 1, 3, True),
    (32, 64, (3, 1), 1, 3, False),
    (64, 64, 1, 1, 3, True),
    (64, 64, 1, 1, 3, True),
    (64, 128, 3, 1, 3, False),
    (128, 128, 1, 1, 3, True),
    (128, 128, 1, 1, 3, True),
    (128, 256, (3, 2), 1, 3, False),
    (256, 256, 1, 1, 3, True),
    (256, 512, 1, 0, 3, False),
    (512, 512, 1, 0, 1, False),
)

EMBEDDING: Final = 512
"""Numbers in which the encoder says what is heard around a frame."""


class _Layer(nn.Module):
    """Convolution, batch norm, what came in where `residual`, ReLU."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        stride: int | tuple[int, int],
        padding: int,
        kernel: int,
        residual: bool,
    ) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.Conv2d(inputs, outputs, kernel, stride, padding), nn.BatchNorm2d(outputs)
        )
        self.residual = residual

    def fold(self) -> None:
        conv = self.conv_block[0]
        assert isinstance(conv, nn.Conv2d)
        self.conv_block[1] = melt(conv, self.conv_block[1])

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv_block(x)
        return F.relu(y.add_(x) if self.residual else y, inplace=True)


class AudioEncoder(nn.Sequential):
    """Mel windows [N, 1, 80, 16] -> embeddings [N, 512, 1, 1]."""

    def __init__(self) -> None:
        super().__init__(*(_Layer(*layer) for layer in _LAYERS))

    def fold(self) -> None:
        """Take the batch norms into the convolutions."""
        for layer in self:
            assert isinstance(layer, _Layer)
            layer.fold()

    def embed(self, windows: Tensor) -> Tensor:
        """Mel windows [B, T, 1, 80, 16] -> embeddings [B, T, 512]."""
        heard: Tensor = self(windows.flatten(0, 1))
        return heard.view(*windows.shape[:2], EMBEDDING)
