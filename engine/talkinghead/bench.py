"""How fast clips are made on this machine, by stage."""

from __future__ import annotations

import gc
import statistics
import time
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from engine.face.painter import FacePainter
from engine.machine import peak_memory_mb
from engine.portrait.base import PortraitDraft
from engine.speech.base import Speech, TimedPhoneme
from engine.stopwatch import Stopwatch
from engine.talkinghead.base import TalkingHead
from engine.talkinghead.motion import frame_count, plan_speech
from engine.talkinghead.settings import TalkingHeadSettings
from engine.talkinghead.video import encode
from personas.persona import FaceGeometry, FaceLook

PASSES = 7
"""How often the frames are drawn to time drawing alone: machines are never all ours."""


@dataclass(frozen=True)
class ClipBenchReport:
    """What was measured; times in seconds.

    Attributes:
        renderer: name of the talking head.
        size: width and height of a frame, pixels.
        fps: frames a second of the clip.
        seconds: length of the speech.
        frames: how many were made.
        clip_bytes: size of the encoded clip.
        planning: time for visemes and motion of the whole clip.
        prepare: time to prepare the portrait, once for all its clips.
        drawing_fps: frames a second of drawing alone, on one core, for a portrait that has not
            spoken before; the median of `PASSES`.
        drawing_fps_lowest: the slowest pass.
        drawing_fps_highest: the fastest pass.
        drawing_fps_per_core: frames by the processor time that drawing them takes, the median:
            what else the machine does meanwhile hardly counts.
        redrawing_fps: the median where the portrait says again what it has said.
        colours_fps: likewise of colour conversion, while encoding.
        encoding_fps: likewise of encoding, while drawing.
        total: from speech to clip, drawing and encoding at the same time.
        real_time_factor: `total` by `seconds`; below 1 is faster than it is watched.
        encoder_share: encoding's part of the time that all stages take together.
        speech_synthesis: time to speak, where the speech was made for this.
        peak_memory_mb: the most memory this process has ever held, MiB; None where
            the system does not tell.
    """

    renderer: str
    size: int
    fps: int
    seconds: float
    frames: int
    clip_bytes: int
    planning: float
    prepare: float
    drawing_fps: float
    drawing_fps_lowest: float
    drawing_fps_highest: float
    drawing_fps_per_core: float
    redrawing_fps: float
    colours_fps: float
    encoding_fps: float
    total: float
    real_time_factor: float
    encoder_share: float
    speech_synthesis: float
    peak_memory_mb: float | None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def run(
    head: TalkingHead[Any],
    seconds: float = 5.0,
    *,
    portrait: PortraitDraft | None = None,
    speech: Speech | None = None,
    speech_synthesis: float = 0.0,
    settings: TalkingHeadSettings | None = None,
) -> ClipBenchReport:
    """Makes a clip and measures it.

    Args:
        head: who draws.
        seconds: length of the speech, where none is given.
        portrait: of whom; a face on an egg if None.
        speech: what is said; made-up syllables if None.
        speech_synthesis: seconds it took to synthesize `speech`, for the report.
        settings: of the encoder.

    Raises:
        InvalidInputError: portrait or speech cannot be used.
        UnavailableError: encoding does not work here.
    """
    settings = settings or TalkingHeadSettings()
    portrait = portrait or sample_portrait(head.capabilities.size)
    speech = speech or sample_speech(seconds)
    fps, size = head.capabilities.fps, head.capabilities.size
    gc.collect()

    start = time.perf_counter()
    prepared = head.prepare(portrait)
    prepare = time.perf_counter() - start
    start = time.perf_counter()
    plan_speech(speech, fps=fps)
    planning = time.perf_counter() - start

    drawing = _time_drawing(head, portrait, speech)

    prepared = head.prepare(portrait)
    watch = Stopwatch()
    start = time.perf_counter()
    frames = head.frames(prepared, speech)
    clip = encode(frames, speech, fps=fps, size=size, settings=settings.encoder, watch=watch)
    total = time.perf_counter() - start
    peak = peak_memory_mb()
    encoding = watch.seconds["encoding"] + watch.seconds.get("sound", 0.0)
    duration = max(speech.duration, 1e-9)
    return ClipBenchReport(
        renderer=head.name,
        size=size,
        fps=fps,
        seconds=round(speech.duration, 3),
        frames=clip.frames,
        clip_bytes=len(clip.data),
        planning=round(planning, 4),
        prepare=round(prepare, 4),
        drawing_fps=round(statistics.median(drawing.first), 1),
        drawing_fps_lowest=round(min(drawing.first), 1),
        drawing_fps_highest=round(max(drawing.first), 1),
        drawing_fps_per_core=round(statistics.median(drawing.by_core), 1),
        redrawing_fps=round(statistics.median(drawing.again), 1),
        colours_fps=round(clip.frames / max(watch.seconds["colours"], 1e-9), 1),
        encoding_fps=round(clip.frames / max(encoding, 1e-9), 1),
        total=round(total, 3),
        real_time_factor=round((total + speech_synthesis) / duration, 3),
        encoder_share=round(encoding / max(sum(watch.seconds.values()), 1e-9), 3),
        speech_synthesis=round(speech_synthesis, 3),
        peak_memory_mb=None if peak is None else round(peak, 1),
    )


