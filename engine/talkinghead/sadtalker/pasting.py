"""Puts moving faces back into their portraits, on the device that made them."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from engine.talkinghead.sadtalker.canvas import Canvas


class Paster:
    """Pastes faces of one size into one portrait.

    Args:
        canvas: the portrait, and where its face is.
        device: where faces are.
    """

    def __init__(self, canvas: Canvas, device: torch.device) -> None:
        self._left, self._top, self._right, self._bottom = canvas.region
        self._picture = torch.tensor(canvas.picture, device=device)
        part = self._picture[self._top : self._bottom, self._left : self._right]
        mask = torch.tensor(canvas.mask, device=device)
        mask = mask[self._top : self._bottom, self._left : self._right, None]
        self._share = mask.float() / 255
        self._kept = part.float() * (1 - self._share)
        left, top, right, bottom = canvas.box
        across = _places(self._left, self._right, left, right, device)
        down = _places(self._top, self._bottom, top, bottom, device)
        y, x = torch.meshgrid(down, across, indexing="ij")
        self._grid = torch.stack([x, y], dim=-1)[None]
        self._side = max(right - left, bottom - top)

    def paste(self, faces: Tensor) -> Tensor:
        """Frames.

        Args:
            faces: [B, 3, h, w] RGB, 0 to 1, any floating type.

        Returns:
            [B, size, size, 3] uint8.
        """
        faces = faces.float()
        if faces.shape[-1] > 1.5 * self._side:
            # A grid reads four pixels: what is made much smaller is averaged first.
            side = max(1, round(self._side))
            faces = F.interpolate(faces, (side, side), mode="bilinear", antialias=True)
        grid = self._grid.expand(len(faces), -1, -1, -1)
        placed = F.grid_sample(faces, grid, padding_mode="border", align_corners=False)
        part = placed.permute(0, 2, 3, 1) * (255 * self._share) + self._kept
        frames = self._picture.repeat(len(faces), 1, 1, 1)
        part = part.round_().clamp_(0, 255).to(torch.uint8)
        frames[:, self._top : self._bottom, self._left : self._right] = part
        return frames


def _places(first: int, end: int, low: float, high: float, device: torch.device) -> Tensor:
    """Where the pixels from `first` to `end` are in a face from `low` to `high`: -1 to 1."""
    at = torch.arange(first, end, dtype=torch.float32, device=device) + 0.5
    return 2 * (at - low) / (high - low) - 1
