"""A file that somebody sent, as sound: checked against the limits, then decoded."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.hearing.base import NothingHeardError
from personas.errors import InvalidInputError

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer

SAMPLE_RATE: Final = 16_000
"""Hz: what recognizers listen at."""

_SHORTEST: Final = 0.15
"""Seconds: nobody says a word in less."""
_SILENT: Final = 10 ** (-60 / 20)
"""The loudest moment of a recording in which there is nothing but the hum of the microphone."""
_CONTAINERS: Final = "aac,aiff,amr,asf,avi,caf,flac,matroska,mov,mp3,mpegts,ogg,wav"
"""What is opened at all. Playlists are not among them: they make their reader open other files."""
_SLACK: Final = 1.0
"""Seconds over the limit that are forgiven: platforms round."""

Sound = NDArray[np.float32]
"""[n] mono at `SAMPLE_RATE`, -1 to 1."""


def read_recording(data: bytes, *, max_seconds: float, max_bytes: int) -> Sound:
    """Decodes the sound of a file.

    Work is bounded by the limits whatever the file says of itself: it is not opened when it is
    too large, not decoded when it says that it is too long, and decoded no further than allowed.

    Args:
        data: Ogg, MP4, M4A, MP3, WAV, WebM, FLAC, AMR ...; a picture track is not looked at.
        max_seconds: the longest that is listened to.
        max_bytes: the largest.

    Raises:
        InvalidInputError: it is empty, too large, too long, damaged, or has no sound.
        NothingHeardError: it is silent, or too short for a word.
    """
    if not data:
        raise InvalidInputError("This recording is empty.")
    if len(data) > max_bytes:
        raise InvalidInputError(
            f"This recording has {_megabytes(len(data))}; I listen to at most "
            f"{_megabytes(max_bytes)}."
        )
    with _opened(data) as (container, stream):
        seconds = _claimed_seconds(container, stream)
        if seconds > max_seconds + _SLACK:
            raise _too_long(seconds, max_seconds)
        pieces: list[Sound] = []
        room = int((max_seconds + _SLACK) * SAMPLE_RATE)
        for piece in _decoded(container, stream):
            room -= len(piece)
            if room < 0:
                raise _too_long(None, max_seconds)
            pieces.append(piece)
    if not pieces:
        raise _damaged()
    sound = np.concatenate(pieces)
    if len(sound) < _SHORTEST * SAMPLE_RATE:
        raise NothingHeardError("This recording is too short to hear a word in it.")
    if float(np.abs(sound).max()) < _SILENT:
        raise NothingHeardError("This recording is silent. Is the microphone switched on?")
    return sound


@contextmanager
def _opened(data: bytes) -> Iterator[tuple[InputContainer, AudioStream]]:
    import av

    options = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "none"}
    try:
        container = av.open(io.BytesIO(data), "r", options=options, metadata_errors="ignore")
    except (av.FFmpegError, ValueError, OSError, RuntimeError) as error:
        raise _damaged() from error
    with container:
        streams = container.streams.audio
        if not streams:
            raise InvalidInputError("There is no sound in this file.")
        yield container, streams[0]


def _claimed_seconds(container: InputContainer, stream: AudioStream) -> float:
    """How long the file says it is; 0 where it does not tell."""
    claims = [0.0]
    if container.duration:
        claims.append(container.duration / 1_000_000)
    if stream.duration and stream.time_base:
        claims.append(float(stream.duration * stream.time_base))
    return max(claims)


def _decoded(container: InputContainer, stream: AudioStream) -> Iterator[Sound]:
    """The sound as far as it can be read, piece by piece."""
    import av

    resampler: Any = None
    shape: Any = None
    for frame in _frames(container, stream):
        frame.pts = None  # gaps and jumps in a file's clock do not matter here
        here = (frame.format.name, frame.layout.name, frame.sample_rate)
        try:
            if here != shape:
                if resampler is not None:
                    yield from map(_samples, resampler.resample(None))
                resampler = av.AudioResampler("flt", "mono", SAMPLE_RATE)
                shape = here
            yield from map(_samples, resampler.resample(frame))
        except (av.FFmpegError, ValueError) as error:
            raise _damaged() from error
    if resampler is not None:
        yield from map(_samples, resampler.resample(None))


def _frames(container: InputContainer, stream: AudioStream) -> Iterator[Any]:
    """What the decoder makes of each packet; one that is broken is left out, as players do."""
    import av

    try:
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except (av.FFmpegError, ValueError):
                continue
            yield from frames
    except (av.FFmpegError, OSError):
        return  # cut off: what came before it counts


def _samples(frame: Any) -> Sound:
    samples: Sound = frame.to_ndarray().reshape(-1)
    return np.clip(np.nan_to_num(samples, posinf=0.0, neginf=0.0), -1.0, 1.0)


def _too_long(seconds: float | None, most: float) -> InvalidInputError:
    is_long = f"is {_length(seconds)} long" if seconds else f"is longer than {_length(most)}"
    return InvalidInputError(f"This recording {is_long}; I listen to at most {_length(most)}.")


def _length(seconds: float) -> str:
    """A length as people say it, such as `5 minutes`."""
    if seconds < 120:
        return f"{math.floor(seconds)} seconds"
    if seconds < 7_200:
        return f"{math.floor(seconds / 60)} minutes"
    return f"{math.floor(seconds / 3_600)} hours"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.0f} MB" if size >= 9_950_000 else f"{size / 1e6:.1f} MB"


def _damaged() -> InvalidInputError:
    return InvalidInputError(
        "I cannot open this recording: it is damaged, or of a kind that I do not know."
    )
