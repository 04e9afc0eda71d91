"""bench sadtalker: how fast the talking head for GPUs is on this machine."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec
from typing import TYPE_CHECKING

from bot.output import print_json, print_table, say
from bot.progress import Step
from personas.errors import InvalidInputError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bot.app import App
    from engine.talkinghead.sadtalker.bench import Report


async def sadtalker(
    app: App,
    resolutions: Sequence[int],
    batches: Sequence[int],
    seconds: Sequence[float],
    *,
    size: int,
    original: Path | None,
    as_json: bool,
) -> None:
    """Measures and prints.

    Raises:
        UnavailableError: PyTorch is not installed, or the original program does not run.
        InvalidInputError: a size is none, or there is no original program.
    """
    if find_spec("torch") is None or find_spec("safetensors") is None:
        raise UnavailableError("SadTalker needs PyTorch: pip install 'chatanything[gpu]'.")
    if any(resolution % 128 or not 128 <= resolution <= 1024 for resolution in resolutions):
        raise InvalidInputError("The face must have a multiple of 128 pixels, at most 1024.")
    if size % 2:
        raise InvalidInputError("A clip's width and height must be even.")
    from engine.talkinghead.sadtalker import bench

    with Step("Measuring") as step:

        def doing(what: str) -> None:
            step.at(0, f"Measuring: {what}")

        report = await asyncio.to_thread(
            bench.run,
            app.settings.talking_head.sadtalker,
            resolutions=resolutions,
            batches=batches,
            seconds=seconds,
            size=size,
            original=original,
            doing=doing,
        )
    if as_json:
        print_json(report.as_dict())
    else:
        _print(report)


def _print(report: Report) -> None:
    where = report.device
    if where == "CPU":
        where += f", {report.threads} threads of PyTorch"
    say(f"On {where}; frames of {report.size} pixels; random weights.")
    ways = report.measured
    print_table(
        ("face", "batch", "precision", "speech, s", "frames", "first frame, s", "all, s",
         "frames a second", "real-time factor", "memory, MB"),
        [
            (way.resolution, way.batch, way.precision, clip.audio_seconds, clip.frames,
             clip.first_frame, clip.total, clip.fps, clip.real_time_factor, way.memory_mb)
            for way in ways
            for clip in way.clips
        ],
    )  # fmt: skip
    print_table(
        ("face", "batch", "stage", "ms", "for each", "share of the device's measured peak"),
        [
            (way.resolution, way.batch, stage.name, stage.milliseconds, stage.per,
             f"{100 * way.peak_share:.0f}% ({way.largest_tflops:.3g} of {way.peak_tflops:.3g} "
             "TFLOPS)" if stage.name == way.largest else "")
            for way in ways
            for stage in way.stages
        ],
    )  # fmt: skip
    if report.beside:
        say("The original program with the same weights and sound, in the same run:")
        print_table(
            ("face", "speech, s", "frames", "listening, s", "rendering, s", "pasting, s", "all, s",
             "memory, MB", "here, s", "times as fast", "alike, dB"),
            [
                (one.resolution, one.audio_seconds, one.frames, one.listening, one.rendering,
                 one.pasting, one.total, one.memory_mb, min(one.here.values()), one.ratio,
                 one.alike)
                for one in report.beside
            ],
        )  # fmt: skip
