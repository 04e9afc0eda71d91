"""The scenes that stand behind a persona, each painted from three colours and a seed.

A scene is soft, like what is out of focus, and quiet where the subject stands.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from engine.portrait.illustrated.palette import Lab, chroma, hue, lch, mix
from engine.portrait.illustrated.stage import Stage, Tones

Painter = Callable[[Stage, Tones], None]


def glow(stage: Stage, tones: Tones) -> None:
    """A studio backdrop, lit behind the subject."""
    stage.fade(tones.base, mix(tones.base, tones.accent, 0.25))
    stage.glow(0.5, 0.42, 0.52, tones.lighter(11), 0.9)


def bokeh(stage: Stage, tones: Tones) -> None:
    """Lights out of focus."""
    glow(stage, tones)
    for _ in range(16):
        x, y = _anywhere(stage)
        radius = stage.random.uniform(0.025, 0.085)
        colour = mix(tones.accent, tones.lighter(14), stage.random.uniform(0.2, 0.9))
        stage.disc((x, y), radius, colour, stage.random.uniform(0.25, 0.55), soft=0.02)


def rays(stage: Stage, tones: Tones) -> None:
    """A burst of light from behind: somebody important."""
    stage.fill(tones.base)
    angle = np.arctan2(stage.y - 0.46, stage.x - 0.5)
    turn = stage.random.uniform(0, np.pi)
    beams = np.clip(np.sin(angle * 11 + turn) * 9, -1, 1) * 0.5 + 0.5
    stage.lay(beams.astype(np.float32) * 0.55, mix(tones.base, tones.lighter(9), 0.9))
    stage.glow(0.5, 0.46, 0.45, tones.lighter(12), 0.75)


def dots(stage: Stage, tones: Tones) -> None:
    """Patterned paper: dots in rows."""
    stage.fill(tones.base)
    step = float(stage.random.choice([0.09, 0.11, 0.13]))
    row = np.floor(stage.y / step)
    x = (stage.x / step + 0.5 * (row % 2)) % 1 - 0.5
    y = (stage.y / step) % 1 - 0.5
    cover = np.clip((0.2 - np.hypot(x, y)) * step * stage.size * 0.8 + 0.5, 0, 1)
    stage.lay(cover.astype(np.float32) * 0.75, mix(tones.base, tones.lighter(10), 0.9))
    stage.glow(0.5, 0.5, 0.5, tones.lighter(6), 0.5)


def stripes(stage: Stage, tones: Tones) -> None:
    """Patterned paper: broad slanting stripes."""
    stage.fill(tones.base)
    wave = np.sin((stage.x + stage.y) * 2 * np.pi * float(stage.random.integers(5, 9)))
    cover = np.clip(wave * stage.size * 0.02 + 0.5, 0, 1).astype(np.float32)
    stage.lay(cover * 0.6, mix(tones.base, tones.lighter(8), 0.8))
    stage.glow(0.5, 0.5, 0.5, tones.lighter(7), 0.5)


def confetti(stage: Stage, tones: Tones) -> None:
    """A party is going on."""
    stage.fade(tones.lighter(6), tones.base)
    start = float(stage.random.uniform(0, 360))
    for number in range(44):
        x, y = _anywhere(stage)
        if np.hypot(x - 0.5, y - 0.52) < 0.3:
            continue
        turn = stage.random.uniform(0, np.pi)
        colour = lch(68 if tones.dark else 74, 42, start + number * 67)
        stage.box(x - 0.017, y - 0.008, x + 0.017, y + 0.008, colour, 0.85, turn)
    stage.glow(0.5, 0.48, 0.4, tones.lighter(9), 0.6)


def sky(stage: Stage, tones: Tones) -> None:
    """Clouds."""
    top = lch(40, 30, 275) if tones.dark else lch(72, 26, 255)
    stage.fade(top, lch(58, 26, 290) if tones.dark else lch(92, 8, 225))
    _clouds(stage, lch(66, 12, 290) if tones.dark else lch(98, 1, 250), 5)


def meadow(stage: Stage, tones: Tones) -> None:
    """Hills in the sun."""
    top = lch(52, 24, 245) if tones.dark else lch(78, 22, 240)
    stage.fade(top, lch(70, 20, 210) if tones.dark else lch(94, 8, 200), 0, 0.7)
    _clouds(stage, lch(97, 2, 200), 2)
    for step, (height, hills) in enumerate(((0.60, 1.1), (0.68, 0.8), (0.78, 0.6))):
        green = lch((46 if tones.dark else 74) - 5 * step, 38, 128 - 4 * step)
        stage.lay(stage.below(stage.hills(height, 0.025, hills), 0.006), green)
    for _ in range(26):
        x, y = stage.random.uniform(0, 1), stage.random.uniform(0.8, 1)
        petal = (lch(97, 4, 90), lch(86, 55, 88), lch(72, 42, 5))[int(stage.random.integers(3))]
        stage.disc((x, y), 0.006 + 0.008 * (y - 0.8) / 0.2, petal)


def forest(stage: Stage, tones: Tones) -> None:
    """Trunks in green light."""
    stage.fade(lch(48, 24, 140) if tones.dark else lch(84, 24, 125), lch(62, 28, 130))
    stage.glow(0.5, 0.3, 0.5, lch(90, 26, 110), 0.7)
    for depth in (0.35, 0.6, 0.85):
        for _ in range(5):
            x, width = stage.random.uniform(0, 1), 0.015 + 0.028 * depth
            cover = np.clip((width - np.abs(stage.x - x)) / 0.006, 0, 1).astype(np.float32)
            stage.lay(cover * depth * 0.55, lch(44, 18, 110))
    stage.lay(stage.below(stage.hills(0.83, 0.015, 0.9), 0.01), lch(46, 32, 128))


def room(stage: Stage, tones: Tones) -> None:
    """A wall, a floor, light from a window."""
    stage.fade(tones.lighter(5), tones.base)
    slant = stage.x + 0.32 * stage.y
    pane = (np.abs(slant - 0.36) < 0.12) | (np.abs(slant - 0.63) < 0.12)
    light = (pane & (stage.y > 0.06) & (stage.y < 0.62)).astype(np.float32)
    light *= (np.abs(stage.y - 0.34) > 0.012).astype(np.float32)
    stage.lay(cv2.GaussianBlur(light, (0, 0), stage.size * 0.008) * 0.55, tones.lighter(12))
    floor = stage.below(0.8)
    wood = lch(34 if tones.dark else 58, 28, 66)
    stage.lay(floor, wood)
    seams = np.clip(np.sin((stage.x - 0.5) / (stage.y - 0.35) * 22) * 24 - 22.6, 0, 1)
    stage.lay((floor * seams).astype(np.float32) * 0.5, mix(wood, lch(20, 10, 60), 0.4))
    board = stage.below(0.77) * (1 - floor)
    stage.lay(board, lch(60 if tones.dark else 94, 4, 80))


def desk(stage: Stage, tones: Tones) -> None:
    """An office after the others have gone."""
    stage.fade(tones.lighter(4), tones.base)
    shelf = mix(tones.base, lch(40, 20, 65), 0.45)
    for height in (0.2, 0.47):
        x = -0.02
        while x < 1:
            width, tall = stage.random.uniform(0.02, 0.05), stage.random.uniform(0.09, 0.15)
            if stage.random.random() < 0.8:
                shade = float(tones.base[0]) - stage.random.uniform(2, 16)
                book = lch(shade, 18, stage.random.uniform(0, 360))
                stage.box(x, height - tall, x + width * 0.92, height, book, 0.8)
            x += width
        stage.box(-0.1, height, 1.1, height + 0.016, shelf)
    stage.lay(stage.below(0.82), lch(36 if tones.dark else 62, 28, 66))
    stage.glow(0.5, 0.42, 0.4, tones.lighter(6), 0.75)


def night(stage: Stage, tones: Tones) -> None:
    """Stars and a moon."""
    stage.fade(lch(16, 26, 285), lch(38, 30, 300))
    for _ in range(60):
        x, y = _anywhere(stage)
        size = stage.random.uniform(0.0012, 0.0035)
        stage.disc((x, y), size, lch(95, 8, 90), stage.random.uniform(0.5, 1))
    side = 0.17 if stage.random.random() < 0.5 else 0.83
    stage.glow(side, 0.16, 0.2, lch(70, 20, 290), 0.6)
    stage.disc((side, 0.16), 0.065, lch(94, 12, 92))
    stage.glow(0.5, 0.55, 0.42, lch(52, 26, 295), 0.6)


def sea(stage: Stage, tones: Tones) -> None:
    """The horizon, and waves before it."""
    stage.fade(lch(50, 24, 255) if tones.dark else lch(80, 18, 240), lch(92, 12, 80), 0, 0.62)
    _clouds(stage, lch(97, 3, 90), 2)
    for step in range(5):
        line = (
            0.6
            + 0.085 * step
            + 0.008 * np.sin(stage.x[:1] * (34 - 4 * step) + stage.random.uniform(0, 6))
        )
        shade = lch((56 if tones.dark else 70) - 5.5 * step, 27, 238 + 2 * step)
        stage.lay(stage.below(line.astype(np.float32)), shade)


def underwater(stage: Stage, tones: Tones) -> None:
    """Light from above, bubbles."""
    stage.fade(lch(78, 28, 212), lch(34, 30, 255) if tones.dark else lch(50, 32, 245))
    fan = np.sin((stage.x - 0.5) / (stage.y + 0.35) * 15 + stage.random.uniform(0, 6))
    stage.lay(
        (np.clip(fan, 0, 1) * np.clip(0.9 - stage.y, 0, 1) * 0.4).astype(np.float32),
        lch(94, 12, 200),
    )
    for _ in range(22):
        x, y = _anywhere(stage)
        radius = stage.random.uniform(0.006, 0.022)
        stage.disc((x, y), radius, lch(97, 6, 210), 0.12)
        stage.disc((x, y), radius, lch(97, 6, 210), 0.6, hole=radius * 0.78)


def snow(stage: Stage, tones: Tones) -> None:
    """Winter, still falling."""
    stage.fade(lch(46, 20, 265) if tones.dark else lch(70, 18, 255), lch(84, 10, 260))
    stage.lay(stage.below(stage.hills(0.74, 0.02, 0.8), 0.008), lch(88, 6, 260))
    stage.lay(stage.below(stage.hills(0.84, 0.018, 0.6), 0.008), lch(95, 3, 260))
    for _ in range(70):
        x, y = _anywhere(stage)
        stage.disc((x, y), stage.random.uniform(0.003, 0.009), lch(98, 1, 260), 0.9, soft=0.005)


def desert(stage: Stage, tones: Tones) -> None:
    """Dunes under a wide sky."""
    stage.fade(lch(60, 22, 265) if tones.dark else lch(84, 14, 235), lch(92, 20, 75), 0, 0.7)
    stage.glow(0.78, 0.22, 0.1, lch(97, 22, 90), 1.0)
    for step, height in enumerate((0.64, 0.74, 0.85)):
        shade = lch((58 if tones.dark else 80) - 6 * step, 36, 74 - 3 * step)
        stage.lay(stage.below(stage.hills(height, 0.03, 0.5 + 0.2 * step), 0.004), shade)


def dusk(stage: Stage, tones: Tones) -> None:
    """The last light, over a town."""
    stage.fade(lch(30, 32, 300), lch(74, 42, 55), 0, 0.85)
    stage.glow(0.5, 0.75, 0.4, lch(86, 40, 75), 0.7)
    x = -0.02
    while x < 1:
        width, tall = stage.random.uniform(0.06, 0.13), stage.random.uniform(0.08, 0.24)
        stage.box(x, 1 - tall, x + width, 1.1, lch(22, 24, 305))
        for row in np.arange(1 - tall + 0.025, 0.99, 0.045):
            for column in np.arange(x + 0.015, x + width - 0.02, 0.03):
                if stage.random.random() < 0.4:
                    stage.box(column, row, column + 0.012, row + 0.018, lch(84, 50, 82))
        x += width + 0.004


def rain(stage: Stage, tones: Tones) -> None:
    """One of those days."""
    stage.fade(lch(42, 14, 262) if tones.dark else lch(60, 14, 258), lch(78, 10, 250))
    _clouds(stage, lch(66, 8, 260), 4)
    for _ in range(54):
        x, y = _anywhere(stage)
        stage.box(x - 0.0022, y - 0.026, x + 0.0022, y + 0.026, lch(92, 8, 240), 0.6, turn=0.18)


def kitchen(stage: Stage, tones: Tones) -> None:
    """Tiles and a worktop."""
    stage.fade(tones.lighter(7), tones.base)
    step = 0.145
    x, y = (stage.x / step) % 1, (stage.y / step) % 1
    seam = np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y)) * step
    stage.lay(np.clip(1 - seam / 0.004, 0, 1).astype(np.float32) * 0.8, tones.lighter(15))
    stage.lay(stage.below(0.82), lch(40 if tones.dark else 70, 24, 70))
    stage.lay(stage.below(0.82) - stage.below(0.835), lch(50 if tones.dark else 84, 16, 75))
    stage.glow(0.5, 0.4, 0.45, tones.lighter(9), 0.5)


def curtain(stage: Stage, tones: Tones) -> None:
    """A stage, and a spotlight on it."""
    red = (
        lch(30, 46, 25) if abs((hue(tones.base) - 25 + 180) % 360 - 180) < 90 else lch(28, 34, 300)
    )
    folds = np.sin(stage.x * 52 + 0.8 * np.sin(stage.y * 3)) * 0.5 + 0.5
    stage.fill(red)
    stage.lay((folds**2).astype(np.float32) * 0.55, lch(float(red[0]) + 13, chroma(red), hue(red)))
    stage.lay(stage.below(0.86), lch(40, 26, 62))
    stage.glow(0.5, 0.5, 0.42, lch(72, 22, 75), 0.75)


def _anywhere(stage: Stage) -> tuple[float, float]:
    return float(stage.random.uniform(0, 1)), float(stage.random.uniform(0, 1))


def _clouds(stage: Stage, colour: Lab, count: int) -> None:
    """Heaps of discs, flat below."""
    for _ in range(count):
        x, y = stage.random.uniform(0, 1), stage.random.uniform(0.08, 0.42)
        size = stage.random.uniform(0.05, 0.085)
        rows = slice(max(0, int((y - 1.3 * size) * stage.size)), int((y + 0.5 * size) * stage.size))
        cover = np.zeros((rows.stop - rows.start, stage.size), np.float32)
        for offset, radius in ((-1.3, 0.6), (-0.5, 0.95), (0.45, 1.1), (1.25, 0.7)):
            distance = np.hypot(stage.x[rows] - x - offset * size, stage.y[rows] - y)
            cover = np.maximum(cover, np.clip((radius * size - distance) / 0.012 + 0.5, 0, 1))
        cover *= np.clip((y + 0.35 * size - stage.y[rows]) / 0.012 + 0.5, 0, 1)
        stage.lay_rows(rows, cover * 0.85, colour)


SCENES: dict[str, Painter] = {
    painter.__name__: painter
    for painter in (
        glow, bokeh, rays, dots, stripes, confetti, sky, meadow, forest, room, desk, night, sea,
        underwater, snow, desert, dusk, rain, kitchen, curtain,
    )
}  # fmt: skip
"""By name."""
