"""How a voice moves a body: its loudness and its pitch over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.speech.base import Speech
from personas.errors import InvalidInputError

Floats = NDArray[np.float32]

_RATE: Final = 100
"""Measurements a second."""
_LOWEST: Final = 60.0
_HIGHEST: Final = 500.0
"""Hz: where a speaking voice's pitch is looked for."""
_CHUNK: Final = 512
"""Pitch windows at a time, so that a long speech takes no more memory than a short one."""


@dataclass(frozen=True)
class Loudness:
    """Loudness over time, 0 silent to about 1 for the loud parts of this very speech."""

    values: Floats

    def at(self, times: Floats) -> Floats:
        """At some times in seconds; silence outside the speech."""
        grid = (np.arange(len(self.values)) + 0.5) / _RATE
        return np.asarray(np.interp(times, grid, self.values, left=0, right=0), np.float32)

    def between(self, start: float, end: float) -> float:
        """The mean from `start` to `end`, seconds."""
        first = min(int(start * _RATE), len(self.values) - 1)
        part = self.values[max(first, 0) : max(int(np.ceil(end * _RATE)), first + 1)]
        return float(part.mean()) if len(part) else 0.0


def clean_samples(speech: Speech) -> Floats:
    """The samples as finite numbers from -1 to 1.

    Raises:
        InvalidInputError: it is not the sound of one voice.
    """
    samples = np.asarray(speech.samples)
    if samples.ndim != 1 or not np.issubdtype(samples.dtype, np.number):
        raise InvalidInputError("A speech must be one channel of sound.")
    if not 1 <= speech.sample_rate <= 768_000:
        raise InvalidInputError("A speech needs a sample rate in Hz to be shown.")
    finite = np.array(samples, np.float32)
    np.nan_to_num(finite, copy=False, nan=0.0, posinf=1.0, neginf=-1.0)
    return np.clip(finite, -1.0, 1.0, out=finite)


def measure_loudness(samples: Floats, sample_rate: int) -> Loudness:
    """Loudness by the root mean square over 30 ms, on a scale of its own loud parts.

    Args:
        samples: [n] -1 to 1, finite.
        sample_rate: Hz.
    """
    count = max(1, int(np.ceil(len(samples) / sample_rate * _RATE)))
    if not len(samples):
        return Loudness(np.zeros(count, np.float32))
    starts = np.minimum((np.arange(count) * sample_rate) // _RATE, len(samples) - 1)
    lengths = np.diff(np.append(starts, len(samples)))
    mean = np.add.reduceat(np.square(samples), starts) / np.maximum(lengths, 1)
    level = np.sqrt(np.maximum(np.convolve(mean, (0.25, 0.5, 0.25), "same"), 0))
    heard = level[level > 1e-4]
    reference = float(np.percentile(heard, 90)) if len(heard) else 1.0
    # The ear hears ratios: the root brings quiet syllables nearer to loud ones.
    values = np.minimum(level / max(reference, 1e-4), 1.6) ** 0.6
    return Loudness(np.asarray(np.where(level > 1e-4, values, 0), np.float32))


def measure_pitch(samples: Floats, sample_rate: int, times: Floats) -> Floats:
    """Pitch at some times, in octaves from the speech's median; 0 where nothing is voiced.

    Args:
        samples: [n] -1 to 1, finite.
        sample_rate: Hz.
        times: [m] seconds.
    """
    step = max(1, sample_rate // 8000)
    narrow, rate = samples[::step], sample_rate / step
    window = 1 << int(np.ceil(np.log2(max(2.5 * rate / _LOWEST, 8))))
    pitch = np.zeros(len(times), np.float32)
    if len(narrow) < window or rate < 4 * _LOWEST:
        return pitch
    shape = np.hanning(window).astype(np.float32)
    shortest, longest = max(2, int(rate / _HIGHEST)), min(window // 2, int(rate / _LOWEST))
    if longest <= shortest + 1:
        return pitch
    starts = np.clip((times * rate).astype(int) - window // 2, 0, len(narrow) - window)
    for at in range(0, len(starts), _CHUNK):
        part = starts[at : at + _CHUNK, None] + np.arange(window)
        spectrum = np.fft.rfft(narrow[part] * shape, 2 * window, axis=1)
        echo = np.fft.irfft(np.abs(spectrum) ** 2, axis=1)[:, : longest + 1]
        lags = echo[:, shortest:]
        best = lags.argmax(axis=1)
        clear = lags[np.arange(len(lags)), best] > 0.4 * np.maximum(echo[:, 0], 1e-3)
        pitch[at : at + _CHUNK] = np.where(clear, rate / (best + shortest), 0)
    voiced = pitch > 0
    if not voiced.any():
        return pitch
    octaves = np.zeros_like(pitch)
    octaves[voiced] = np.log2(pitch[voiced] / np.median(pitch[voiced]))
    return np.clip(octaves, -1, 1)
