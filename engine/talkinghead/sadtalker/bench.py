"""How fast SadTalker is on this machine, by stage and in all.

With random weights: speed does not depend on their values.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from engine.machine import peak_memory_mb
from engine.portrait.base import Image
from engine.talkinghead.bench import sample_portrait, sample_speech
from engine.talkinghead.motion import frame_count
from engine.talkinghead.sadtalker.acting import coefficients_of, keypoints_of
from engine.talkinghead.sadtalker.audio import FPS, hear, resample
from engine.talkinghead.sadtalker.comparison import Beside, compare
from engine.talkinghead.sadtalker.direction import direct, rank_styles
from engine.talkinghead.sadtalker.head import SadTalkerHead
from engine.talkinghead.sadtalker.opening import device_of, precision_of
from engine.talkinghead.sadtalker.original import check
from engine.talkinghead.sadtalker.pasting import Paster
from engine.talkinghead.sadtalker.peak import measure_flops, measure_peak
from engine.talkinghead.sadtalker.source import make_source
from engine.talkinghead.sadtalker.weights import SadTalkerNetworks
from engine.talkinghead.settings import EncoderSettings, SadTalkerSettings
from engine.talkinghead.video import encode

_REPEATS: Final = 5
"""Times that a stage is measured; the median counts."""


@dataclass(frozen=True)
class Stage:
    """A part of the work.

    Attributes:
        name: which.
        per: portrait, clip or frame: how often it is done.
        milliseconds: for one of these.
    """

    name: str
    per: str
    milliseconds: float


@dataclass(frozen=True)
class Clip:
    """One clip as it is made for a person: drawn and encoded at the same time.

    Attributes:
        audio_seconds: length of the speech.
        frames: that were made, every one of them measured.
        first_frame: seconds until the first one.
        total: seconds until the clip is a file.
        fps: frames by `total`.
        real_time_factor: `total` by the clip's length; below 1 is faster than it is watched.
    """

    audio_seconds: float
    frames: int
    first_frame: float
    total: float
    fps: float
    real_time_factor: float


@dataclass(frozen=True)
class Measured:
    """One way to run it.

    Attributes:
        resolution: of the face, pixels.
        batch: frames at once, as it was found where 0 was asked for.
        precision: of the renderer.
        compiled: whether the renderer was.
        stages: each alone, waited for.
        clips: with all stages together.
        memory_mb: of the GPU at its most; of the process where there is none.
        largest: the stage that takes most of a frame.
        largest_tflops: what it does, by its own time.
        peak_tflops: the most that a large product or convolution of the same precision did here.
        peak_share: how near the largest stage comes to that.
    """

    resolution: int
    batch: int
    precision: str
    compiled: bool
    stages: tuple[Stage, ...]
    clips: tuple[Clip, ...]
    memory_mb: float | None
    largest: str
    largest_tflops: float
    peak_tflops: float
    peak_share: float


@dataclass(frozen=True)
class Report:
    """All that was measured.

    Attributes:
        device: its name.
        threads: of the CPU that PyTorch uses.
        size: of a frame, pixels.
        measured: by resolution and batch.
        beside: the original program; empty where it was not asked for.
    """

    device: str
    threads: int
    size: int
    measured: tuple[Measured, ...]
    beside: tuple[Beside, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def run(
    settings: SadTalkerSettings,
    *,
    resolutions: Sequence[int] = (),
    batches: Sequence[int] = (),
    seconds: Sequence[float] = (),
    size: int = 512,
    original: Path | None = None,
    doing: Callable[[str], None] = lambda _: None,
) -> Report:
    """Measures.

    Args:
        settings: device, precision, framing, compilation.
        resolutions: of the face; on a GPU 256 and 512, elsewhere 128, where none is given.
        batches: frames at once, 0 as memory allows; on a GPU 1, 8 and 0, elsewhere 1.
        seconds: lengths of the speech; on a GPU 5 and 20, elsewhere 0.4.
        size: of a frame.
        original: a checkout of the original program, to be measured in the same run.
        doing: told what is measured.

    Raises:
        InvalidInputError: there is no original program.
        UnavailableError: the original program did not run.
    """
    if original is not None:
        check(original)
    device = device_of(settings)
    gpu = device.type == "cuda"
    precision = precision_of(settings, device)
    doing("Making random weights")
    networks = SadTalkerNetworks.random(
        coefficients=73 if settings.framing == "full" else 70, device=device, precision=precision
    )
    peak = measure_peak(device, precision)
    resolutions = resolutions or ((256, 512) if gpu else (128,))
    lengths = seconds or ((5.0, 20.0) if gpu else (0.4,))
    measured = []
    for resolution in resolutions:
        for batch in batches or ((1, 8, 0) if gpu else (1,)):
            doing(f"{resolution} pixels, batch {batch or 'as memory allows'}")
            how = settings.model_copy(update={"batch": batch})
            measured.append(_measure(networks, how, resolution, lengths, size, peak))
    beside = []
    if original is not None:
        for resolution in resolutions:
            doing(f"{resolution} pixels, the original program")
            ours = {
                way.batch: [clip.total for clip in way.clips]
                for way in measured
                if way.resolution == resolution
            }
            beside += compare(
                original,
                networks,
                settings,
                ours,
                resolution=resolution,
                lengths=lengths,
                size=size,
            )
    name = torch.cuda.get_device_name(device) if gpu else "CPU"
    return Report(name, torch.get_num_threads(), size, tuple(measured), tuple(beside))


def _measure(
    networks: SadTalkerNetworks,
    settings: SadTalkerSettings,
    resolution: int,
    lengths: Sequence[float],
    size: int,
    peak: float,
) -> Measured:
    gpu = networks.device.type == "cuda"
    if gpu:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(networks.device)
    head = SadTalkerHead(lambda: networks, size=size, resolution=resolution, settings=settings)
    source = head.prepare(sample_portrait(size))
    # What is compiled, tuned or allocated on the way belongs to no clip.
    warm = 2.0 if gpu else 1 / FPS
    for _ in head.frames(source, sample_speech(warm)):
        pass
    clips = tuple(_clip(head, source, length, size) for length in lengths)
    memory = peak_memory_mb()
    if gpu:
        memory = torch.cuda.max_memory_allocated(networks.device) / 2**20
    batch = head.batch
    stages, flops = _stages(networks, settings, resolution, size, batch, max(lengths))
    largest = max((s for s in stages if s.per == "frame"), key=lambda s: s.milliseconds)
    done = flops.get(largest.name, 0.0) / (largest.milliseconds / 1000) / 1e12
    return Measured(
        resolution=resolution,
        batch=batch,
        precision=str(networks.precision).removeprefix("torch."),
        compiled=settings.compile and gpu,
        stages=tuple(replace(s, milliseconds=round(s.milliseconds, 3)) for s in stages),
        clips=clips,
        memory_mb=None if memory is None else round(memory, 1),
        largest=largest.name,
        largest_tflops=round(done, 4),
        peak_tflops=round(peak / 1e12, 4),
        peak_share=round(done * 1e12 / peak, 3),
    )


def _clip(head: SadTalkerHead, source: Any, length: float, size: int) -> Clip:
    speech = sample_speech(length)
    first: list[float] = []
    start = time.perf_counter()

    def watched() -> Iterator[Image]:
        for frame in head.frames(source, speech):
            if not first:
                first.append(time.perf_counter() - start)
            yield frame

    made = encode(watched(), speech, fps=FPS, size=size, settings=EncoderSettings())
    total = time.perf_counter() - start
    return Clip(
        audio_seconds=round(speech.duration, 3),
        frames=made.frames,
        first_frame=round(first[0], 4),
        total=round(total, 4),
        fps=round(made.frames / total, 2),
        real_time_factor=round(total / made.duration, 3),
    )


def _stages(
    networks: SadTalkerNetworks,
    settings: SadTalkerSettings,
    resolution: int,
    size: int,
    batch: int,
    length: float,
) -> tuple[list[Stage], dict[str, float]]:
    """Each stage alone, and how many operations those of a frame take."""
    device, generator = networks.device, networks.generator
    portrait, speech = sample_portrait(size), sample_speech(length)
    frames = frame_count(speech.duration, FPS)
    stages = []

    def timed(name: str, per: str, count: int, work: Callable[[], Any]) -> Any:
        milliseconds, result = _median(work, device)
        stages.append(Stage(name, per, milliseconds / count))
        return result

    def prepare() -> Any:
        return make_source(
            portrait, networks, size=size, resolution=resolution, framing=settings.framing
        )

    source = timed("prepare a portrait", "portrait", 1, prepare)
    samples = resample(speech)
    windows = timed("mel windows", "clip", 1, lambda: hear(samples, frames))
    direction = direct(
        frames, source.mood, 0, settings=settings, ranks=rank_styles(networks.pose), speech=speech
    )

    def listen() -> Tensor:
        return coefficients_of(networks, source.coefficients, windows, direction)

    coefficients = timed("expression and pose", "clip", 1, listen)
    keypoints = timed(
        "mapping and keypoints",
        "clip",
        1,
        lambda: keypoints_of(networks, source, coefficients, direction, still=settings.still),
    )
    driving = keypoints[torch.arange(batch, device=device) % len(keypoints)]
    paster = Paster(source.canvas, device)
    with torch.inference_mode():

        def warp() -> Tensor:
            return generator.decoder_features(source.features, source.keypoints, driving)

        features = timed("dense motion and warp", "frame", batch, warp)

        def paint() -> Tensor:
            painted: Tensor = generator.decoder(features)
            return painted

        faces = timed("SPADE decoder", "frame", batch, paint)
        pasted = timed("paste back", "frame", batch, lambda: paster.paste(faces))
        timed("copy to the host", "frame", batch, lambda: np.asarray(pasted.cpu()))
        flops = {
            "dense motion and warp": measure_flops(warp) / batch,
            "SPADE decoder": measure_flops(paint) / batch,
        }
    return stages, flops


def _median(work: Callable[[], Any], device: torch.device) -> tuple[float, Any]:
    """Milliseconds, the device being waited for; and what came of it."""
    spans = []
    result = None
    for _ in range(_REPEATS if device.type == "cuda" else 3):
        _wait(device)
        start = time.perf_counter()
        result = work()
        _wait(device)
        spans.append(1000 * (time.perf_counter() - start))
    return sorted(spans)[len(spans) // 2], result


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
