"""BodyWarp: moves a body without tearing it, and says where its face goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.portrait.base import Image
from engine.talkinghead.performance import BodyPose

Affine = NDArray[np.float64]

_SWAY: Final = 0.032
"""How far the top of a body goes to the side at sway 1, in heights of the body."""
_LEAN: Final = 0.022
"""Radians at lean 1."""
_SQUASH: Final = 0.014
"""Change of height at squash 1."""
_BAND: Final = 24
"""Rows in which the bend is taken as straight."""

_FAINT: Final = np.array([1.0])
_NEARLY: Final = np.array([254.0])
_FULL: Final = np.array([255.0])


@dataclass(frozen=True)
class Moved:
    """One moment's way from the portrait to the frame.

    A body is scaled and turned about its base, then each row is shifted by `bend`, piecewise
    linear in y: inside a band both together are one affine map, so nothing can tear.
    """

    linear: Affine
    knots: NDArray[np.float64]
    bend: NDArray[np.float64]

    @property
    def is_rest(self) -> bool:
        """Whether nothing moves at all."""
        return bool(np.array_equal(self.linear, np.eye(2, 3)) and not self.bend.any())

    def at(self, point: tuple[float, float]) -> NDArray[np.float32]:
        """The affine map that moves what is around a point of the portrait, [2, 3]."""
        y = float(self.linear[1] @ (*point, 1.0))
        step = float(self.knots[1] - self.knots[0])
        here = float(np.interp(y, self.knots, self.bend))
        # The slope over a face's height, not over one band: faces must not flutter.
        near = np.interp((y - 2 * step, y + 2 * step), self.knots, self.bend)
        slope = float(near[1] - near[0]) / (4 * step)
        shear = np.array([[1.0, slope], [0.0, 1.0]])
        moved = shear @ self.linear
        moved[0, 2] += here - slope * y
        return moved.astype(np.float32)


class BodyWarp:
    """A body in front of a background. Not safe for several threads at once."""

    def __init__(self, background: Image, body: Image) -> None:
        """Prepares the layers.

        Args:
            background: [size, size, 3] RGB.
            body: [size, size, 4] RGBA, straight alpha; what touches an edge of the picture goes
                on beyond it.
        """
        self.background = np.ascontiguousarray(background)
        alpha = body[..., 3:].astype(np.uint16)
        premultiplied = (body[..., :3] * alpha + 127) // 255
        self._body = np.ascontiguousarray(np.dstack([premultiplied, alpha]).astype(np.uint8))
        self.size = body.shape[0]
        rows = np.flatnonzero(body[..., 3].max(axis=1) > 8)
        columns = np.flatnonzero(body[..., 3].max(axis=0) > 8)
        self._top = int(rows[0]) if len(rows) else 0
        self._base_y = float(rows[-1] + 1) if len(rows) else float(self.size)
        foot = np.flatnonzero(
            body[max(0, int(self._base_y) - self.size // 16) :, :, 3].max(0) > 127
        )
        if not len(foot):
            foot = columns if len(columns) else np.array([self.size / 2])
        self._base_x = float(foot[0] + foot[-1] + 1) / 2
        self._tall = max(self._base_y - self._top, 1.0)
        self._layer = np.empty_like(self._body)
        self._knots = np.arange(0, self.size + _BAND, _BAND, dtype=np.float64)
        self._at_rest = self.compose(self._layer_of(self.moved(BodyPose())), None).copy()

    def moved(self, pose: BodyPose) -> Moved:
        """Where a pose brings the body."""
        tall = 1 + _SQUASH * pose.squash
        wide = 1 / np.sqrt(tall)
        angle = _LEAN * pose.lean
        cos, sin = np.cos(angle), np.sin(angle)
        # Turned like a picture on a nail: to the right is clockwise.
        linear = np.array([[cos * wide, -sin * tall], [sin * wide, cos * tall]])
        base = np.array([self._base_x, self._base_y])
        offset = base - linear @ base
        height = np.clip((self._base_y - self._knots) / self._tall, 0, 1.3)
        bend = _SWAY * pose.sway * self._tall * height**1.7
        return Moved(np.hstack([linear, offset[:, None]]), self._knots, bend)

    def _layer_of(self, moved: Moved) -> Image:
        inverse = np.asarray(cv2.invertAffineTransform(moved.linear), np.float64)
        width = self.size
        for index, top in enumerate(range(0, self.size, _BAND)):
            bottom = min(top + _BAND, self.size)
            slope = (moved.bend[index + 1] - moved.bend[index]) / _BAND
            # x on the frame -> x before the bend, with y counted from the top of the band.
            unbend = np.array([[1.0, -slope, -moved.bend[index]], [0.0, 1.0, float(top)]])
            # Pixel centres lie half a pixel inside: shift there and back.
            unbend[0, 2] += 0.5 - 0.5 * slope
            unbend[1, 2] += 0.5
            matrix = inverse[:, :2] @ unbend
            matrix[:, 2] += inverse[:, 2] - 0.5
            cv2.warpAffine(
                self._body,
                matrix,
                (width, bottom - top),
                dst=self._layer[top:bottom],
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REPLICATE,
            )
        return self._layer

    def draw(self, moved: Moved, frame: Image) -> Image:
        """The moved body before its background, drawn into `frame`, [size, size, 3]."""
        if moved.is_rest:
            frame[:] = self._at_rest
            return frame
        return self.compose(self._layer_of(moved), frame)

    def compose(self, layer: Image, frame: Image | None) -> Image:
        """A premultiplied layer on the background."""
        if frame is None:
            frame = np.empty_like(self.background)
        colour = cv2.cvtColor(layer, cv2.COLOR_RGBA2RGB)
        alpha = cv2.extractChannel(layer, 3)
        np.copyto(frame, self.background)
        cv2.copyTo(colour, cv2.inRange(alpha, _FULL, _FULL), frame)
        # Only edges need a mix; they are few.
        edge = np.flatnonzero(np.asarray(cv2.inRange(alpha, _FAINT, _NEARLY)).view(np.bool_))
        if len(edge):
            below = self.background.reshape(-1, 3)[edge].astype(np.uint16)
            keep = 255 - alpha.reshape(-1)[edge].astype(np.uint16)
            mixed = colour.reshape(-1, 3)[edge] + (below * keep[:, None] + 127) // 255
            frame.reshape(-1, 3)[edge] = np.minimum(mixed, 255)
        return frame
