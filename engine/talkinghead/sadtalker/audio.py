"""Speech as SadTalker's networks hear it: mel windows, sixteen columns to a frame of video.

The constants are those the published networks were trained with (OpenTalker/SadTalker,
`src/utils/hparams.py` and `src/generate_batch.py`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.speech.base import Speech
from engine.talkinghead.voice import clean_samples
from personas.errors import UnavailableError

Floats = NDArray[np.float32]

RATE: Final = 16_000
FPS: Final = 25
MELS: Final = 80
WINDOW: Final = 16
"""Mel columns that one frame of video sees."""

_FFT: Final = 800
_HOP: Final = 200
_LOWEST, _HIGHEST = 55.0, 7600.0
_PRE_EMPHASIS: Final = 0.97
_FLOOR_DB, _REFERENCE_DB, _RANGE = -100.0, 20.0, 4.0
_COLUMNS_A_SECOND: Final = RATE / _HOP
_LEAD: Final = 2
"""Frames by which a window begins before its own frame."""
_CHUNK: Final = 4096
"""Columns that are transformed at a time, so that long speech takes little memory."""


def frames_of(samples: int) -> int:
    """How many whole frames of video `samples` at `RATE` last, as upstream counts."""
    return samples * FPS // RATE


def resample(speech: Speech) -> Floats:
    """The samples of a speech, [n] -1 to 1, at `RATE`.

    Raises:
        InvalidInputError: it is not the sound of one voice.
        UnavailableError: the sound cannot be converted on this machine.
    """
    samples = clean_samples(speech)
    wanted = round(len(samples) * RATE / speech.sample_rate)
    if speech.sample_rate == RATE or not len(samples):
        return samples
    import av

    try:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        parts = []
        for start in range(0, len(samples), 1 << 16):
            part = np.ascontiguousarray(samples[None, start : start + (1 << 16)])
            frame = av.AudioFrame.from_ndarray(part, format="flt", layout="mono")
            frame.sample_rate, frame.pts = speech.sample_rate, start
            parts += [piece.to_ndarray()[0] for piece in resampler.resample(frame)]
        parts += [piece.to_ndarray()[0] for piece in resampler.resample(None)]
    except (av.FFmpegError, ValueError) as error:
        raise UnavailableError("The sound cannot be converted on this machine.") from error
    return fit(np.concatenate(parts) if parts else np.zeros(0, np.float32), wanted)


def fit(samples: Floats, count: int) -> Floats:
    """The samples cut, or followed by silence, so that there are `count`."""
    if len(samples) >= count:
        return samples[:count]
    return np.pad(samples, (0, count - len(samples)))


def mel_spectrogram(samples: Floats) -> Floats:
    """The normalised mel spectrogram of `samples` at `RATE`.

    Args:
        samples: [n] -1 to 1.

    Returns:
        [80, 1 + n // 200], -4 for silence to 4.
    """
    emphasised = np.array(samples, np.float32)
    emphasised[1:] -= np.float32(_PRE_EMPHASIS) * np.asarray(samples[:-1], np.float32)
    padded = np.pad(emphasised, _FFT // 2)
    columns = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[::_HOP]
    # Periodic, as for spectra; numpy's own window is symmetric.
    hann = np.hanning(_FFT + 1)[:-1]
    basis = mel_basis()
    mel = np.empty((MELS, len(columns)), np.float32)
    for start in range(0, len(columns), _CHUNK):
        spectrum = np.abs(np.fft.rfft(columns[start : start + _CHUNK] * hann, axis=1))
        mel[:, start : start + _CHUNK] = basis @ spectrum.T
    floor = 10 ** (_FLOOR_DB / 20)
    decibels = 20 * np.log10(np.maximum(floor, mel)) - _REFERENCE_DB
    share = (decibels - _FLOOR_DB) / -_FLOOR_DB
    return np.clip(2 * _RANGE * share - _RANGE, -_RANGE, _RANGE).astype(np.float32)


@lru_cache(maxsize=1)
def mel_basis() -> Floats:
    """[80, 401]: triangles of equal area on Slaney's mel scale, linear below 1 kHz."""
    edges = _hertz(np.linspace(_mel(_LOWEST), _mel(_HIGHEST), MELS + 2))
    frequencies = np.linspace(0, RATE / 2, _FFT // 2 + 1)
    rising = (frequencies - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - frequencies) / (edges[2:] - edges[1:-1])[:, None]
    triangles = np.maximum(0, np.minimum(rising, falling))
    basis = (triangles * (2 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)
    basis.setflags(write=False)
    return basis


_LINEAR: Final = 200 / 3
_BEND: Final = 1000.0
_STEP: Final = np.log(6.4) / 27
"""Slaney's scale: hertz a mel below the bend, and the growth a mel above it."""


def _mel(hertz: float) -> float:
    if hertz < _BEND:
        return hertz / _LINEAR
    return float(_BEND / _LINEAR + np.log(hertz / _BEND) / _STEP)


def _hertz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    bend = _BEND / _LINEAR
    above = _BEND * np.exp(_STEP * (mels - bend))
    return np.where(mels < bend, _LINEAR * mels, above)


def windows(mel: Floats, frames: int) -> Floats:
    """What each frame of video sees of a spectrogram; its ends are repeated.

    Args:
        mel: [80, columns], at least one column.
        frames: how many.

    Returns:
        [frames, 80, 16].
    """
    # Towards zero: the first two frames begin with the first column, as in training.
    starts = np.trunc(_COLUMNS_A_SECOND * (np.arange(frames) - _LEAD) / FPS).astype(int)
    columns = np.clip(starts[:, None] + np.arange(WINDOW), 0, mel.shape[1] - 1)
    return np.ascontiguousarray(mel[:, columns].transpose(1, 0, 2))


def hear(samples: Floats, frames: int) -> Floats:
    """The windows of `frames` frames, [frames, 80, 16], silence following the samples."""
    return windows(mel_spectrogram(fit(samples, frames * RATE // FPS)), frames)
