"""ExpressionNet (audio2exp): what the face does while this is heard."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from engine.talkinghead.sadtalker.networks.audio import EMBEDDING, AudioEncoder

EXPRESSION: Final = 64
"""Coefficients of an expression in the 3-D face model."""


class ExpressionNet(nn.Module):
    """Mel windows, a reference expression and a blink ratio -> expression, for each frame.

    Frames are independent of each other: T may be anything, clips may be batched.
    """

    def __init__(self) -> None:
        super().__init__()
        self.audio_encoder = AudioEncoder()
        self.mapping1 = nn.Linear(EMBEDDING + EXPRESSION + 1, EXPRESSION)

    def fold(self) -> None:
        """Turn the loaded weights into those that inference uses; once, after loading."""
        self.audio_encoder.fold()

    def forward(self, windows: Tensor, reference: Tensor, blink: Tensor) -> Tensor:
        """Absolute expressions.

        Args:
            windows: [B, T, 1, 80, 16] float32, the mel spectrogram around each frame.
            reference: [B, T, 64], the portrait's own expression.
            blink: [B, T, 1], 0 open, 1 closed.

        Returns:
            [B, T, 64].
        """
        heard = self.audio_encoder.embed(windows)
        expression: Tensor = self.mapping1(torch.cat((heard, reference, blink), dim=-1))
        return expression
