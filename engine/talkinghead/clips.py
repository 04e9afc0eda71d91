"""What else is done with a clip: its first picture, and a smaller copy."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from engine.portrait.base import Image
from engine.speech.base import Speech
from engine.talkinghead.base import Clip
from engine.talkinghead.settings import EncoderSettings
from engine.talkinghead.video import encode
from personas.errors import InvalidInputError

if TYPE_CHECKING:
    from av.container import InputContainer

_UNREADABLE: Final = "This clip cannot be read: it is not a video, or it is damaged."

_STEPS: Final = (
    (512, 26, 48_000),
    (480, 29, 40_000),
    (400, 31, 32_000),
    (320, 33, 32_000),
    (256, 36, 24_000),
    (192, 40, 16_000),
)
"""Size, quality and sound of ever smaller copies."""


def pictures(clip: Clip) -> Iterator[Image]:
    """The decoded frames, [size, size, 3] RGB.

    Raises:
        InvalidInputError: it is no video.
    """
    import av

    try:
        with _opened(clip) as container:
            for frame in container.decode(video=0):
                yield np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    except (av.FFmpegError, IndexError) as error:
        raise InvalidInputError(_UNREADABLE) from error


def sound(clip: Clip) -> Speech | None:
    """The decoded sound, without phonemes; None where the clip is silent.

    Raises:
        InvalidInputError: it is no video.
    """
    import av

    try:
        with _opened(clip) as container:
            if not container.streams.audio:
                return None
            rate = container.streams.audio[0].rate
            resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
            parts = [
                piece.to_ndarray()[0]
                for frame in container.decode(audio=0)
                for piece in resampler.resample(frame)
            ]
    except av.FFmpegError as error:
        raise InvalidInputError(_UNREADABLE) from error
    samples = np.concatenate(parts) if parts else np.zeros(0, np.float32)
    return Speech(samples.astype(np.float32), rate, (), (), "")


def thumbnail(clip: Clip, size: int = 320) -> bytes:
    """The first picture as a JPEG, at most `size` pixels wide.

    Raises:
        InvalidInputError: the clip cannot be read.
    """
    first = next(pictures(clip), None)
    if first is None:
        raise InvalidInputError(_UNREADABLE)
    side = min(size, clip.size)
    small = cv2.resize(first, (side, side), interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(
        ".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 85]
    )
    return data.tobytes()


def reencode(clip: Clip, max_bytes: int) -> Clip:
    """The same clip in at most `max_bytes`: as it is if it fits, else smaller and coarser.

    Raises:
        InvalidInputError: it cannot be made so small, or cannot be read.
    """
    if len(clip.data) <= max_bytes:
        return clip
    speech = sound(clip)
    fps = max(1, round(clip.frames / clip.duration)) if clip.duration > 0 else 25
    for index, (size, crf, audio_bitrate) in enumerate(_STEPS):
        larger_step = index + 1 < len(_STEPS) and size > clip.size
        if larger_step or _hopeless(clip, max_bytes, index):
            continue
        size = min(size, clip.size)
        settings = EncoderSettings(preset="medium", crf=crf, audio_bitrate=audio_bitrate)
        smaller = encode(_scaled(clip, size), speech, fps=fps, size=size, settings=settings)
        if len(smaller.data) <= max_bytes:
            return smaller
    raise InvalidInputError(
        f"A clip of {clip.duration:.0f} seconds cannot be made as small as {max_bytes} bytes."
    )


def _hopeless(clip: Clip, max_bytes: int, index: int) -> bool:
    """Whether the sound alone is too large at this step, and a later step may do."""
    return index + 1 < len(_STEPS) and _STEPS[index][2] / 8 * clip.duration > max_bytes


def _scaled(clip: Clip, size: int) -> Iterator[Image]:
    for picture in pictures(clip):
        if size == clip.size:
            yield picture
        else:
            yield np.asarray(
                cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA), np.uint8
            )


def _opened(clip: Clip) -> InputContainer:
    import av

    try:
        return av.open(io.BytesIO(clip.data), "r")
    except (av.FFmpegError, ValueError) as error:
        raise InvalidInputError(_UNREADABLE) from error
