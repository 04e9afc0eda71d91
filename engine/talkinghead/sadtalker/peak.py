"""How many operations a second a device can do at its best, and how many some work takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

import torch
from torch.nn import functional as F  # noqa: N812
from torch.utils.flop_counter import FlopCounterMode

_TRIES: Final = 10


def measure_peak(device: torch.device, dtype: torch.dtype) -> float:
    """Operations a second of the faster of a large product and a large convolution.

    A multiplication and an addition are two operations.
    """
    gpu = device.type == "cuda"
    side = 8192 if gpu else 1536
    with torch.inference_mode():
        one = torch.randn(side, side, device=device).to(dtype)
        images = torch.randn(16 if gpu else 1, 256, 128, 128, device=device).to(dtype)
        images = images.contiguous(memory_format=torch.channels_last)
        kernel = torch.randn(256, 256, 3, 3, device=device).to(dtype)
        kernel = kernel.contiguous(memory_format=torch.channels_last)
        work: tuple[Callable[[], Any], ...] = (
            lambda: one @ one,
            lambda: F.conv2d(images, kernel, padding=1),
        )
        return max(measure_flops(do) / _best(do, device) for do in work)


def measure_flops(work: Callable[[], Any]) -> float:
    """Operations in the products and convolutions of some work."""
    with FlopCounterMode(display=False) as counter:
        work()
    return float(counter.get_total_flops())


def _best(work: Callable[[], Any], device: torch.device) -> float:
    spans = []
    for _ in range(_TRIES):
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        start = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        spans.append(time.perf_counter() - start)
    return min(spans)
