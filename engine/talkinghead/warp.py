"""BodyWarp: moves a body without tearing it, and says where its face goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.face.blend import lay_over
from engine.portrait.base import Image
from engine.talkinghead.performance import BodyPose

Affine = NDArray[np.float64]

_SWAY: Final = 0.032
"""How far the top of a body goes to the side at sway 1, in heights of the body."""
_LEAN: Final = 0.022
"""Radians at lean 1."""
_SQUASH: Final = 0.014
"""Change of height at squash 1."""
_BANDS: Final = 10
"""Parts of the height in which the bend is taken as straight: it is, to a tenth of a pixel."""
_FACE_SPAN: Final = 0.19
"""About a face's height, as a share of the picture's."""


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

    @property
    def reach(self) -> tuple[int, int]:
        """Pixels by which anything is moved at most, to the side and up or down."""
        size = self.knots[-1]
        corners = np.array([[0, size, 0, size], [0, 0, size, size], [1, 1, 1, 1]])
        far = np.abs(self.linear @ corners - corners[:2]).max(axis=1)
        far[0] += np.abs(self.bend).max()
        across, down = np.ceil(far).astype(int).tolist()
        return across, down

    def at(self, point: tuple[float, float]) -> NDArray[np.float32]:
        """The affine map that moves what is around a point of the portrait, [2, 3]."""
        y = float(self.linear[1] @ (*point, 1.0))
        half = float(self.knots[-1]) * _FACE_SPAN / 2
        # The slope over a face's height, not over one band: faces must not flutter.
        above, here, below = np.interp((y - half, y, y + half), self.knots, self.bend).tolist()
        slope = (below - above) / (2 * half)
        moved = np.array([[1.0, slope], [0.0, 1.0]]) @ self.linear
        moved[0, 2] += here - slope * y
        return moved.astype(np.float32)

    def bands(self) -> NDArray[np.float64]:
        """The way of each band's pixels back to the portrait's pixels, [bands, 2, 3].

        Rows are counted from the top of the band.
        """
        inverse = cv2.invertAffineTransform(self.linear)
        slope = np.diff(self.bend) / np.diff(self.knots)
        unbend = np.zeros((len(slope), 3, 3))
        unbend[:, 0, 0] = unbend[:, 1, 1] = unbend[:, 2, 2] = 1
        unbend[:, 0, 1] = -slope
        # Pixel centres lie half a pixel inside: there and back.
        unbend[:, 0, 2] = 0.5 - self.bend[:-1] - 0.5 * slope
        unbend[:, 1, 2] = self.knots[:-1] + 0.5
        ways = np.asarray(inverse @ unbend, np.float64)
        ways[:, :, 2] -= 0.5
        return ways


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
        self._is_opaque = bool(body[..., 3].min() == 255)
        self._base_y = float(rows[-1] + 1) if len(rows) else float(self.size)
        foot = np.flatnonzero(
            body[max(0, int(self._base_y) - self.size // 16) :, :, 3].max(0) > 127
        )
        if not len(foot):
            foot = columns if len(columns) else np.array([self.size / 2])
        self._base_x = float(foot[0] + foot[-1] + 1) / 2
        self._tall = max(self._base_y - self._top, 1.0)
        self._knots = np.rint(np.linspace(0, self.size, min(_BANDS, self.size) + 1))
        seen = self._body[..., 3] > 0
        some = seen.any(axis=1)
        # Where the body begins and ends in each row; without body it ends before it begins.
        self._left = np.where(some, seen.argmax(axis=1), self.size)
        self._right = np.where(some, self.size - seen[:, ::-1].argmax(axis=1), 0)
        self._at_rest = self._compose(self.moved(BodyPose()), np.empty_like(self.background))

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

    def draw(self, moved: Moved, frame: Image) -> Image:
        """The moved body before its background, drawn into `frame`, [size, size, 3]."""
        if moved.is_rest:
            np.copyto(frame, self._at_rest)
            return frame
        return self._compose(moved, frame)

    def _compose(self, moved: Moved, frame: Image) -> Image:
        np.copyto(frame, self.background)
        far_x, far_y = (far + 1 for far in moved.reach)
        edges = self._knots.astype(int).tolist()
        for way, top, bottom in zip(moved.bands(), edges[:-1], edges[1:], strict=True):
            # Only where the body can have come to: often that is less than half of the picture.
            rows = slice(max(top - far_y, 0), bottom + far_y)
            left = max(int(self._left[rows].min()) - far_x, 0)
            right = min(int(self._right[rows].max()) + far_x, self.size)
            if left >= right:
                continue
            way[:, 2] += way[:, 0] * left
            layer = cv2.warpAffine(
                self._body,
                way,
                (right - left, bottom - top),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REPLICATE,
            )
            if self._is_opaque:
                cv2.cvtColor(layer, cv2.COLOR_RGBA2RGB, dst=frame[top:bottom, left:right])
            else:
                lay_over(frame[top:bottom, left:right], layer)
        return frame
