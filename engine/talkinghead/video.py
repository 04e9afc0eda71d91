"""Frames and speech to an MP4, encoded while they are drawn."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from engine.portrait.base import Image
from engine.speech.base import Speech
from engine.stopwatch import Stopwatch
from engine.talkinghead import encoders
from engine.talkinghead.ahead import ClipCancelledError, DrawAhead, Planes
from engine.talkinghead.base import Clip
from engine.talkinghead.settings import EncoderSettings
from engine.talkinghead.voice import clean_samples
from personas.errors import InvalidInputError, UnavailableError

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import OutputContainer

__all__ = ["ClipCancelledError", "encode"]

_AAC_RATES: Final = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)


def encode(
    frames: Iterable[Image],
    speech: Speech | None,
    *,
    fps: int,
    size: int,
    settings: EncoderSettings | None = None,
    cancel: threading.Event | None = None,
    watch: Stopwatch | None = None,
) -> Clip:
    """Encodes a clip while another thread draws its frames.

    Args:
        frames: [size, size, 3] RGB uint8; each is taken before the next one is asked for.
        speech: the sound; None makes a silent clip.
        fps: frames a second.
        size: width and height, even.
        settings: preset, quality, threads.
        cancel: when set, drawing and encoding end soon and nothing is left behind.
        watch: told how long drawing, colour conversion and encoding take.

    Raises:
        InvalidInputError: the size is odd, a frame has another one, or there is no frame.
        ClipCancelledError: `cancel` was set.
        UnavailableError: the encoder failed, or there is no room for its file.
    """
    settings, watch = settings or EncoderSettings(), watch or Stopwatch()
    if size < 16 or size % 2:
        raise InvalidInputError("A clip's width and height must be even, and at least 16 pixels.")
    sound = clean_samples(speech) if speech is not None else None
    rate = speech.sample_rate if speech is not None else 0
    import av

    try:
        # The header can be moved to the front only in a real file.
        with _temporary_file() as path:
            with DrawAhead(frames, size, cancel, watch) as drawn:
                count = _write(path, drawn, sound, rate, fps, size, settings, watch)
            return Clip(data=path.read_bytes(), duration=count / fps, size=size, frames=count)
    except (OSError, av.FFmpegError) as error:
        raise UnavailableError("The clip could not be encoded on this machine.") from error


@contextmanager
def _temporary_file() -> Iterator[Path]:
    handle, name = tempfile.mkstemp(prefix="clip-", suffix=".mp4")
    os.close(handle)
    path = Path(name)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _write(
    path: Path,
    drawn: Iterable[Planes],
    sound: NDArray[np.float32] | None,
    sample_rate: int,
    fps: int,
    size: int,
    settings: EncoderSettings,
    watch: Stopwatch,
) -> int:
    import av

    count = 0
    with ExitStack() as stack:
        for codec in encoders.choose(settings, size):
            container = stack.enter_context(
                av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
            )
            video = encoders.add_video(container, codec, fps, size, settings)
            if encoders.opens(video):
                break
            stack.close()
        if sound is not None and len(sound):
            audio = _audio_stream(container, sample_rate, settings)
            with watch.stage("sound"):
                _encode_sound(container, audio, sound, sample_rate)
        for planes in drawn:
            with watch.stage("encoding"):
                frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
                frame.pts, frame.time_base = count, Fraction(1, fps)
                frame.colorspace, frame.color_range = encoders.BT601, encoders.LIMITED
                container.mux(video.encode(frame))
            count += 1
        if not count:
            raise InvalidInputError("A clip needs at least one frame.")
        with watch.stage("encoding"):
            container.mux(video.encode(None))
    return count


def _audio_stream(
    container: OutputContainer, sample_rate: int, settings: EncoderSettings
) -> AudioStream:
    rate = sample_rate if sample_rate in _AAC_RATES else 48_000
    stream = container.add_stream("aac", rate=rate, layout="mono")
    stream.codec_context.bit_rate = settings.audio_bitrate
    return stream


def _encode_sound(
    container: OutputContainer, stream: AudioStream, sound: NDArray[np.float32], sample_rate: int
) -> None:
    import av

    rate, at = stream.rate, 0

    def write(piece: AudioFrame) -> int:
        piece.pts, piece.time_base = at, Fraction(1, rate)
        container.mux(stream.encode(piece))
        return at + piece.samples

    resampler = av.AudioResampler(format="fltp", layout="mono", rate=rate)
    for start in range(0, len(sound), sample_rate):
        part = np.ascontiguousarray(sound[None, start : start + sample_rate])
        frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
        frame.sample_rate, frame.pts = sample_rate, start
        frame.time_base = Fraction(1, sample_rate)
        for piece in resampler.resample(frame):
            at = write(piece)
    if rate != sample_rate:
        for piece in resampler.resample(None):
            at = write(piece)
    container.mux(stream.encode(None))
