"""One speaker, many voices: pitch, formants, breath and melody, changed before there is sound.

The voice model describes speech as a source and a filter: overtones of a pitch with an envelope,
and noise with another. Changing those, instead of a finished recording, keeps every voice as
clear as the first: nothing is stretched, and pitch and size of the throat are independent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.speech.acoustics import BINS, HOP, SAMPLE_RATE, Frames, Spectra
from personas.persona import Voice
from personas.voices import Effect

_WINDOW = 4 * HOP
_HANN = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WINDOW) / _WINDOW)).astype(np.float32)
_BIN_HERTZ = SAMPLE_RATE / _WINDOW
_FRAME_SECONDS = HOP / SAMPLE_RATE

_SPEAKER_HERTZ = 195.0
"""The middle of the speaker's melody; a monotone voice stays on its multiple."""
_LOWEST_SPEAKER_HERTZ = 90.0
"""Below, the model means unvoiced or is on the way there."""
_HIGHEST_OVERTONE = 11_000.0
_SILENT = np.float32(-30.0)


@dataclass(frozen=True)
class Filter:
    """What `Spectra` became: the same, at the frequencies of another throat."""

    harmonic: Frames
    phase: Frames
    noise: Frames
    noise_phase: Frames


def render(spectra: Spectra, voice: Voice, effect: Effect, seed: int) -> NDArray[np.float32]:
    """The sound of `spectra` in another voice: 300 samples a frame at 24 kHz.

    Args:
        spectra: what the model said.
        voice: pitch, formant, breath and range; the rate is in the spectra already.
        effect: what is added to the voice.
        seed: decides the noise of breath and trembling; the same seed gives the same sound.
    """
    dice = np.random.default_rng(seed)
    f0, voiced = melody(spectra.f0, voice, effect, dice)
    shaped = _warp(spectra, voice.pitch, voice.formant)
    harmonic, aspiration = _breathe(shaped.harmonic, voiced, voice.breath)
    if effect == "tremor":
        harmonic = harmonic + 0.16 * _wobble(len(f0), 5.3, dice)

    source = _overtones(f0, voiced)
    if effect == "growl":
        source = 0.72 * source + 0.5 * _overtones(f0 / 2, voiced)
    elif effect == "robot":
        source = 0.8 * source + 0.35 * _overtones(f0 * 1.5, voiced)
    spectrum = _stft(source, len(f0))
    spectrum *= _polar(harmonic, np.tanh(shaped.phase) * np.float32(np.pi))
    spectrum += _polar(shaped.noise, shaped.noise_phase)
    if voice.breath > 0:
        shape = (BINS, 2 * len(f0))
        breath = dice.standard_normal(shape, dtype=np.float32).view(np.complex64)
        spectrum += breath * np.exp(aspiration)
    return _inverse_stft(spectrum)


def melody(
    f0: Frames, voice: Voice, effect: Effect = "none", dice: np.random.Generator | None = None
) -> tuple[Frames, Frames]:
    """Pitch in Hz, without holes, and how voiced each frame is (0 to 1).

    Where the model's pitch comes up from zero or falls to it, the pitch next to it holds, so that
    no voice chirps or drops an octave at the edges of a vowel.
    """
    is_voiced = f0 > _LOWEST_SPEAKER_HERTZ
    if not is_voiced.any():
        return np.full_like(f0, _SPEAKER_HERTZ * voice.pitch), np.zeros_like(f0)
    frames = np.arange(len(f0))
    filled = np.interp(frames, frames[is_voiced], f0[is_voiced])
    filled = _median3(filled)
    shaped = _SPEAKER_HERTZ * voice.pitch * (filled / _SPEAKER_HERTZ) ** voice.range
    dice = dice or np.random.default_rng(0)
    if effect == "tremor":
        shaped = shaped * (1 + 0.028 * _wobble(len(f0), 5.3, dice))
    elif effect == "growl":
        shaped = shaped * (1 + 0.02 * dice.standard_normal(len(f0)))
    return shaped.astype(np.float32), is_voiced.astype(np.float32)


def _median3(values: NDArray[np.float64]) -> NDArray[np.float64]:
    padded = np.pad(values, 1, mode="edge")
    return np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0)


def _wobble(frames: int, hertz: float, dice: np.random.Generator) -> Frames:
    """A slow unsteady swing between about -1 and 1."""
    drift = np.cumsum(dice.standard_normal(frames)) * 0.05
    time = np.arange(frames) * _FRAME_SECONDS
    return np.sin(2 * np.pi * hertz * time + drift).astype(np.float32)


