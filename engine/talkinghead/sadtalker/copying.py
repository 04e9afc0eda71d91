"""Copies from the device that made them to the host, one behind the other's work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

Land = Callable[[], tuple[Tensor, Tensor]]
"""Waits for a copy; gives frames and whether each is a picture, both on the host."""


class HostCopies(Protocol):
    """How frames come to the host.

    Attributes:
        depth: batches to have on their way at once.
    """

    depth: int

    def send(self, frames: Tensor, finite: Tensor) -> Land:
        """Begins to copy a batch; does not wait for it.

        Args:
            frames: [B, size, size, 3] uint8.
            finite: [B] bool.
        """
        ...


def host_copies(device: torch.device) -> HostCopies:
    """What fits a device."""
    return _FromGpu(device) if device.type == "cuda" else _Here()


class _Here:
    """Frames that are on the host where they were made."""

    depth = 1

    def send(self, frames: Tensor, finite: Tensor) -> Land:
        return lambda: (frames, finite)


class _FromGpu:
    """Over a stream of their own into pinned memory, while the next batch is computed."""

    depth = 2

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def send(self, frames: Tensor, finite: Tensor) -> Land:
        host = torch.empty(frames.shape, dtype=frames.dtype, pin_memory=True)
        told = torch.empty(finite.shape, dtype=torch.bool, pin_memory=True)
        self._stream.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(self._stream):
            host.copy_(frames, non_blocking=True)
            told.copy_(finite, non_blocking=True)
            done = torch.cuda.Event()  # type: ignore[no-untyped-call]
            done.record(self._stream)
        # Their memory is not given to anything else before the copy has been made.
        frames.record_stream(self._stream)
        finite.record_stream(self._stream)

        def land() -> tuple[Tensor, Tensor]:
            done.synchronize()
            return host, told

        return land
