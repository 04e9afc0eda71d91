"""The melody of recorded speech: how high each moment is, and where each period begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
Floats = NDArray[np.floating]

_LOWEST, _HIGHEST = 60.0, 520.0
_HOP_SECONDS = 0.008
_WINDOW_SECONDS = 0.04
_STEPS_AN_OCTAVE = 36
_FASTEST_STEPS = 5
"""Of the grid that the melody may go in one hop."""
_JUMP_COST = 0.04
_LOW_COST = 0.06
"""An octave lower fits as well: the higher one is meant."""
_VOICED = 0.5
_QUIETEST = 0.03
UNVOICED_STEP: Final = 0.005
"""Seconds between two marks where there is no period."""


@dataclass(frozen=True)
class Melody:
    """The pitch of a recording.

    Attributes:
        times: [n] seconds.
        hertz: [n] the pitch, without holes: between voiced stretches it is interpolated.
        voiced: [n] whether there is one.
    """

    times: Floats
    hertz: Floats
    voiced: NDArray[np.bool_]

    @property
    def middle(self) -> float:
        """Median of the voiced parts, in Hz; 0 where there are none."""
        return float(np.median(self.hertz[self.voiced])) if self.voiced.any() else 0.0

    def at(self, seconds: float) -> tuple[float, bool]:
        """Pitch in Hz and whether it is voiced at a time."""
        index = min(int(seconds / _HOP_SECONDS + 0.5), len(self.times) - 1)
        return float(self.hertz[index]), bool(self.voiced[index])


def melody_of(samples: Samples, sample_rate: int) -> Melody:
    """Finds the pitch by autocorrelation; of all ways through its peaks the steadiest.

    Args:
        samples: [n] float32 mono.
        sample_rate: Hz.
    """
    hop, size = round(_HOP_SECONDS * sample_rate), round(_WINDOW_SECONDS * sample_rate)
    padded = np.pad(samples, (size // 2, size)).astype(np.float32)
    count = len(samples) // hop + 1
    windows = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop][:count]
    octaves = np.log2(_HIGHEST / _LOWEST)
    grid = _LOWEST * 2 ** (np.arange(int(octaves * _STEPS_AN_OCTAVE) + 1) / _STEPS_AN_OCTAVE)
    strength = np.empty((count, len(grid)), np.float32)
    lags = sample_rate / grid
    below = lags.astype(np.int64)
    share = (lags - below).astype(np.float32)
    window = np.hanning(size).astype(np.float32)
    length = 1 << (2 * size - 1).bit_length()
    own = np.fft.irfft(np.abs(np.fft.rfft(window, length)) ** 2, length)[:size]
    for start in range(0, count, 512):
        part = windows[start : start + 512]
        part = (part - part.mean(axis=1, keepdims=True)) * window
        spectra = np.fft.rfft(part, length, axis=1)
        both = np.fft.irfft(np.abs(spectra) ** 2, length, axis=1)[:, :size] / own
        both /= np.maximum(both[:, :1], 1e-9)
        strength[start : start + 512] = both[:, below] * (1 - share) + both[:, below + 1] * share
    level = np.sqrt((windows**2).mean(axis=1))
    loud = level > _QUIETEST * max(float(np.quantile(level, 0.98)), 1e-9)
    path = _steadiest(strength - _LOW_COST * (np.log2(_HIGHEST / grid)).astype(np.float32))
    rows = np.arange(count)
    voiced = loud & (strength[rows, path] > _VOICED)
    voiced = _without_specks(voiced)
    hertz = grid[path]
    if voiced.any():
        hertz = np.exp(np.interp(rows, rows[voiced], np.log(hertz[voiced])))
    return Melody(rows * _HOP_SECONDS, hertz, voiced)


def marks_of(
    samples: Samples, sample_rate: int, melody: Melody
) -> tuple[NDArray[np.int64], Floats]:
    """Where the periods are: [n] indices of samples, and how long each one is, in samples.

    In voiced parts they are one period apart and at the same point of each; elsewhere they are
    `UNVOICED_STEP` apart, and their periods are negative.
    """
    smooth = np.convolve(samples, np.hanning(max(3, int(0.001 * sample_rate))), mode="same")
    if float((smooth**3).mean()) < 0:
        smooth = -smooth
    step = round(UNVOICED_STEP * sample_rate)
    marks: list[int] = []
    periods: list[float] = []
    at, was_voiced = 0, False
    while at < len(samples):
        hertz, voiced = melody.at(at / sample_rate)
        if not voiced:
            marks.append(at)
            periods.append(-float(step))
            at, was_voiced = at + step, False
            continue
        period = sample_rate / hertz
        # at first anywhere in the period; then near where the next one should be
        reach = (0.18 if was_voiced else 0.5) * period
        low = max(0, round(at - reach), marks[-1] + 1 if marks else 0)
        high = min(len(samples), round(at + reach) + 1)
        if high > low:
            at = low + int(np.argmax(smooth[low:high]))
        marks.append(at)
        periods.append(period)
        at, was_voiced = at + round(period), True
    return np.array(marks, np.int64), np.array(periods)


def _steadiest(strength: NDArray[np.float32]) -> NDArray[np.int64]:
    """[n] one column for each row: strong, and without jumps."""
    count, columns = strength.shape
    reach = _FASTEST_STEPS
    costs = (np.abs(np.arange(-reach, reach + 1)) * _JUMP_COST).astype(np.float32)[:, None]
    came = np.zeros((count, columns), np.int8)
    total = strength[0]
    for row in range(1, count):
        padded = np.pad(total, reach, constant_values=-1e9)
        around = np.lib.stride_tricks.sliding_window_view(padded, columns) - costs
        came[row] = around.argmax(axis=0) - reach
        total = around.max(axis=0) + strength[row]
    path = np.empty(count, np.int64)
    column = int(total.argmax())
    for row in range(count - 1, -1, -1):
        path[row] = column
        column += int(came[row, column])
    return path


def _without_specks(voiced: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Single frames follow their neighbours."""
    padded = np.pad(voiced, 1, mode="edge").astype(np.int8)
    result: NDArray[np.bool_] = padded[:-2] + padded[1:-1] + padded[2:] >= 2
    return result
