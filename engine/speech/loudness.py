"""Loudness: every voice equally loud, and no peak beyond full scale."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

_BLOCK = 0.1
_ABSOLUTE_GATE = 1e-7
_RELATIVE_GATE = 0.1


def loudness(samples: Samples, sample_rate: int) -> float:
    """How loud the spoken parts are: gated mean power, weighted by frequency as ears do, in dB.

    Close to LUFS (ITU-R BS.1770) for one channel. Silence is -120.
    """
    if len(samples) == 0:
        return -120.0
    weighted = _weighted(samples, sample_rate)
    block = max(1, int(_BLOCK * sample_rate))
    padded = np.pad(weighted, (0, -len(weighted) % block))
    power = (padded.reshape(-1, block) ** 2).mean(axis=1)
    power = power[power > _ABSOLUTE_GATE]
    if len(power) == 0:
        return -120.0
    power = power[power >= power.mean() * _RELATIVE_GATE]
    return float(10 * np.log10(power.mean()) - 0.691)


def normalise(samples: Samples, sample_rate: int, target: float, ceiling: float = -1.0) -> Samples:
    """The same sound at `target` dB of loudness, with no peak above `ceiling` dB of full scale.

    Peaks between samples count. Near-silence stays as it is.
    """
    result = limit(samples, sample_rate, ceiling)
    for _ in range(6):  # what the limiter takes is given back
        level = loudness(result, sample_rate)
        if level <= -100 or abs(level - target) < 0.3:
            break
        result = limit(result * np.float32(10 ** ((target - level) / 20)), sample_rate, ceiling)
    return result


def limit(samples: Samples, sample_rate: int, ceiling: float = -1.0) -> Samples:
    """Turns down around peaks, smoothly and ahead of time, instead of cutting them off."""
    if len(samples) == 0:
        return samples.astype(np.float32)
    top = 10 ** (ceiling / 20)
    peaks = _true_peaks(samples)
    if peaks.max(initial=0.0) <= top:
        return samples.astype(np.float32)
    needed = np.minimum(1.0, top / np.maximum(peaks, 1e-9))
    reach = max(1, int(0.004 * sample_rate))
    held = _running_minimum(needed, reach)
    window = np.hanning(2 * reach + 3)[1:-1]
    gain = np.convolve(np.pad(held, reach, mode="edge"), window / window.sum(), mode="valid")
    return (samples * gain).astype(np.float32)


def _weighted(samples: Samples, sample_rate: int) -> NDArray[np.float64]:
    """Through a filter like the ear's: less below 60 Hz, 4 dB more above 2 kHz."""
    size = 1 << (len(samples) + sample_rate // 10 - 1).bit_length()
    hertz = np.fft.rfftfreq(size, 1 / sample_rate)
    ratio = (hertz / 38.0) ** 2
    high_pass = ratio / (1 + ratio)
    shelf = 10 ** (4.0 / 20 * (hertz**2 / (hertz**2 + 1500.0**2)))
    spectrum = np.fft.rfft(samples, size) * (high_pass * shelf)
    return np.asarray(np.fft.irfft(spectrum, size)[: len(samples)], np.float64)


def _true_peaks(samples: Samples) -> NDArray[np.float64]:
    """The magnitude around each sample, counting what a converter makes halfway between."""
    taps = np.arange(-8, 8) + 0.5
    half_way = np.sinc(taps) * np.hanning(18)[1:-1]
    between = np.abs(np.convolve(samples, half_way / half_way.sum(), mode="full"))[8:]
    between = between[: len(samples)]
    before = np.concatenate(([0.0], between[:-1]))
    return np.maximum(np.abs(samples).astype(np.float64), np.maximum(between, before))


def _running_minimum(values: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """The least value within `reach` samples on both sides, in a few passes over the array."""
    size = 2 * reach + 1
    padded: NDArray[np.float64] = np.pad(values, reach, constant_values=1.0)
    width = 1
    while width * 2 <= size:
        padded = np.minimum(padded[:-width], padded[width:])
        width *= 2
    rest = size - width
    if rest:
        padded = np.minimum(padded[:-rest], padded[rest:])
    return padded
