"""What speech sounds like, without who speaks: features by which two speakers can be compared."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
Features = NDArray[np.float32]

HOP_SECONDS = 0.005
_WINDOW_SECONDS = 0.024
_BANDS = 30
_LOWEST, _HIGHEST = 80.0, 7_600.0
_COEFFICIENTS = 13
_FLOOR = 1e-6
_SLOPE_FRAMES = 4


def features(samples: Samples, sample_rate: int) -> Features:
    """Cepstra of a mel spectrum every 5 ms, their slopes, and the level: [n, 27].

    The mean of each is removed, and with it much of the size of the throat and all of the
    microphone, so that the same words of two speakers come close.

    Args:
        samples: [m] float32 mono.
        sample_rate: Hz, at least 16,000.
    """
    mel = _log_mel(samples, sample_rate)
    angle = np.pi / _BANDS * (np.arange(_BANDS) + 0.5)
    cosines = np.cos(np.outer(angle, np.arange(_COEFFICIENTS))).astype(np.float32)
    cepstra = mel @ cosines * np.float32(2 / _BANDS)
    level = cepstra[:, :1].copy()
    loud = level[:, 0] >= np.quantile(level, 0.3)
    cepstra -= cepstra[loud].mean(axis=0)
    cepstra /= cepstra[loud].std(axis=0) + np.float32(1e-3)
    slopes = np.gradient(_smooth(cepstra), axis=0) * np.float32(_SLOPE_FRAMES)
    return np.concatenate([cepstra, slopes, level], axis=1).astype(np.float32)


def outline(samples: Samples, sample_rate: int) -> Features:
    """How loud it is every 5 ms, and how bright: [n, 2], each about 0 on average, +-1 apart.

    That is enough to tell a hiss, a vowel and a silence in every language.
    """
    mel = _log_mel(samples, sample_rate)
    low, high = (
        np.exp(mel[:, : _BANDS // 2]).mean(axis=1),
        np.exp(mel[:, -_BANDS // 4 :]).mean(axis=1),
    )
    level = np.log(low + high + _FLOOR)
    brightness = np.log((high + 1e-5) / (low + 1e-5))
    found = np.stack([level, brightness], axis=1)
    loud = level >= np.quantile(level, 0.2)
    return np.asarray(
        (found - found[loud].mean(axis=0)) / (found[loud].std(axis=0) + 1e-3), np.float32
    )


def _log_mel(samples: Samples, sample_rate: int) -> Features:
    """[n, bands] log power, 0 at the loudest."""
    hop, size = round(HOP_SECONDS * sample_rate), round(_WINDOW_SECONDS * sample_rate)
    padded = np.pad(samples, (size // 2, size))
    count = max(1, -(-len(samples) // hop))
    windows = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop][:count]
    length = 1 << (size - 1).bit_length()
    mel = np.empty((count, _BANDS), np.float32)
    bank = _bank(length, sample_rate)
    shape = np.hanning(size).astype(np.float32)
    for start in range(0, count, 2_048):  # a long speech does not need its spectra all at once
        part = np.fft.rfft(windows[start : start + 2_048] * shape, length, axis=1)
        mel[start : start + 2_048] = (part.real**2 + part.imag**2).astype(np.float32) @ bank
    return np.asarray(np.log(mel / max(float(mel.max()), 1e-12) + _FLOOR), np.float32)


def _smooth(values: Features) -> Features:
    kernel = np.hanning(2 * _SLOPE_FRAMES + 1)
    kernel = (kernel / kernel.sum()).astype(np.float32)
    padded = np.pad(values, ((_SLOPE_FRAMES, _SLOPE_FRAMES), (0, 0)), mode="edge")
    result = np.zeros_like(values)
    for at, weight in enumerate(kernel):
        result += weight * padded[at : at + len(values)]
    return result


def _bank(length: int, sample_rate: int) -> Features:
    """[length / 2 + 1, bands] triangles, evenly spaced on the mel scale."""

    def mel(hertz: float | NDArray[np.floating]) -> NDArray[np.float64]:
        return np.asarray(2595 * np.log10(1 + np.asarray(hertz, np.float64) / 700))

    top = min(_HIGHEST, sample_rate / 2)
    at = mel(np.fft.rfftfreq(length, 1 / sample_rate))[:, None]
    edges = np.linspace(float(mel(_LOWEST)), float(mel(top)), _BANDS + 2)
    rise = (at - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - at) / (edges[2:] - edges[1:-1])
    return np.clip(np.minimum(rise, fall), 0.0, None).astype(np.float32)
