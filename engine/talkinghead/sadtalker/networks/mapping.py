"""MappingNet: coefficients of the 3-D face model around a frame -> motion of the renderer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

_WIDTH: Final = 1024
_ANGLE_BINS: Final = 66
_LEAK: Final = 0.1


@dataclass(frozen=True)
class HeadMotion:
    """Where a head is and what its face does, as the renderer understands it.

    Attributes:
        yaw: logits [B, 66] over angles from -99 to 96 degrees, three apart.
        pitch: logits [B, 66].
        roll: logits [B, 66].
        translation: [B, 3].
        expression: [B, 45]: x, y and z of each of 15 keypoints.
    """

    yaw: Tensor
    pitch: Tensor
    roll: Tensor
    translation: Tensor
    expression: Tensor


class MappingNet(nn.Module):
    """27 frames of coefficients (13 before, 13 after) -> the motion of the one in the middle.

    Args:
        coefficients: 70 for cropped portraits, 73 for whole pictures.
    """

    def __init__(self, coefficients: int) -> None:
        super().__init__()
        self.coefficients = coefficients
        self.first = nn.Sequential(nn.Conv1d(coefficients, _WIDTH, kernel_size=7))
        self.encoder0 = _dilated()
        self.encoder1 = _dilated()
        self.encoder2 = _dilated()
        self.fc_yaw = nn.Linear(_WIDTH, _ANGLE_BINS)
        self.fc_pitch = nn.Linear(_WIDTH, _ANGLE_BINS)
        self.fc_roll = nn.Linear(_WIDTH, _ANGLE_BINS)
        self.fc_t = nn.Linear(_WIDTH, 3)
        self.fc_exp = nn.Linear(_WIDTH, 45)

    def fold(self) -> None:
        """Nothing to do: its weights are used as they are stored."""

    def forward(self, semantics: Tensor) -> HeadMotion:
        """The motion of each window's middle frame.

        Args:
            semantics: [B, coefficients, 27] float32.

        Returns:
            The motion of B frames.
        """
        x: Tensor = self.first(semantics)
        for encoder in (self.encoder0, self.encoder1, self.encoder2):
            x = encoder(x) + x[:, :, 3:-3]
        x = x.mean(dim=-1)
        return HeadMotion(
            yaw=self.fc_yaw(x),
            pitch=self.fc_pitch(x),
            roll=self.fc_roll(x),
            translation=self.fc_t(x),
            expression=self.fc_exp(x),
        )


class _Leaky(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(x, _LEAK)


def _dilated() -> nn.Sequential:
    return nn.Sequential(_Leaky(), nn.Conv1d(_WIDTH, _WIDTH, kernel_size=3, dilation=3))
