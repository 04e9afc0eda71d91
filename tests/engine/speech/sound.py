"""What can be measured in the sound of a speech, without listening to words."""

from __future__ import annotations

import numpy as np

from engine.speech.base import Speech


def hiss_lag(speech: Speech) -> float:
    """Seconds by which the labels of s, sh, z and ch would have to move to fit the hissing best."""
    rate = speech.sample_rate
    step, size = round(0.005 * rate), round(0.02 * rate)
    frames = np.lib.stride_tricks.sliding_window_view(speech.samples, size)[::step]
    power = np.abs(np.fft.rfft(frames * np.hanning(size), axis=1)) ** 2
    hertz = np.fft.rfftfreq(size, 1 / rate)
    hiss = np.log(power[:, (hertz > 4_500) & (hertz < 10_000)].sum(axis=1) + 1e-6)
    times = (np.arange(len(hiss)) * step + size / 2) / rate
    labels = np.zeros(len(hiss))
    for phoneme in speech.phonemes:
        if phoneme.symbol in ("s", "ʃ", "z", "tʃ"):
            labels[(times >= phoneme.start) & (times < phoneme.end)] = 1
    assert labels.any()
    labels -= labels.mean()
    fits = {lag: float(np.roll(labels, lag) @ (hiss - hiss.mean())) for lag in range(-16, 17)}
    return max(fits, key=lambda lag: fits[lag]) * step / rate


def median_pitch(speech: Speech, lowest: float = 55.0, highest: float = 520.0) -> float:
    """Hz, of the parts that have a pitch; 0 where nothing has one."""
    rate = speech.sample_rate
    size = int(0.05 * rate)
    found: list[float] = []
    for start in range(0, len(speech.samples) - size, size // 3):
        part = speech.samples[start : start + size]
        if (part**2).mean() < 2e-4:
            continue
        spectrum = np.abs(np.fft.rfft(part * np.hanning(size), 2 * size)) ** 2
        alike = np.fft.irfft(spectrum)[:size]
        alike /= alike[0]
        lags = np.arange(int(rate / highest), int(rate / lowest))
        tops = lags[(alike[lags] > alike[lags - 1]) & (alike[lags] >= alike[lags + 1])]
        tops = tops[alike[tops] > 0.4]
        if len(tops):
            # of peaks that are nearly as high the first is the period, the others are multiples
            period = next(lag for lag in tops if alike[lag] > 0.88 * alike[tops].max())
            found.append(rate / float(period))
    return float(np.median(found)) if found else 0.0
