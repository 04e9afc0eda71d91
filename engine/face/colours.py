"""Colours of a drawn face: parsed, mixed, darkened. RGB triples of 0 to 255."""

from __future__ import annotations

from functools import lru_cache

Rgb = tuple[int, int, int]


@lru_cache(maxsize=256)
def parse(colour: str) -> Rgb:
    """`#rrggbb` as a triple."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


@lru_cache(maxsize=1024)
def mix(first: Rgb, second: Rgb, share: float) -> Rgb:
    """`first` with `share` (0 to 1) of `second` in it."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def darker(colour: Rgb, amount: float) -> Rgb:
    """Towards a warm black, so that shadows on skin and paper stay alive."""
    return mix(colour, (38, 18, 24), amount)


def lighter(colour: Rgb, amount: float) -> Rgb:
    """Towards white."""
    return mix(colour, (255, 252, 246), amount)


def luminance(colour: Rgb) -> float:
    """How bright it looks, 0 to 1 (Rec. 709 weights on the encoded values)."""
    return (0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]) / 255
