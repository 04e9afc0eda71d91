"""BodyWarp: moves a body without tearing it, and says where its face goes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.face.blend import lay_over
from engine.portrait.base import Image
from engine.talkinghead.performance import BodyPose

Affine = NDArray[np.float64]
_Way = tuple[tuple[float, float, float], tuple[float, float, float]]

_SWAY: Final = 0.032
"""How far the top of a body goes to the side at sway 1, in heights of the body."""
_LEAN: Final = 0.022
"""Radians at lean 1."""
_SQUASH: Final = 0.014
"""Change of height at squash 1."""
_BAND: Final = 128
"""Rows in which the bend is taken as straight: at 512 pixels it is, to a fifth of a pixel."""
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
    is_rest: bool

    @property
    def reach(self) -> tuple[int, int]:
        """Pixels by which anything is moved at most, to the side and up or down."""
        size = float(self.knots[-1])
        (a, b, x), (c, d, y) = self.linear.tolist()
        corners = ((0.0, 0.0), (size, 0.0), (0.0, size), (size, size))
        across = max(abs((a - 1) * u + b * v + x) for u, v in corners)
        down = max(abs(c * u + (d - 1) * v + y) for u, v in corners)
        return math.ceil(across + float(np.abs(self.bend).max())), math.ceil(down)

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

    def bands(self) -> Iterator[tuple[int, int, _Way]]:
        """Each band's first row, the row after its last, and its pixels' way to the portrait's.

        The way counts rows from the top of the band.
        """
        (a, b, x), (c, d, y) = cv2.invertAffineTransform(self.linear).tolist()
        for (top, bottom), (bend, after) in zip(
            pairwise(self.knots.tolist()), pairwise(self.bend.tolist()), strict=True
        ):
            slope = (after - bend) / (bottom - top)
            # Pixel centres lie half a pixel inside: there and back.
            across, down = 0.5 - bend - 0.5 * slope, top + 0.5
            way = (
                (a, b - a * slope, a * across + b * down + x - 0.5),
                (c, d - c * slope, c * across + d * down + y - 0.5),
            )
            yield int(top), int(bottom), way


class BodyWarp:
    """A body in front of a background; it never changes, so that threads may share it."""

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
        self._body = np.ascontiguousarray(np.dstack([premultiplied, 255 - alpha]).astype(np.uint8))
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
        self._knots = np.rint(np.linspace(0, self.size, max(self.size // _BAND, 1) + 1))
        height = np.clip((self._base_y - self._knots) / self._tall, 0, 1.3)
        self._lever = _SWAY * self._tall * height**1.7
        # Where the body begins and ends in each row; without body it ends before it begins.
        self._left, self._right = _outer(body[..., 3] > 0)
        # The longest piece of each row that hides everything behind it.
        self._solid_left, self._solid_right = _longest(body[..., 3] == 255)
        # By how far up and down; found when first asked for, the same whoever asks.
        self._found: dict[int, list[tuple[int, int, int, int]]] = {}
        self._at_rest = self._compose(self.moved(BodyPose()), np.empty_like(self.background))

    def moved(self, pose: BodyPose) -> Moved:
        """Where a pose brings the body."""
        tall = 1 + _SQUASH * pose.squash
        wide = 1 / math.sqrt(tall)
        cos, sin = math.cos(_LEAN * pose.lean), math.sin(_LEAN * pose.lean)
        # Turned like a picture on a nail: to the right is clockwise.
        a, b, c, d = cos * wide, -sin * tall, sin * wide, cos * tall
        x, y = self._base_x, self._base_y
        linear = np.array([[a, b, x - a * x - b * y], [c, d, y - c * x - d * y]])
        is_rest = not (pose.sway or pose.lean or pose.squash)
        return Moved(linear, self._knots, pose.sway * self._lever, is_rest)

    def draw(self, moved: Moved, frame: Image) -> Image:
        """The moved body before its background, drawn into `frame`, [size, size, 3]."""
        if moved.is_rest:
            np.copyto(frame, self._at_rest)
            return frame
        return self._compose(moved, frame)

    def _compose(self, moved: Moved, frame: Image) -> Image:
        far_x, far_y = (far + 1 for far in moved.reach)
        spans = self._spans(far_y)
        for (top, bottom, way), span in zip(moved.bands(), spans, strict=True):
            behind, target = self.background[top:bottom], frame[top:bottom]
            # Only where the body can have come to: often that is less than half of the picture.
            left, right = max(span[0] - far_x, 0), min(span[1] + far_x, self.size)
            if left >= right:
                np.copyto(target, behind)
                continue
            target[:, :left] = behind[:, :left]
            target[:, right:] = behind[:, right:]
            (a, b, x), (c, d, y) = way
            layer = cv2.warpAffine(
                self._body,
                np.array([[a, b, x + a * left], [c, d, y + c * left]]),
                (right - left, bottom - top),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REPLICATE,
            )
            # What is solid wherever it has come from needs no blending; a picture's edge goes on.
            first = span[2] + far_x if span[2] else left
            last = span[3] - far_x if span[3] < self.size else right
            if first >= last:
                first = last = right
            else:
                solid = layer[:, first - left : last - left]
                cv2.cvtColor(solid, cv2.COLOR_RGBA2RGB, dst=target[:, first:last])
            for start, end in ((left, first), (last, right)):
                if start < end:
                    part = layer[:, start - left : end - left]
                    lay_over(target[:, start:end], part, behind[:, start:end])
        return frame

    def _spans(self, far: int) -> list[tuple[int, int, int, int]]:
        """For each band, and rows up to `far` beside it: where the body begins, ends, is solid."""
        if far not in self._found:
            self._found[far] = [
                (
                    int(self._left[rows].min()),
                    int(self._right[rows].max()),
                    int(self._solid_left[rows].max()),
                    int(self._solid_right[rows].min()),
                )
                for top, bottom in pairwise(self._knots.astype(int).tolist())
                for rows in (slice(max(top - far, 0), bottom + far),)
            ]
        return self._found[far]


def _outer(body: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where each row begins and ends to be true; where it never is, it ends before it begins."""
    size, some = body.shape[1], body.any(axis=1)
    left = np.where(some, body.argmax(axis=1), size)
    return left, np.where(some, size - body[:, ::-1].argmax(axis=1), 0)


def _longest(body: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where the longest true piece of each row begins and ends; where there is none, both are 0."""
    length = np.zeros(body.shape[0], np.intp)
    best, end = length.copy(), length.copy()
    for column in range(body.shape[1]):
        length = (length + 1) * body[:, column]
        longer = length > best
        best[longer], end[longer] = length[longer], column + 1
    return end - best, end
