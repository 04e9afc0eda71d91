"""Weights that nobody trained: for the benchmark and the tests, where only the form counts.

Each tensor comes from a generator seeded with its own name, so it is the same whichever others
are made, and scaled so that signals neither die nor explode on their way through the networks.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

_GAINS = (
    (lambda name: "audio_encoder." in name, 0.7),
    (lambda name: name.startswith("face_3drecon.") and name.endswith("conv3.weight"), 0.3),
    (lambda name: "resblocks_3d." in name, 0.5),
    (lambda name: name.endswith((".mask.weight", ".occlusion.weight")), 3.0),
    (lambda name: name.endswith(("fc_t.weight", "fc_exp.weight", "output_layer.0.weight")), 0.1),
    (lambda name: name.endswith("conv_img.weight"), 0.5),
)
_BLUR = 1.5
"""Sigma, in pixels, of the kernel with which the keypoint detector makes a picture smaller."""


def random_state(network: str, module: nn.Module) -> dict[str, Tensor]:
    """A state dict for a network.

    Args:
        network: the checkpoint's name for it; goes into the seeds.
        module: as it is before `fold()`; may be on the meta device.

    Returns:
        Every entry of the module's own state dict, float32 on the CPU.
    """
    shapes = [(key, tuple(value.shape)) for key, value in module.state_dict().items()]
    return dict(random_tensors(network, shapes))


def random_tensors(
    network: str, shapes: Iterable[tuple[str, tuple[int, ...]]]
) -> Iterator[tuple[str, Tensor]]:
    """Tensors of these names and shapes, float32 on the CPU."""
    known = dict(shapes)
    for key, shape in known.items():
        name = f"{network}.{key}"
        stem, _, last = name.rpartition(".")
        if last == "num_batches_tracked":
            yield key, torch.zeros(shape, dtype=torch.int64)
            continue
        if last == "weight_v":
            weight = _made(f"{stem}.weight_orig", known[key.replace("weight_v", "weight_orig")])
            left = _made(f"{stem}.weight_u", weight.shape[:1])
            values = weight.reshape(weight.shape[0], -1).T @ left
            values /= np.linalg.norm(values)
        elif last == "weight" and key.replace("weight", "running_mean") in known:
            values = 1 + 0.1 * _noise(name, shape)
        else:
            values = _made(name, shape)
        yield key, torch.from_numpy(np.ascontiguousarray(values, np.float32))


def _made(name: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    last = name.rpartition(".")[2]
    if name == "kp_extractor.down.weight":
        return _gaussian(shape)
    noise = _noise(name, shape)
    if last == "running_mean":
        return 0.1 * noise
    if last == "running_var":
        return 1 + 0.1 * np.abs(noise)
    if last == "bias":
        return 0.02 * noise
    if last == "weight_u":
        return np.asarray(noise / np.linalg.norm(noise))
    gain = next((gain for fits, gain in _GAINS if fits(name)), 1.0)
    return np.asarray(gain * noise * np.sqrt(2 / np.prod(shape[1:])))


def _noise(name: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    seed = zlib.crc32(f"sadtalker:{name}".encode())
    return np.random.Generator(np.random.PCG64(seed)).standard_normal(shape)


def _gaussian(shape: tuple[int, ...]) -> NDArray[np.float64]:
    steps = np.arange(shape[-1]) - (shape[-1] - 1) / 2
    line = np.exp(-(steps**2) / (2 * _BLUR**2))
    square = np.outer(line, line)
    return np.broadcast_to(square / square.sum(), shape)
