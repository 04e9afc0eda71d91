"""Colours by how they look: CIELAB, differences people can see, palettes of pictures.

A colour is `#rrggbb` outside and [3] float L, a, b inside: L from 0 to 100, a and b about -100 to
100. A difference of 2.3 is just seen; lines want 25 and more against what they are drawn on.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.portrait.base import Image

Lab = NDArray[np.float32]


def lab_image(rgb: Image) -> Lab:
    """[h, w, 3] float32 CIELAB of the first three channels of an 8-bit picture."""
    scaled = np.ascontiguousarray(rgb[..., :3]).astype(np.float32) / 255
    return np.asarray(cv2.cvtColor(scaled, cv2.COLOR_RGB2LAB), np.float32)


def rgb_image(lab: Lab) -> Image:
    """[h, w, 3] uint8 RGB of a CIELAB picture; what no screen can show is clipped."""
    rgb = cv2.cvtColor(np.ascontiguousarray(lab, np.float32), cv2.COLOR_LAB2RGB)
    return (np.clip(rgb, 0, 1) * 255 + 0.5).astype(np.uint8)


def lab_of(colour: str) -> Lab:
    """CIELAB of `#rrggbb`."""
    rgb = np.array([[[int(colour[i : i + 2], 16) for i in (1, 3, 5)]]], np.uint8)
    return np.asarray(lab_image(rgb)[0, 0], np.float32)


def hex_of(lab: Lab) -> str:
    """`#rrggbb` of a CIELAB colour."""
    red, green, blue = rgb_image(np.asarray(lab, np.float32).reshape(1, 1, 3))[0, 0]
    return f"#{red:02x}{green:02x}{blue:02x}"


def rgb_of(colour: str) -> tuple[int, int, int]:
    """Red, green and blue, 0 to 255, of `#rrggbb`."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def lch(lightness: float, chroma: float, hue: float) -> Lab:
    """CIELAB of a lightness, a strength and a hue in degrees (0 pink, 90 yellow, 270 blue)."""
    angle = math.radians(hue)
    return np.array([lightness, chroma * math.cos(angle), chroma * math.sin(angle)], np.float32)


def chroma(lab: Lab) -> float:
    """How colourful: 0 grey, 100 screaming."""
    return math.hypot(float(lab[1]), float(lab[2]))


def hue(lab: Lab) -> float:
    """Degrees, 0 to 360; of greys, whatever is left."""
    return math.degrees(math.atan2(float(lab[2]), float(lab[1]))) % 360


def difference(one: Lab, other: Lab) -> float:
    """How different two colours look (CIE76)."""
    return float(np.linalg.norm(np.asarray(one) - np.asarray(other)))


def mix(one: Lab, other: Lab, share: float) -> Lab:
    """`one` with `share` of `other` in it, 0 to 1."""
    return np.asarray(one * (1 - share) + other * share, np.float32)


def palette(rgba: Image, count: int = 6) -> list[tuple[Lab, float]]:
    """The main colours of what can be seen, each with its share, most common first.

    Deterministic: colours are gathered in coarse boxes, then near boxes are joined.

    Args:
        rgba: a picture; only pixels of alpha above one half count.
        count: how many colours at most.
    """
    step = max(1, max(rgba.shape[:2]) // 96)
    small = rgba[::step, ::step]
    seen = lab_image(small)[small[..., 3] > 127]
    if not len(seen):
        return []
    boxes = np.round(seen / 12).astype(np.int64)
    keys = (boxes[:, 0] * 1_000 + boxes[:, 1] + 100) * 1_000 + boxes[:, 2] + 100
    _, index, sizes = np.unique(keys, return_inverse=True, return_counts=True)
    means = np.stack(
        [np.bincount(index, seen[:, channel]) / sizes for channel in range(3)], axis=1
    ).astype(np.float32)
    found: list[tuple[Lab, float]] = []
    for box in np.argsort(-sizes, kind="stable"):
        share = float(sizes[box] / len(seen))
        for place, (colour, weight) in enumerate(found):
            if difference(colour, means[box]) < 18:
                found[place] = (colour, weight + share)
                break
        else:
            found.append((means[box], share))
    return sorted(found, key=lambda entry: -entry[1])[:count]
