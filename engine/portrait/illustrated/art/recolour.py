"""Paints a picture in the colour that was asked for: a blue teapot."""

from __future__ import annotations

import colorsys
import re

import numpy as np

from engine.portrait.base import Image
from engine.portrait.illustrated.art.concepts import Concept
from engine.portrait.illustrated.art.words import COLOURS, Phrase

PAINTS = frozenset(
    {"red", "crimson", "scarlet", "maroon", "burgundy", "pink", "magenta", "orange", "yellow"}
    | {"golden", "gold", "green", "emerald", "teal", "turquoise", "blue", "navy", "indigo"}
    | {"violet", "purple", "brown", "black", "white", "grey", "gray", "silver", "beige"}
)
"""Words that are nothing but colours: an olive tree is not painted olive."""

NEAR = 0.11
"""Hues that count as the same paint, in turns of the colour wheel."""

GREY = 0.16
"""Saturation below which a colour has no hue to speak of."""

_HEX = re.compile(r"#([0-9a-fA-F]{6}|[0-9a-fA-F]{3})\b")
Hls = tuple[float, float, float]


def wanted_paint(phrase: Phrase, concept: Concept) -> str | None:
    """The colour that a subject asks for, as `#rrggbb`.

    None where it asks for none, and where the colour belongs to the name: a green apple.
    """
    names = {word for name in (concept.name, *concept.aliases) for word in name.split()}
    asked = [w for w in phrase.words[:-1] if w in PAINTS and w not in names]
    return COLOURS[asked[-1]] if asked else None


def repaint(svg: str, rgba: Image, paint: str) -> str:
    """The same document with its main paint exchanged; shades stay shades.

    Args:
        svg: what is to be painted.
        rgba: how it looks, [height, width, 4].
        paint: the new colour, `#rrggbb`.
    """
    target = _hls(paint[1:])
    main = _main_paint(rgba)
    if main is None:
        return svg

    def exchange(found: re.Match[str]) -> str:
        colour = _hls(found.group(1))
        if not _same_paint(colour, main):
            return found.group(0)
        lightness = min(0.97, max(0.04, target[1] + (colour[1] - main[1]) * 0.9))
        saturation = target[2] if main[2] < GREY else target[2] * min(1.2, colour[2] / main[2])
        red, green, blue = colorsys.hls_to_rgb(target[0], lightness, min(1.0, saturation))
        return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"

    return _HEX.sub(exchange, svg)


def _main_paint(rgba: Image) -> Hls | None:
    """The colour that covers most, as its typical shade; ink and paper do not count."""
    small = rgba[::4, ::4].reshape(-1, 4)
    opaque = small[small[:, 3] > 200][:, :3]
    colours = [_of(pixel) for pixel in opaque]
    paints = [c for c in colours if 0.12 < c[1] < 0.97]
    if not paints:
        return None
    hues = np.histogram([c[0] for c in paints if c[2] >= GREY], bins=24, range=(0, 1))[0]
    around = hues + np.roll(hues, 1) + np.roll(hues, -1)
    greys = [c for c in paints if c[2] < GREY]
    if len(greys) > around.max():
        chosen = greys
    else:
        hue = (float(around.argmax()) + 0.5) / 24
        chosen = [c for c in paints if c[2] >= GREY and _apart(c[0], hue) <= 1.5 / 24 + 1e-6]
    middle = np.median(np.array(chosen), axis=0)
    return float(middle[0]), float(middle[1]), float(middle[2])


def _same_paint(colour: Hls, main: Hls) -> bool:
    if not 0.08 < colour[1] < 0.985:
        return False
    if main[2] < GREY:
        return colour[2] < GREY + 0.08
    return colour[2] >= GREY * 0.7 and _apart(colour[0], main[0]) < NEAR


def _apart(one: float, other: float) -> float:
    """The distance of two hues around the wheel."""
    distance = abs(one - other) % 1.0
    return min(distance, 1.0 - distance)


def _hls(digits: str) -> Hls:
    if len(digits) == 3:
        digits = "".join(2 * digit for digit in digits)
    return _of(np.frombuffer(bytes.fromhex(digits), np.uint8))


def _of(pixel: Image) -> Hls:
    red, green, blue = (float(part) / 255 for part in pixel)
    return colorsys.rgb_to_hls(red, green, blue)
