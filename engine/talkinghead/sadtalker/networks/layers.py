"""What several networks are made of, and how batch norms melt into the convolutions before them."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

Convolution = nn.Conv1d | nn.Conv2d | nn.Conv3d


class ConvNorm2d(nn.Module):
    """Convolution, batch norm, ReLU (or leaky ReLU); once folded, the convolution does it all.

    Args:
        inputs: channels in.
        outputs: channels out.
        kernel: side of the kernel; padding keeps the size.
        slope: of the activation below zero; 0 is ReLU.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, slope: float = 0.0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)
        self.norm: nn.Module = nn.BatchNorm2d(outputs)
        self.slope = slope

    def fold(self) -> None:
        """Take the batch norm into the convolution."""
        self.norm = melt(self.conv, self.norm)

    def forward(self, x: Tensor) -> Tensor:
        """[B, inputs, H, W] -> [B, outputs, H, W]."""
        return F.leaky_relu(self.norm(self.conv(x)), self.slope, inplace=True)


class ConvNorm3d(nn.Module):
    """Convolution over depth, height and width, batch norm, ReLU; see ConvNorm2d."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv3d(inputs, outputs, kernel, padding=kernel // 2)
        self.norm: nn.Module = nn.BatchNorm3d(outputs)

    def fold(self) -> None:
        """Take the batch norm into the convolution."""
        self.norm = melt(self.conv, self.norm)

    def forward(self, x: Tensor) -> Tensor:
        """[B, inputs, D, H, W] -> [B, outputs, D, H, W]."""
        return F.relu(self.norm(self.conv(x.to(self.conv.weight.dtype))), inplace=True)


class UpConvNorm3d(nn.Module):
    """Twice as high and wide (nearest neighbour), convolution 3x3x3, batch norm, ReLU.

    Once folded, all of it but the ReLU is one transposed convolution; see `upsampling`.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv: nn.Module = nn.Conv3d(inputs, outputs, 3, padding=1)
        self.norm: nn.Module = nn.BatchNorm3d(outputs)

    def fold(self) -> None:
        """Take the upsampling and the batch norm into the convolution."""
        assert isinstance(self.conv, nn.Conv3d)
        self.norm = melt(self.conv, self.norm)
        outputs, inputs = self.conv.weight.shape[:2]
        wide = nn.ConvTranspose3d(inputs, outputs, (3, 4, 4), (1, 2, 2), 1, device="meta")
        wide.weight = frozen(upsampling(self.conv.weight, 2).flip(2))
        wide.bias = self.conv.bias
        self.conv = wide

    def forward(self, x: Tensor) -> Tensor:
        """[B, inputs, D, H, W] -> [B, outputs, D, 2 H, 2 W]; once folded."""
        return F.relu(self.conv(x), inplace=True)


@torch.no_grad()
def upsampling(weight: Tensor, scale: int) -> Tensor:
    """The transposed kernel that enlarges (nearest neighbour) and then convolves.

    A 3x3 kernel on an enlarged picture reads most pixels several times; the transposed kernel,
    with stride `scale` and padding 1, reads each once: 4/9 of the multiplications at scale 2,
    1/4 at scale 4, and the same sums.

    Args:
        weight: [outputs, inputs, ..., 3, 3] of a convolution with padding 1.
        scale: how many times as high and wide.

    Returns:
        [inputs, outputs, ..., scale + 2, scale + 2]; other axes than the last two are as they
        were, so the caller flips them.
    """
    # a tap that reads one pixel further on adds to outputs one pixel before
    spread = torch.zeros(3, scale + 2, dtype=torch.float64, device=weight.device)
    for tap in range(3):
        spread[tap, 2 - tap : 2 - tap + scale] = 1
    wide = weight.double().flatten(-2) @ torch.kron(spread, spread)
    wide = wide.to(weight.dtype).view(*weight.shape[:-2], scale + 2, scale + 2)
    return wide.transpose(0, 1).contiguous()


def axis_of(size: int, like: Tensor) -> Tensor:
    """Where `size` samples lie, the first at -1, the last at 1: [size], float32."""
    steps = torch.arange(size, dtype=torch.float32, device=like.device)
    return steps * (2 / (size - 1)) - 1


@torch.no_grad()
def melt(conv: Convolution, norm: nn.Module) -> nn.Identity:
    """Change a convolution so that it does what the batch norm after it did.

    Computed in float64, so that nothing is lost but the last rounding.

    Args:
        conv: changed in place.
        norm: the batch norm that follows it.

    Returns:
        What stands in the norm's place from now on.
    """
    if not isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d):
        raise TypeError(f"{type(norm).__name__} is no batch norm")
    assert norm.running_mean is not None and norm.running_var is not None
    scale = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
    shift = norm.bias.double() - norm.running_mean.double() * scale
    if conv.bias is not None:
        shift = shift + conv.bias.double() * scale
    weight = conv.weight.double() * scale.view(-1, *[1] * (conv.weight.dim() - 1))
    conv.weight = frozen(weight.to(conv.weight.dtype))
    conv.bias = frozen(shift.to(conv.weight.dtype))
    return nn.Identity()


def put_channels_last(module: nn.Module) -> None:
    """Lay out the weights of flat and of spatial convolutions as current hardware likes it."""
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    for parameter in module.parameters():
        if (format_ := formats.get(parameter.dim())) is not None:
            parameter.data = parameter.data.contiguous(memory_format=format_)


def frozen(values: Tensor) -> nn.Parameter:
    """A parameter that is never trained."""
    return nn.Parameter(values, requires_grad=False)