@dataclass(frozen=True)
class _Drawing:
    """Frames a second of each pass: new to the portrait, by the core's time, the second time."""

    first: list[float] = field(default_factory=list)
    by_core: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)


def _time_drawing(head: TalkingHead[Any], portrait: PortraitDraft, speech: Speech) -> _Drawing:
    import cv2

    drawing = _Drawing()
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        for _ in range(PASSES):
            prepared = head.prepare(portrait)
            start, busy = time.perf_counter(), time.process_time()
            count = sum(1 for _ in head.frames(prepared, speech))
            drawing.first.append(count / max(time.perf_counter() - start, 1e-9))
            drawing.by_core.append(count / max(time.process_time() - busy, 1e-9))
            start = time.perf_counter()
            count = sum(1 for _ in head.frames(prepared, speech))
            drawing.again.append(count / max(time.perf_counter() - start, 1e-9))
    finally:
        cv2.setNumThreads(threads)
    return drawing


def sample_speech(seconds: float) -> Speech:
    """Syllables of a made-up voice, with exact timings, of about `seconds`."""
    rate = 24_000
    count = max(1, frame_count(seconds, 25) * rate // 25)
    time_axis = np.arange(count) / rate
    sounds = ["m", "aɪ", "b", "ɑ", "t", "s", "oʊ", "f", "i", "l", "k", "eɪ", "p", "u", "n", "ə"]
    phonemes = [TimedPhoneme("", 0.0, min(0.2, seconds))]
    while phonemes[-1].end < seconds - 0.2:
        start = phonemes[-1].end
        index = len(phonemes)
        symbol = "" if index % 23 == 0 else sounds[index % len(sounds)]
        length = 0.3 if not symbol else 0.07 if len(symbol) == 1 else 0.13
        stressed = symbol in ("aɪ", "oʊ", "eɪ") and index % 3 == 0
        phonemes.append(TimedPhoneme(symbol, start, min(start + length, seconds), stressed))
    phonemes.append(TimedPhoneme("", phonemes[-1].end, count / rate))
    loud = np.zeros(count)
    for phoneme in phonemes:
        if phoneme.symbol:
            loud[int(phoneme.start * rate) : int(phoneme.end * rate)] = 0.3
    melody = np.cumsum(140 + 25 * np.sin(time_axis * 2.1)) / rate
    samples = loud * np.sin(2 * np.pi * melody)
    return Speech(samples.astype(np.float32), rate, tuple(phonemes), (), "")


def sample_portrait(size: int) -> PortraitDraft:
    """A face on an egg."""
    import cv2

    background = np.full((size, size, 3), (226, 236, 244), np.uint8)
    body = np.zeros((size, size, 4), np.uint8)
    body[..., :3] = (240, 196, 120)
    mask = np.zeros((size, size), np.uint8)
    axes = (round(size * 0.34), round(size * 0.42))
    cv2.ellipse(mask, (size // 2, round(size * 0.54)), axes, 0, 0, 360, 255, -1, cv2.LINE_AA)
    body[..., 3] = mask
    x, y, width = size / 2, size * 0.44, size * 0.5
    geometry = FaceGeometry(
        source="drawn",
        left_eye=(x - 0.23 * width, y),
        right_eye=(x + 0.23 * width, y),
        eye_radius=0.115 * width,
        nose=(x, y + 0.28 * width),
        mouth=(x, y + 0.5 * width),
        mouth_width=0.38 * width,
        centre=(x, y + 0.16 * width),
        width=width,
        height=1.27 * width,
    )
    look = FaceLook(rendering="shaded", skin="#f0c478", nose_kind="button")
    share = body[..., 3:].astype(np.float32) / 255
    image = np.rint(body[..., :3] * share + background * (1 - share)).astype(np.uint8)
    FacePainter(geometry, look).paint(image)
    return PortraitDraft(
        image=image,
        geometry=geometry,
        style="sample",
        seed=0,
        generator="sample",
        look=look,
        background=background,
        body=body,
    )
