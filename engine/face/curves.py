"""Outlines: smooth curves and tapered strokes as polygons. Points are [n, 2] float32 arrays."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

Points = NDArray[np.float32]


def f32(values: ArrayLike) -> Points:
    """Numbers as float32: a whole array, or a bare number that keeps others float32."""
    return np.asarray(values, np.float32)


@lru_cache(maxsize=16)
def span(count: int) -> NDArray[np.float32]:
    """`count` values from -1 to 1, denser at the ends where outlines turn. Do not write to it."""
    return np.asarray(-np.cos(np.linspace(0, np.pi, count)), np.float32)


def points(x: NDArray[np.float32], y: NDArray[np.float32]) -> Points:
    """A polyline of two coordinate arrays."""
    return np.stack([x, y], axis=1).astype(np.float32, copy=False)


def between(
    x: NDArray[np.float32], top: NDArray[np.float32], bottom: NDArray[np.float32]
) -> Points:
    """The closed area between two curves over the same `x`."""
    return np.concatenate([points(x, top), points(x[::-1], bottom[::-1])])


def ellipse(
    centre: tuple[float, float], radii: tuple[float, float], roll: float = 0.0, count: int = 36
) -> Points:
    """A closed ellipse, turned by `roll` radians."""
    cos, sin = math.cos(roll), math.sin(roll)
    axes = f32([[radii[0] * cos, radii[0] * sin], [-radii[1] * sin, radii[1] * cos]])
    return _circle(count) @ axes + f32(centre)


@lru_cache(maxsize=4)
def _circle(count: int) -> Points:
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False, dtype=np.float32)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def smooth(control: Points, steps: int = 8) -> Points:
    """A Catmull-Rom curve through the control points, from the first to the last."""
    padded = np.concatenate(
        [2 * control[:1] - control[1:2], control, 2 * control[-1:] - control[-2:-1]]
    )
    t = np.linspace(0, 1, steps, endpoint=False, dtype=np.float32)[None, :, None]
    a, b, c, d = (padded[i : len(padded) - 3 + i, None, :] for i in range(4))
    curve = 0.5 * (
        2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
    )
    return np.concatenate([curve.reshape(-1, 2), control[-1:]]).astype(np.float32)


def stroke(line: Points, width: float, taper: tuple[float, float] = (1.0, 1.0)) -> Points:
    """The outline of a line drawn with a round brush.

    Args:
        line: the way of the brush.
        width: in the middle of the line.
        taper: the width at the first and at the last point, as a share of `width`.
    """
    along = np.empty_like(line)
    along[1:-1] = line[2:] - line[:-2]
    along[0], along[-1] = line[1] - line[0], line[-1] - line[-2]
    along /= np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-6)[:, None]
    normal = np.empty_like(along)
    normal[:, 0], normal[:, 1] = -along[:, 1], along[:, 0]
    half = f32(0.5 * width) * _brush(len(line), *taper)
    normal *= half
    cos, sin = _cap()
    end = line[-1] + normal[-1] * cos + along[-1] * half[-1] * sin
    start = line[0] - normal[0] * cos - along[0] * half[0] * sin
    return np.concatenate([line + normal, end, (line - normal)[::-1], start])


@lru_cache(maxsize=64)
def _brush(count: int, first: float, last: float) -> Points:
    """The width along a stroke, [count, 1], 1 in the middle."""
    t = np.linspace(0, 1, count, dtype=np.float32)
    share = first * (1 - t) + last * t
    return f32(share + (1 - share) * np.sin(np.pi * t))[:, None]


@lru_cache(maxsize=1)
def _cap() -> tuple[Points, Points]:
    """The round end of a stroke: cosines and sines, [5, 1] each."""
    angle = np.linspace(0, np.pi, 7, dtype=np.float32)[1:-1, None]
    return np.cos(angle), np.sin(angle)
