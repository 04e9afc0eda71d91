"""The canvas that scenes are painted on, and the colours they are painted with."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.portrait.illustrated.palette import Lab, chroma, hue, lch, rgb_image

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Tones:
    """The colours of a scene.

    Attributes:
        base: most of the picture.
        accent: what is drawn on it.
        dark: the scene lies in the dark, because the subject is light.
    """

    base: Lab
    accent: Lab
    dark: bool

    def lighter(self, amount: float) -> Lab:
        """The base, lighter by so much L."""
        return lch(min(float(self.base[0]) + amount, 97), chroma(self.base), hue(self.base))


class Stage:
    """A square CIELAB canvas with its coordinates; lengths are in widths of the picture."""

    def __init__(self, size: int, seed: int) -> None:
        self.size = size
        self.random = np.random.default_rng(seed)
        axis = (np.arange(size, dtype=np.float32) + 0.5) / size
        self.x, self.y = np.meshgrid(axis, axis)
        self.lab: Floats = np.zeros((size, size, 3), np.float32)

    def fill(self, colour: Lab) -> None:
        """One colour everywhere."""
        self.lab[:] = colour

    def fade(self, top: Lab, bottom: Lab, start: float = 0.0, end: float = 1.0) -> None:
        """From one colour to another, downwards between two heights."""
        share = np.clip((self.y - start) / (end - start), 0, 1)[..., None]
        self.lab[:] = top * (1 - share) + bottom * share

    def lay(self, cover: Floats, colour: Lab) -> None:
        """Mixes a colour in where `cover` (0 to 1) says."""
        self.lab += (colour - self.lab) * cover[..., None]

    def lay_rows(self, rows: slice, cover: Floats, colour: Lab) -> None:
        """Likewise, in some rows only."""
        self._lay_in(rows, slice(None), cover, colour)

    def glow(self, x: float, y: float, radius: float, colour: Lab, strength: float) -> None:
        """A soft light around a point."""
        distance = ((self.x - x) ** 2 + (self.y - y) ** 2) / radius**2
        self.lay((strength * np.exp(-1.6 * distance)).astype(np.float32), colour)

    def disc(
        self,
        at: tuple[float, float],
        radius: float,
        colour: Lab,
        strength: float = 1.0,
        soft: float = 0.003,
        hole: float = 0.0,
    ) -> None:
        """A disc, or a ring around a hole of that radius, whose edge is `soft` wide."""
        rows, columns = self._window(at, radius + soft)
        distance = np.hypot(self.x[rows, columns] - at[0], self.y[rows, columns] - at[1])
        edge = max(soft, 1 / self.size)
        cover = np.clip((radius - distance) / edge + 0.5, 0, 1)
        if hole > 0:
            cover *= np.clip((distance - hole) / edge + 0.5, 0, 1)
        self._lay_in(rows, columns, (cover * strength).astype(np.float32), colour)

    def box(
        self,
        left: float,
        top: float,
        right: float,
        bottom: float,
        colour: Lab,
        strength: float = 1.0,
        turn: float = 0.0,
    ) -> None:
        """A rectangle, turned about its middle by so many radians."""
        centre = ((left + right) / 2, (top + bottom) / 2)
        rows, columns = self._window(centre, float(np.hypot(right - left, bottom - top)) / 2 + 0.01)
        x, y = self.x[rows, columns] - centre[0], self.y[rows, columns] - centre[1]
        along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
        cover = np.clip(((right - left) / 2 - np.abs(along)) * self.size + 0.5, 0, 1)
        cover = cover * np.clip(((bottom - top) / 2 - np.abs(across)) * self.size + 0.5, 0, 1)
        self._lay_in(rows, columns, (cover * strength).astype(np.float32), colour)

    def _window(self, at: tuple[float, float], reach: float) -> tuple[slice, slice]:
        def span(middle: float) -> slice:
            low, high = (middle - reach) * self.size, (middle + reach) * self.size
            return slice(max(0, int(low) - 1), max(0, min(self.size, int(high) + 2)))

        return span(at[1]), span(at[0])

    def _lay_in(self, rows: slice, columns: slice, cover: Floats, colour: Lab) -> None:
        part = self.lab[rows, columns]
        part += (colour - part) * cover[..., None].astype(np.float32)

    def below(self, line: Floats | float, soft: float = 0.0) -> Floats:
        """Cover of all that lies below a height, which may differ from column to column."""
        return np.clip((self.y - line) / max(soft, 1.5 / self.size) + 0.5, 0, 1).astype(np.float32)

    def hills(self, height: float, swing: float, waves: float) -> Floats:
        """A rolling line, [1, size]."""
        phase = self.random.uniform(0, 2 * np.pi, 3)
        x = self.x[:1] * 2 * np.pi
        line = np.sin(x * waves + phase[0]) + 0.5 * np.sin(x * waves * 1.7 + phase[1])
        return np.asarray(height + swing * (line + 0.25 * np.sin(x * waves * 3.1 + phase[2])))

    def blur(self, radius: float) -> None:
        """Takes the scene out of focus."""
        if radius > 0:
            blurred = cv2.GaussianBlur(self.lab, (0, 0), max(radius * self.size, 0.1))
            self.lab = np.asarray(blurred, np.float32)

    def rgb(self) -> NDArray[np.uint8]:
        """The picture, with a trace of grain so that gradients do not band."""
        grain = self.random.normal(0, 0.35, self.lab.shape[:2])[..., None]
        return rgb_image((self.lab + grain * np.array([1, 0, 0])).astype(np.float32))
