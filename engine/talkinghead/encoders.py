"""Encoders of video: the GPU's where there is one, x264 everywhere else."""

from __future__ import annotations

import logging
import os
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from engine.talkinghead.settings import EncoderSettings

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.video.stream import VideoStream

log = logging.getLogger(__name__)

Codec = Literal["libx264", "h264_nvenc"]

BT601: Final = 6
LIMITED: Final = 1
_BT709: Final = 1
"""ffmpeg's numbers for the matrix the planes were made with, for luma from 16 to 235, and for the
primaries and the transfer of pictures as they are seen on screens."""

_DRIVERS: Final = ("/dev/nvidiactl", "/dev/dxg")
"""Where NVIDIA's driver answers: on Linux, and on Linux within Windows."""
_SMALLEST: Final = 160
"""Pixels; NVENC takes nothing much smaller."""
_NVENC_PRESETS: Final = {
    "ultrafast": "p1",
    "superfast": "p1",
    "veryfast": "p3",
    "faster": "p4",
    "fast": "p5",
    "medium": "p6",
    "slow": "p7",
}


def choose(settings: EncoderSettings, size: int) -> tuple[Codec, ...]:
    """Which encoders can make a clip of `size` pixels, the best first; x264 is the last of them."""
    if settings.codec == "x264" or size < _SMALLEST or not has_nvenc():
        return ("libx264",)
    return ("h264_nvenc", "libx264")


@lru_cache(maxsize=1)
def has_nvenc() -> bool:
    """Whether the GPU's encoder works here; found out once, by encoding a black frame."""
    if os.name != "nt" and not any(Path(driver).exists() for driver in _DRIVERS):
        return False
    import av

    try:
        context = av.CodecContext.create("h264_nvenc", "w")
        assert isinstance(context, av.VideoCodecContext)
        context.width = context.height = 256
        context.pix_fmt, context.time_base = "yuv420p", Fraction(1, 25)
        context.encode(av.VideoFrame(256, 256, "yuv420p"))
        context.encode(None)
    except (av.FFmpegError, ValueError):  # no such GPU, no driver, or not in this build
        return False
    return True


def add_video(
    container: OutputContainer, codec: Codec, fps: int, size: int, settings: EncoderSettings
) -> VideoStream:
    """A stream of square pictures in `container`."""
    stream = container.add_stream(codec, rate=fps, options=_options(codec, settings))
    stream.width = stream.height = size
    stream.pix_fmt = "yuv420p"
    context = stream.codec_context
    context.time_base = Fraction(1, fps)
    context.gop_size = 4 * fps
    context.colorspace, context.color_range = BT601, LIMITED
    context.color_primaries, context.color_trc = _BT709, _BT709
    return stream


def opens(stream: VideoStream) -> bool:
    """Whether an encoder is ready; of a GPU's there are only a few at a time.

    Raises:
        av.FFmpegError: it is x264 that is not.
    """
    import av

    try:
        stream.codec_context.open(strict=False)
    except av.FFmpegError as error:
        if stream.codec_context.name == "libx264":
            raise
        log.info("The GPU's encoder is not to be had, x264 takes its place: %s", error)
        return False
    return True


def _options(codec: Codec, settings: EncoderSettings) -> dict[str, str]:
    if codec == "h264_nvenc":
        preset = _NVENC_PRESETS[settings.preset]
        # Its constant quality looks like x264's at the same number, a little larger.
        return {"preset": preset, "tune": "hq", "rc": "vbr", "cq": str(settings.crf), "b": "0"}
    threads = settings.threads or max(1, min(4, (os.cpu_count() or 2) - 1))
    return {
        "preset": settings.preset,
        "crf": str(settings.crf),
        "tune": "animation",
        "threads": str(threads),
    }