def _warp(spectra: Spectra, pitch: float, formant: float) -> Filter:
    """Moves the resonances by the ratio `formant`, up to a knee; above it the ends meet again.

    So the size of the throat changes and the brightness of an s stays. Below the first resonance
    the envelope follows the pitch: a deep voice has a fundamental, as the speaker has.
    """
    # overtones that lie closer together must be weaker for the same power
    harmonic = _without_notches(spectra.harmonic) + np.float32(0.5 * np.log(pitch))
    top = BINS - 1
    target = np.arange(BINS, dtype=np.float64)
    bend = min(0.42 * top * formant, 0.85 * top)
    known = [(0.0, 0.0), (bend, bend / formant), (float(top), float(top))]
    if pitch < 0.9 * formant:
        fundamental, first = _SPEAKER_HERTZ / _BIN_HERTZ, 450.0 / _BIN_HERTZ
        known[1:1] = [(fundamental * pitch, fundamental), (first, first / formant)]
    source = np.interp(target, [new for new, _ in known], [old for _, old in known])
    below = np.minimum(source.astype(np.int64), top - 1)
    share = (source - below).astype(np.float32)[:, None]

    def between(values: Frames) -> Frames:
        mixed: Frames = values[below] * (1 - share) + values[below + 1] * share
        return mixed

    # The phase of noise holds the time of a burst: taken about the middle of the frame, where
    # the nearest bin is as good as its neighbour.
    nearest = np.rint(source).astype(np.int64)
    turn = (np.pi * ((nearest - target.astype(np.int64)) % 2)).astype(np.float32)[:, None]
    noise_phase: Frames = spectra.noise_phase[nearest] + turn
    return Filter(between(harmonic), between(spectra.phase), between(spectra.noise), noise_phase)


def _without_notches(values: Frames) -> Frames:
    """Fills gaps of up to four bins: the model leaves holes where its speaker has no overtone."""
    reach = 4
    padded = np.pad(values, ((reach, reach), (0, 0)), mode="edge")
    size = len(values) + reach
    highest = np.maximum.reduce([padded[k : k + size] for k in range(reach + 1)])
    filled: Frames = np.minimum.reduce([highest[k : k + len(values)] for k in range(reach + 1)])
    return filled


def _breathe(harmonic: Frames, voiced: Frames, breath: float) -> tuple[Frames, Frames]:
    """Trades overtones for noise of the same envelope: log magnitudes of both."""
    if breath <= 0:
        return harmonic, harmonic
    hertz = (np.arange(BINS) * _BIN_HERTZ).astype(np.float32)[:, None]
    # air through a half-open glottis has little bass
    tilt = 0.5 * np.log((hertz**2 + 80.0**2) / (hertz**2 + 900.0**2))
    aspiration = harmonic + tilt + np.log(np.float32(0.55 * breath))
    aspiration = np.where(voiced > 0, aspiration, np.minimum(aspiration, _SILENT))
    if breath >= 0.97:
        return np.full_like(harmonic, _SILENT), aspiration.astype(np.float32)
    softer = np.log(np.float32(1 - 0.75 * breath**1.5))
    muffled = -breath * 0.35 * np.log1p(hertz / 1_000.0)
    return (harmonic + softer + muffled).astype(np.float32), aspiration.astype(np.float32)


def _overtones(f0: NDArray[np.floating], voiced: Frames) -> NDArray[np.float32]:
    """A pulse train with all overtones up to 11 kHz equally strong."""
    frames = len(f0)
    at = (np.arange(frames * HOP) + 0.5) / HOP - 0.5
    hertz = np.interp(at, np.arange(frames), f0)
    gain = np.interp(at, np.arange(frames), voiced)
    half_turn = np.pi * np.modf(np.cumsum(hertz / SAMPLE_RATE))[0]
    # the sum of count cosines in closed form; at a pulse itself it is the count
    count = np.floor(_HIGHEST_OVERTONE / hertz)
    below = np.sin(half_turn)
    at_pulse = np.abs(below) < 1e-3
    below[at_pulse] = 1.0
    train = np.sin((2 * count + 1) * half_turn) / (2 * below) - 0.5
    train[at_pulse] = count[at_pulse]
    voiced_train: NDArray[np.float32] = (train * gain).astype(np.float32)
    return voiced_train


def _polar(log_magnitude: Frames, phase: Frames) -> NDArray[np.complex64]:
    magnitude = np.exp(np.minimum(log_magnitude, np.float32(7.0)))
    result = np.empty(log_magnitude.shape, np.complex64)
    np.multiply(magnitude, np.cos(phase), out=result.real)
    np.multiply(magnitude, np.sin(phase), out=result.imag)
    return result


def _stft(samples: NDArray[np.float32], frames: int) -> NDArray[np.complex64]:
    """[601, frames]; a cosine of amplitude 1 has magnitude 1."""
    padded = np.pad(samples, _WINDOW // 2, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::HOP][:frames]
    scaled = windows * (_HANN * np.float32(4.0 / _WINDOW))
    return np.ascontiguousarray(np.fft.rfft(scaled, axis=1).astype(np.complex64).T)


def _inverse_stft(spectrum: NDArray[np.complex64]) -> NDArray[np.float32]:
    """300 samples a frame, the inverse of a centred transform."""
    frames = spectrum.shape[1]
    windows = np.fft.irfft(spectrum.T, _WINDOW, axis=1).astype(np.float32) * _HANN
    steps = _WINDOW // HOP
    blocks = windows.reshape(frames, steps, HOP)
    weight = (_HANN * _HANN).reshape(steps, HOP)
    total = np.zeros((frames + steps - 1, HOP), np.float32)
    weights = np.zeros_like(total)
    for step in range(steps):
        total[step : step + frames] += blocks[:, step]
        weights[step : step + frames] += weight[step]
    total /= np.maximum(weights, 1e-3)
    return total.reshape(-1)[_WINDOW // 2 : _WINDOW // 2 + frames * HOP]
