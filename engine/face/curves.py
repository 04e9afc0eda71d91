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
    line = np.empty((len(x), 2), np.float32)
    line[:, 0], line[:, 1] = x, y
    return line


def between(
    x: NDArray[np.float32], top: NDArray[np.float32], bottom: NDArray[np.float32]
) -> Points:
    """The closed area between two curves over the same `x`."""
    count = len(x)
    outline = np.empty((2 * count, 2), np.float32)
    outline[:count, 0], outline[:count, 1] = x, top
    outline[count:, 0], outline[count:, 1] = x[::-1], bottom[::-1]
    return outline


def ellipse(
    centre: tuple[float, float], radii: tuple[float, float], roll: float = 0.0, count: int = 36
) -> Points:
    """A closed ellipse, turned by `roll` radians."""
    cos, sin = math.cos(roll), math.sin(roll)
    axes = f32([[radii[0] * cos, radii[0] * sin], [-radii[1] * sin, radii[1] * cos], centre])
    return _circle(count) @ axes


@lru_cache(maxsize=8)
def _circle(count: int) -> NDArray[np.float32]:
    """Homogeneous points of the unit circle, [count, 3]."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False, dtype=np.float32)
    return np.stack([np.cos(angle), np.sin(angle), np.ones_like(angle)], axis=1)


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
    # A point is one complex number here: a quarter turn is a product with 1j.
    way = np.ascontiguousarray(line, np.float32).view(np.complex64)[:, 0]
    along = np.empty_like(way)
    along[1:-1] = way[2:] - way[:-2]
    along[0], along[-1] = way[1] - way[0], way[-1] - way[-2]
    along /= np.maximum(np.abs(along), np.float32(1e-6))
    normal = along * (_brush(len(way), *taper) * np.complex64(0.5j * width))
    end, start = way[-1] + normal[-1] * _cap(), way[0] - normal[0] * _cap()
    outline = np.concatenate([way + normal, end, (way - normal)[::-1], start])
    return outline.view(np.float32).reshape(-1, 2)


@lru_cache(maxsize=64)
def _brush(count: int, first: float, last: float) -> Points:
    """The width along a stroke, [count], 1 in the middle."""
    t = np.linspace(0, 1, count, dtype=np.float32)
    share = first * (1 - t) + last * t
    return f32(share + (1 - share) * np.sin(np.pi * t))


@lru_cache(maxsize=1)
def _cap() -> NDArray[np.complex64]:
    """The round end of a stroke: turns from one side of the brush to the other."""
    return np.asarray(np.exp(-1j * np.linspace(0, np.pi, 7)[1:-1]), np.complex64)
