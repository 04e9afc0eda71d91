"""Recordings as people send them, encoded on the spot."""

from __future__ import annotations

import io
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

KINDS = {
    "voice message": ("ogg", "libopus"),
    "video note": ("mp4", "aac"),
    "m4a": ("ipod", "aac"),
    "mp3": ("mp3", "libmp3lame"),
    "wav": ("wav", "pcm_s16le"),
    "webm": ("webm", "libopus"),
    "flac": ("flac", "flac"),
}
"""What people call it, and the container and codec that it is."""


def recording(
    samples: NDArray[np.float32], rate: int, kind: str = "wav", *, stereo: bool = False
) -> bytes:
    """A file of one kind; a video note has a picture as well."""
    container_format, codec = KINDS[kind]
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container_format) as container:
        layout = "stereo" if stereo else "mono"
        video = container.add_stream("libx264", rate=10) if kind == "video note" else None
        own_rate = 48_000 if codec == "libopus" else rate
        audio: Any = container.add_stream(codec, rate=own_rate, layout=layout)
        if video is not None:
            video.width = video.height = 64
            for shade in range(0, 200, 10):
                picture = np.full((64, 64, 3), shade, np.uint8)
                container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(video.encode())
        resampler = av.AudioResampler(audio.format.name, layout, own_rate)
        frame = av.AudioFrame.from_ndarray(samples[None, :], format="flt", layout="mono")
        frame.sample_rate = rate
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(audio.encode(piece))
        container.mux(audio.encode())
    return buffer.getvalue()


def silent_film() -> bytes:
    """A video without a sound track."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        video = container.add_stream("libx264", rate=10)
        video.width = video.height = 64
        picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
        container.mux(video.encode(picture))
        container.mux(video.encode())
    return buffer.getvalue()


def silence(seconds: float, rate: int = 16_000) -> NDArray[np.float32]:
    return np.zeros(int(seconds * rate), np.float32)


def noise(seconds: float, rate: int = 16_000, level: float = 0.1) -> NDArray[np.float32]:
    shape = np.random.default_rng(0).normal(0, level, int(seconds * rate))
    return np.clip(shape, -1, 1).astype(np.float32)
