"""SpadeDecoder: features of a moment -> its picture.

SPADE is Park et al., "Semantic Image Synthesis with Spatially-Adaptive Normalization" (2019):
an instance norm whose scale and shift are computed for every pixel, here from the features that
came in. About three quarters of a frame's work is here.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from engine.talkinghead.sadtalker.networks.layers import frozen, upsampling

_FEATURES: Final = 256
_WIDTH: Final = 512
_SHARED: Final = 128
_MIDDLE: Final = 6
_LEAK: Final = 0.2
_EPSILON: Final = 1e-5


class SpadeDecoder(nn.Module):
    """[B, 256, h, w] -> pictures [B, 3, 4 h, 4 w] in 0..1.

    Means and variances are taken in float32; all else is as exact as the weights are.
    """

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Conv2d(_FEATURES, _WIDTH, 3, padding=1)
        for index in range(_MIDDLE):
            self.add_module(f"G_middle_{index}", _Block(_WIDTH, _WIDTH, scale=1))
        self.up_0 = _Block(_WIDTH, _WIDTH // 2, scale=2)
        self.up_1 = _Block(_WIDTH // 2, _WIDTH // 8, scale=4)
        self.conv_img = nn.Conv2d(_WIDTH // 8, 3, 3, padding=1)

    @property
    def blocks(self) -> list[_Block]:
        """In the order in which they work."""
        return [module for module in self.children() if isinstance(module, _Block)]

    def fold(self) -> None:
        """Turn the loaded weights into those that inference uses; once, after loading."""
        for block in self.blocks:
            block.fold()

    def forward(self, features: Tensor) -> Tensor:
        """The pictures of B moments."""
        x = self.fc(features)
        for block in self.blocks:
            x = block(x, features)
        pictures: Tensor = self.conv_img(F.leaky_relu_(x, _LEAK))
        return pictures.sigmoid()


class _Block(nn.Module):
    """Two SPADE norms and convolutions beside a shortcut; enlarges by two where `scale` is not 1.

    Args:
        inputs: channels in.
        outputs: channels out.
        scale: size of what comes out, in sizes of the decoder's features.
    """

    def __init__(self, inputs: int, outputs: int, scale: int) -> None:
        super().__init__()
        self.norm_0 = _Spade(inputs, scale)
        self.conv_0: nn.Module = _SpectralConv(inputs, outputs, 3)
        self.norm_1 = _Spade(outputs, scale)
        self.conv_1: nn.Module = _SpectralConv(outputs, outputs, 3)
        self.learnt_shortcut = inputs != outputs
        if self.learnt_shortcut:
            self.norm_s = _Spade(inputs, scale)
            self.conv_s: nn.Module = _SpectralConv(inputs, outputs, 1)

    def fold(self) -> None:
        for name, child in list(self.named_children()):
            if isinstance(child, _SpectralConv):
                setattr(self, name, child.folded())
        self.norm_0.fold()
        self.norm_1.fold()
        if self.learnt_shortcut:
            self.norm_s.fold_before(self.conv_s)

    def forward(self, x: Tensor, features: Tensor) -> Tensor:
        normal = _normalised(x)
        y: Tensor = self.conv_0(F.leaky_relu_(self.norm_0(normal, features), _LEAK))
        y = self.conv_1(F.leaky_relu_(self.norm_1(_normalised(y), features), _LEAK))
        if self.learnt_shortcut:
            x = self.norm_s.through(self.conv_s, normal, features)
        return y.add_(x)


class _Spade(nn.Module):
    """A scale and a shift for every pixel of a normalised picture, computed from features.

    The checkpoint's three convolutions read features enlarged to the picture's size. Folded, the
    first one does the enlarging (see `upsampling`), and the other two, which read the same, are
    one.
    """

    def __init__(self, channels: int, scale: int) -> None:
        super().__init__()
        self.channels = channels
        self.scale = scale
        self.mlp_shared: nn.Module = nn.Sequential(nn.Conv2d(_FEATURES, _SHARED, 3, padding=1))
        self.mlp_gamma = nn.Conv2d(_SHARED, channels, 3, padding=1)
        self.mlp_beta = nn.Conv2d(_SHARED, channels, 3, padding=1)

    def fold(self) -> None:
        """Make the weights that inference uses."""
        self._fold_shared()
        weights = (self.mlp_gamma.weight.detach(), self.mlp_beta.weight.detach())
        joined = nn.Conv2d(_SHARED, 2 * self.channels, 3, padding=1, device="meta")
        joined.weight = frozen(torch.cat(weights))
        joined.bias = frozen(torch.cat((_bias(self.mlp_gamma) + 1, _bias(self.mlp_beta))))
        del self.mlp_gamma, self.mlp_beta
        self.modulation = joined

    def fold_before(self, conv: nn.Module) -> None:
        """Make the weights that inference uses where a 1x1 convolution follows at once.

        What is shifted before it may as well be shifted after it, where there are fewer channels.
        """
        self._fold_shared()
        assert isinstance(conv, nn.Conv2d)
        matrix = conv.weight.detach().double()[:, :, 0, 0]
        weight = torch.einsum("oc,cikl->oikl", matrix, self.mlp_beta.weight.detach().double())
        self.mlp_beta.weight = frozen(weight.to(conv.weight.dtype))
        self.mlp_beta.bias = frozen((matrix @ _bias(self.mlp_beta).double()).to(conv.weight.dtype))
        self.mlp_gamma.bias = frozen(_bias(self.mlp_gamma) + 1)

    def _fold_shared(self) -> None:
        assert isinstance(self.mlp_shared, nn.Sequential)
        shared = self.mlp_shared[0]
        assert isinstance(shared, nn.Conv2d)
        if self.scale > 1:
            wide = nn.ConvTranspose2d(
                _FEATURES, _SHARED, self.scale + 2, self.scale, 1, device="meta"
            )
            wide.weight = frozen(upsampling(shared.weight.detach(), self.scale))
            wide.bias = shared.bias
            shared = wide
        self.mlp_shared = shared

    def forward(self, normal: Tensor, features: Tensor) -> Tensor:
        """Scaled and shifted: [B, channels, h, w] or half of that, to the size of `scale`."""
        modulation = self.modulation(F.relu_(self.mlp_shared(features)))
        gamma, beta = modulation.chunk(2, dim=1)
        if normal.shape == gamma.shape:
            return torch.addcmul(beta, normal, gamma)
        return _fine(torch.addcmul(_coarse(beta), normal[:, :, :, None, :, None], _coarse(gamma)))

    def through(self, conv: nn.Module, normal: Tensor, features: Tensor) -> Tensor:
        """Scaled, convolved and shifted; see `fold_before`."""
        activity = F.relu_(self.mlp_shared(features))
        gamma = self.mlp_gamma(activity)
        scaled = _fine(_coarse(gamma) * normal[:, :, :, None, :, None])
        shortcut: Tensor = conv(scaled)
        return shortcut.add_(self.mlp_beta(activity))


class _SpectralConv(nn.Module):
    """A convolution as spectral normalisation stores it: a weight and its largest stretch."""

    weight_u: Tensor
    weight_v: Tensor

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__()
        self.weight_orig = nn.Parameter(torch.empty(outputs, inputs, kernel, kernel))
        self.register_buffer("weight_u", torch.empty(outputs))
        self.register_buffer("weight_v", torch.empty(inputs * kernel * kernel))
        self.bias = nn.Parameter(torch.empty(outputs)) if kernel > 1 else None

    def folded(self) -> nn.Conv2d:
        """The convolution itself: its weight divided by u . (M v), as both were stored.

        Raises:
            ZeroDivisionError: the stored vectors say that the weight stretches nothing.
        """
        matrix = self.weight_orig.detach().double().flatten(1)
        stretch = self.weight_u.double() @ (matrix @ self.weight_v.double())
        if stretch == 0:
            raise ZeroDivisionError("u . (M v) is 0")
        outputs, inputs, kernel, _ = self.weight_orig.shape
        conv = nn.Conv2d(
            inputs, outputs, kernel, padding=kernel // 2, bias=self.bias is not None, device="meta"
        )
        weight = (matrix / stretch).view_as(self.weight_orig)
        conv.weight = frozen(weight.to(self.weight_orig.dtype))
        conv.bias = None if self.bias is None else frozen(self.bias.detach())
        return conv


def _normalised(x: Tensor) -> Tensor:
    """Mean 0 and variance 1 for each channel of each picture.

    Sums are float32. With half the bits the square of the mean is taken from the mean square, which
    saves reading and writing the picture in float32; what that loses, `x` has lost before.
    """
    mean = x.mean(dim=(2, 3), keepdim=True, dtype=torch.float32)
    if x.dtype == torch.float32:
        centred = x - mean
        variance = centred.square().mean(dim=(2, 3), keepdim=True)
        return centred.mul_((variance + _EPSILON).rsqrt_())
    length = torch.linalg.vector_norm(x, dim=(2, 3), keepdim=True, dtype=torch.float32)
    variance = length.square() / (x.shape[2] * x.shape[3]) - mean.square()
    scale = (variance.clamp_(min=0) + _EPSILON).rsqrt_()
    return torch.addcmul((-mean * scale).to(x.dtype), x, scale.to(x.dtype))


def _coarse(x: Tensor) -> Tensor:
    """[B, C, 2 h, 2 w] -> [B, C, h, 2, w, 2], so that what is half as large fits."""
    return torch.unflatten(torch.unflatten(x, 3, (-1, 2)), 2, (-1, 2))


def _fine(x: Tensor) -> Tensor:
    """[B, C, h, 2, w, 2] -> [B, C, 2 h, 2 w]."""
    return x.flatten(4, 5).flatten(2, 3)


def _bias(conv: nn.Conv2d) -> Tensor:
    assert conv.bias is not None
    return conv.bias.detach()
