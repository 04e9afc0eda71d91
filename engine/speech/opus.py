"""Speech as an OGG/Opus file: the form in which chat platforms take voice messages."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import numpy as np

from engine.speech.base import Speech
from personas.errors import InvalidInputError, UnavailableError

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame

_RATE: Final = 48_000
"""The only rate at which every Opus decoder is at home."""
LEAST_BITRATE: Final = 12_000
"""Bits a second below which speech is no pleasure."""


def opus_bytes(speech: Speech, *, bitrate: int = 32_000) -> bytes:
    """The bytes of an OGG file: Opus, mono, 48 kHz.

    Args:
        speech: what was said.
        bitrate: bits a second; 32,000 is clear, `LEAST_BITRATE` still understood.

    Raises:
        InvalidInputError: there is no sound in it.
        UnavailableError: the encoder failed.
    """
    if not len(speech.samples):
        raise InvalidInputError("There is no sound to send.")
    import av

    file, at = io.BytesIO(), 0
    samples = np.clip(np.nan_to_num(speech.samples, nan=0.0, posinf=1.0, neginf=-1.0), -1.0, 1.0)
    try:
        with av.open(file, "w", format="ogg") as container:
            stream = container.add_stream("libopus", rate=_RATE, layout="mono")
            stream.codec_context.bit_rate = max(bitrate, 6_000)
            stream.codec_context.options = {"application": "voip"}

            def write(piece: AudioFrame) -> int:
                piece.pts, piece.time_base = at, Fraction(1, _RATE)
                container.mux(stream.encode(piece))
                return at + piece.samples

            resampler = av.AudioResampler(format="flt", layout="mono", rate=_RATE)
            for start in range(0, len(samples), speech.sample_rate):
                part = np.ascontiguousarray(samples[None, start : start + speech.sample_rate])
                frame = av.AudioFrame.from_ndarray(
                    part.astype(np.float32), format="flt", layout="mono"
                )
                frame.sample_rate, frame.pts = speech.sample_rate, start
                frame.time_base = Fraction(1, speech.sample_rate)
                for piece in resampler.resample(frame):
                    at = write(piece)
            for piece in resampler.resample(None):
                at = write(piece)
            container.mux(stream.encode(None))
    except av.FFmpegError as error:
        raise UnavailableError("The voice message could not be encoded.") from error
    return file.getvalue()
