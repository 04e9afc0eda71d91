"""Sound as a service sends it: MP3, WAV, Opus and the like, decoded to samples."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personas.errors import UnavailableError

_CONTAINERS = "aac,flac,matroska,mov,mp3,mpegts,ogg,wav"
"""What is opened at all. Playlists are not among them: they make their reader open other files."""


def decode(data: bytes, sample_rate: int, *, max_seconds: float) -> NDArray[np.float32]:
    """The samples of a sound: [n] float32 mono.

    What is longer than `max_seconds` is left out; a file that breaks off counts up to there.

    Args:
        data: of a file.
        sample_rate: Hz that are wanted.
        max_seconds: the most that is decoded.

    Raises:
        UnavailableError: there is no sound in it that can be read.
    """
    import av

    pieces: list[NDArray[np.float32]] = []
    room = int(max_seconds * sample_rate)
    options = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "none"}
    try:
        with av.open(io.BytesIO(data), "r", options=options, metadata_errors="ignore") as container:
            resampler = av.AudioResampler("flt", "mono", sample_rate)
            for frame in container.decode(audio=0):
                frame.pts = None
                for piece in resampler.resample(frame):
                    pieces.append(_samples(piece))
                    room -= len(pieces[-1])
                if room <= 0:
                    break
            pieces += map(_samples, resampler.resample(None))
    except (av.FFmpegError, OSError, ValueError, IndexError, RuntimeError) as error:
        if not pieces:
            raise UnavailableError("What the voice service sent is not a sound.") from error
    samples = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
    return np.clip(np.nan_to_num(samples, posinf=0.0, neginf=0.0), -1.0, 1.0)


def _samples(frame: Any) -> NDArray[np.float32]:
    samples: NDArray[np.float32] = frame.to_ndarray().reshape(-1)
    return samples
