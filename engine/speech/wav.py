"""Speech as a WAV file: 16-bit PCM, mono."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.speech.base import Speech


def pcm16(samples: NDArray[np.float32]) -> bytes:
    """Samples from -1 to 1 as little-endian 16-bit integers; what is beyond is clipped."""
    return (np.clip(samples, -1.0, 1.0) * 32767.0).round().astype("<i2").tobytes()


def wav_bytes(speech: Speech) -> bytes:
    """The bytes of a WAV file."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(speech.sample_rate)
        file.writeframes(pcm16(speech.samples))
    return buffer.getvalue()


def write_wav(path: Path, speech: Speech) -> None:
    """Writes a WAV file.

    Raises:
        OSError: the file cannot be written.
    """
    path.write_bytes(wav_bytes(speech))
