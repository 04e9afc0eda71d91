"""Another voice from finished sound: pitch, throat, pace, melody, breath and trembling.

For voices that come as a recording and cannot be shaped where they are made. Periods of the voice
are cut out and laid anew, closer or further apart (TD-PSOLA), so that pitch and pace change and
the throat stays; the throat is changed by playing faster or slower. Breath is noise in the shape
of the voice's own spectrum.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.speech.pitch import UNVOICED_STEP, marks_of, melody_of
from personas.voices import Effect

Samples = NDArray[np.float32]

_UNHEARD = {"pitch": 0.01, "rate": 0.01, "range": 0.08, "formant": 0.005, "breath": 0.03}
"""Changes that nobody notices are not worth what they cost."""
_WINDOW = 1_024
_HOP = 256
_ENVELOPE_HERTZ = 320.0


@dataclass(frozen=True)
class Shaping:
    """What is done to a recording; the fields are those of `Voice`, as ratios to what it is."""

    pitch: float = 1.0
    formant: float = 1.0
    rate: float = 1.0
    range: float = 1.0
    breath: float = 0.0
    effect: Effect = "none"

    @property
    def moves_periods(self) -> bool:
        """Whether the melody or the pace changes other than by playing faster."""
        return (
            abs(np.log(self.pitch / self.formant)) > _UNHEARD["pitch"]
            or abs(np.log(self.rate / self.formant)) > _UNHEARD["rate"]
            or abs(self.range - 1) > _UNHEARD["range"]
            or self.effect in ("tremor", "growl")
        )


def resynthesize(samples: Samples, sample_rate: int, shaping: Shaping, seed: int = 0) -> Samples:
    """The same words in another voice; `1 / shaping.rate` times as long, evenly throughout.

    Args:
        samples: [n] float32 mono.
        sample_rate: Hz.
        shaping: what to change. An echo and a robot's metal are not made here.
        seed: decides the noise of breath and trembling.
    """
    if len(samples) < sample_rate // 20:
        return samples
    dice = np.random.default_rng(seed)
    result = samples
    if shaping.moves_periods:
        result = _laid_anew(result, sample_rate, shaping, dice)
    if shaping.breath > _UNHEARD["breath"]:
        result = _breathed(result, sample_rate, shaping.breath, dice)
    if abs(np.log(shaping.formant)) > _UNHEARD["formant"]:
        result = _played(result, shaping.formant)
    return result


def _laid_anew(
    samples: Samples, sample_rate: int, shaping: Shaping, dice: np.random.Generator
) -> Samples:
    """PSOLA: pitch and pace, both before `_played` changes them again."""
    pitch, rate = shaping.pitch / shaping.formant, shaping.rate / shaping.formant
    melody = melody_of(samples, sample_rate)
    marks, periods = marks_of(samples, sample_rate, melody)
    middle = melody.middle or 1.0
    length = round(len(samples) / rate)
    result = np.zeros(length + sample_rate // 10, np.float32)
    seconds = length / sample_rate
    tremble = _wobble(seconds, 5.3, dice) if shaping.effect == "tremor" else None
    offset = sample_rate // 20
    at, number = 0.0, 0
    while at < length:
        mark = _nearest(marks, at * rate)
        period = periods[mark]
        if period < 0:
            # the same stretch twice in a row would hum
            mark = min(max(mark + int(dice.integers(-1, 2)), 0), len(marks) - 1)
            mark = mark if periods[mark] < 0 else _nearest(marks, at * rate)
            size, step, gain = UNVOICED_STEP * sample_rate, UNVOICED_STEP * sample_rate, 1.0
        else:
            hertz = sample_rate / period
            wanted = middle * pitch * (hertz / middle) ** shaping.range
            gain = 1.0
            if tremble is not None:
                swing = tremble[min(int(at / sample_rate * 200), len(tremble) - 1)]
                wanted *= 1 + 0.028 * swing
                gain = float(np.exp(0.16 * swing))
            elif shaping.effect == "growl":
                wanted *= 1 + 0.02 * dice.standard_normal()
                gain = 1.3 if number % 2 else 0.7
            step = sample_rate / min(max(wanted, 30.0), 1_000.0)
            size = period
            gain *= float(np.sqrt(min(step / period, 2.0)))
        _lay(result, samples, int(marks[mark]), round(at) + offset, size, gain)
        at += step
        number += 1
    return result[offset : offset + length]


def _nearest(marks: NDArray[np.int64], at: float) -> int:
    index = int(np.searchsorted(marks, at))
    if index >= len(marks) or (index and at - marks[index - 1] < marks[index] - at):
        index -= 1
    return index


def _lay(
    result: Samples, samples: Samples, source: int, target: int, size: float, gain: float
) -> None:
    """Adds two periods around `source`, faded at both ends, around `target`."""
    half = max(8, round(size))
    low = max(0, half - source, half - target)
    high = min(2 * half, len(samples) - source + half, len(result) - target + half)
    if high <= low:
        return
    window = (0.5 - 0.5 * np.cos(np.pi * (np.arange(low, high) + 0.5) / half)).astype(np.float32)
    piece = samples[source - half + low : source - half + high]
    result[target - half + low : target - half + high] += piece * window * np.float32(gain)


def _wobble(seconds: float, hertz: float, dice: np.random.Generator) -> NDArray[np.float64]:
    """A slow unsteady swing between about -1 and 1, 200 values a second."""
    count = int(seconds * 200) + 1
    drift = np.cumsum(dice.standard_normal(count)) * 0.03
    return np.asarray(np.sin(2 * np.pi * hertz * np.arange(count) / 200 + drift))


def _played(samples: Samples, speed: float) -> Samples:
    """Played faster or slower, as a tape: pitch, throat and pace together."""
    count = round(len(samples) / speed)
    size = _smooth_size(len(samples))
    spectrum = np.fft.rfft(samples, size)
    target = max(2, round(size / speed))
    moved = np.zeros(target // 2 + 1, np.complex128)
    shared = min(len(spectrum), len(moved))
    moved[:shared] = spectrum[:shared]
    played = np.fft.irfft(moved, target) * (target / size)
    return np.asarray(played[:count], np.float32)


def _smooth_size(count: int) -> int:
    """At least `count`, and with silence behind, so that its end does not reach its beginning."""
    unit = 4_096
    return (count // unit + 2) * unit


def _breathed(
    samples: Samples, sample_rate: int, breath: float, dice: np.random.Generator
) -> Samples:
    """Trades the voice for noise of the same envelope; what is noise already stays."""
    melody = melody_of(samples, sample_rate)
    padded = np.pad(samples, (_WINDOW, _WINDOW + _HOP))
    window = np.sqrt(np.hanning(_WINDOW + 1)[:-1]).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP]
    times = (np.arange(len(frames)) * _HOP - _WINDOW / 2) / sample_rate
    voiced = np.interp(times, melody.times, melody.voiced.astype(np.float64))
    spectra = np.fft.rfft(frames * window, axis=1)
    noise = np.fft.rfft(dice.standard_normal(frames.shape) * window, axis=1)
    noise /= np.sqrt((window**2).sum())
    hertz = np.fft.rfftfreq(_WINDOW, 1 / sample_rate)
    reach = max(1, round(_ENVELOPE_HERTZ * _WINDOW / sample_rate / 2))
    envelope = np.sqrt(_smoothed(np.abs(spectra) ** 2, reach))
    # air through a half-open glottis has little bass
    tilt = np.sqrt((hertz**2 + 80.0**2) / (hertz**2 + 900.0**2))
    share = voiced[:, None]
    if breath >= 0.97:
        kept = 1 - share
    else:
        softer = (1 - 0.75 * breath**1.5) * np.exp(-breath * 0.35 * np.log1p(hertz / 1_000.0))
        kept = 1 - share * (1 - softer)
    mixed = spectra * kept + noise * envelope * tilt * (breath * share)
    back = np.fft.irfft(mixed, _WINDOW, axis=1) * window
    result = np.zeros(len(padded) + _WINDOW, np.float64)
    for step in range(_WINDOW // _HOP):
        rows = back[step :: _WINDOW // _HOP].reshape(-1)
        result[step * _HOP : step * _HOP + len(rows)] += rows
    return np.asarray(result[_WINDOW : _WINDOW + len(samples)] / 2, np.float32)


def _smoothed(power: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """[n, bins] mean over `reach` bins on both sides."""
    size = 2 * reach + 1
    padded = np.pad(power, ((0, 0), (reach + 1, reach)), mode="edge")
    sums = np.cumsum(padded, axis=1)
    return (sums[:, size:] - sums[:, :-size]) / size
