"""Where sound begins and ends: silence found in the samples, phonemes fitted to it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.speech.phonemes import Span

Samples = NDArray[np.float32]

_FRAME = 0.005
_QUIET = 10 ** (-40 / 20)
_SHORTEST_PAUSE = 0.05
_SHORTEST_SOUND = 0.02


def envelope(samples: Samples, sample_rate: int) -> NDArray[np.float32]:
    """Level of every 5 ms, 1 where the speech is loudest."""
    size = int(_FRAME * sample_rate)
    if not len(samples):
        return np.zeros(0, np.float32)
    frames = np.pad(samples, (0, -len(samples) % size)).reshape(-1, size)
    level = np.sqrt((frames**2).mean(axis=1))
    smooth = np.convolve(level, np.full(3, 1 / 3), mode="same")
    top = float(np.quantile(smooth, 0.95))
    return (smooth / max(top, 1e-9)).astype(np.float32)


def sounding(samples: Samples, sample_rate: int) -> tuple[float, float] | None:
    """Seconds at which the sound begins and ends; None where there is only silence."""
    loud = np.flatnonzero(envelope(samples, sample_rate) > _QUIET)
    if len(loud) == 0:
        return None
    return float(loud[0]) * _FRAME, min(float(loud[-1] + 1) * _FRAME, len(samples) / sample_rate)


def quiet_frames(samples: Samples, sample_rate: int) -> NDArray[np.bool_]:
    """[n] which of every 5 ms are silence."""
    quiet: NDArray[np.bool_] = envelope(samples, sample_rate) <= _QUIET
    return quiet


def settle_pauses(spans: Sequence[Span], samples: Samples, sample_rate: int) -> list[Span]:
    """Fits pauses to the silence that is there.

    The model's time for a comma may be sound still, and a last vowel's time may be silence. A
    pause is the longest silence around its label; where there is none, the neighbours meet.
    """
    quiet = quiet_frames(samples, sample_rate)
    result = list(spans)
    for index, span in enumerate(result):
        if not span.is_pause or index == 0 or index + 1 >= len(result):
            continue
        before, after = result[index - 1], result[index + 1]
        first = before.start + _SHORTEST_SOUND
        last = after.end - _SHORTEST_SOUND
        run = _longest_run(quiet, first, last)
        if run is None or run[1] - run[0] < _SHORTEST_PAUSE:
            middle = (span.start + span.end) / 2
            run = (middle, middle)
        result[index - 1] = before.moved(before.start, run[0])
        result[index] = span.moved(*run)
        result[index + 1] = after.moved(run[1], after.end)
    return result


def _longest_run(quiet: NDArray[np.bool_], start: float, end: float) -> tuple[float, float] | None:
    first, last = max(0, int(np.ceil(start / _FRAME))), min(len(quiet), int(end / _FRAME))
    if last <= first:
        return None
    edges = np.diff(np.concatenate(([0], quiet[first:last].astype(np.int8), [0])))
    begins, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    if len(begins) == 0:
        return None
    best = int(np.argmax(ends - begins))
    return (first + int(begins[best])) * _FRAME, (first + int(ends[best])) * _FRAME


def fade(samples: Samples, sample_rate: int, seconds: float = 0.006) -> Samples:
    """The same with its first and last moments faded, so that joins do not click."""
    size = min(int(seconds * sample_rate), len(samples) // 2)
    if size == 0:
        return samples
    ramp = (0.5 - 0.5 * np.cos(np.pi * (np.arange(size) + 0.5) / size)).astype(np.float32)
    faded = samples.copy()
    faded[:size] *= ramp
    faded[-size:] *= ramp[::-1]
    return faded
