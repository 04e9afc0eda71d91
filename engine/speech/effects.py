"""What is done to a finished voice: a robot's metal, a ghost's hollow room."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

ECHO_SECONDS = 0.45


def metal(samples: Samples, sample_rate: int) -> Samples:
    """Through two short combs, as inside a can. The length stays."""
    result = samples.copy()
    for milliseconds, gain in ((4.1, 0.45), (6.7, -0.3)):
        delay = int(milliseconds * sample_rate / 1_000)
        if delay < len(samples):
            result[delay:] += np.float32(gain) * samples[:-delay]
    return result


def echo(samples: Samples, sample_rate: int) -> Samples:
    """In a hollow room; longer by `ECHO_SECONDS`."""
    length = int(ECHO_SECONDS * sample_rate)
    time = np.arange(length) / sample_rate
    room = np.random.default_rng(7).standard_normal(length) * np.exp(-time * 11.0)
    # walls swallow the highs, and the first reflection takes a moment
    room = np.convolve(room, np.hanning(9), mode="same")
    room[: int(0.018 * sample_rate)] = 0.0
    # and the reflections of consonants must not cover the vowels
    room *= 0.42 / np.sqrt((room**2).sum())
    size = 1 << (len(samples) + length).bit_length()
    wet = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(room, size), size)
    result = np.concatenate([samples, np.zeros(length, np.float32)])
    return (result + wet[: len(result)]).astype(np.float32)
