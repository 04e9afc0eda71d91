"""Does guidance help? The benchmark's descriptions, painted in each arm, looked at by detectors.

One picture a description and a fixed seed is what counts; the ladder of further tries is reported
apart. Results are written down line by line, so that a run that was stopped goes on.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pictures

from engine.portrait.base import FaceLandmarker, Image
from engine.portrait.benchmark.prompts import Prompt
from engine.portrait.diffusion.painter import Painter
from engine.portrait.gate import fault_of
from engine.portrait.guidance.face import draw_reference
from engine.portrait.guidance.plan import ARMS, Arm, GuidanceSettings, Rung, plan_ladder
from engine.portrait.landmarks.base import INSTALL
from personas.errors import InvalidInputError, UnavailableError
from personas.styles import Style

Done = Callable[[int, int, str], None]
"""Called with how many pictures are done, of how many, and what was painted."""

RESULTS = "results.jsonl"
PAPER = {"unguided": 57.0, "guided": 92.5}
"""Per cent of 400, arXiv 2311.06772: its own prompts and its own detector."""


@dataclass(frozen=True)
class Shown:
    """What detectors say of the pictures of one description in one arm.

    Attributes:
        arm: what guided.
        number: of the description, from 0, in the order of the benchmark.
        category: of the description.
        text: the description.
        seed: of the first picture.
        first: detector -> whether it found a face on the first picture.
        usable: the first detector's face is frontal, large enough and whole.
        tries: pictures until the first detector found a face that is; 0: it never did.
        seconds: for the first picture.
        picture: file of the first picture, in the folder of the run.
    """

    arm: Arm
    number: int
    category: str
    text: str
    seed: int
    first: dict[str, bool]
    usable: bool
    tries: int
    seconds: float
    picture: str


@dataclass(frozen=True)
class Plan:
    """What is run; a folder holds results of one plan only."""

    style: str
    arms: tuple[Arm, ...]
    descriptions: int
    seed: int
    retries: bool
    size: int
    guidance: dict[str, Any] = field(default_factory=dict)


def run(
    painter: Painter,
    style: Style,
    prompts: Sequence[Prompt],
    landmarkers: Sequence[FaceLandmarker],
    folder: Path,
    *,
    arms: Sequence[Arm] = ARMS,
    guidance: GuidanceSettings | None = None,
    seed: int = 0,
    retries: bool = True,
    batch: int = 4,
    done: Done | None = None,
) -> list[Shown]:
    """Paints every description in every arm; goes on where an earlier run in `folder` ended.

    Args:
        painter: paints.
        style: a diffused look.
        prompts: the descriptions.
        landmarkers: who looks; the first decides about further tries.
        folder: of results and pictures.
        arms: what guides. ControlNet arms are left out where there is no ControlNet.
        guidance: the ladder.
        seed: of the first description; the next has the next.
        retries: climb the ladder after a miss.
        batch: pictures that are painted together.
        done: told after each batch.

    Raises:
        UnavailableError: weights or detectors are missing.
        InvalidInputError: the folder holds results of another plan.
    """
    if not landmarkers:
        raise UnavailableError(f"No detector is here that could count faces: {INSTALL} adds one.")
    guidance = guidance or GuidanceSettings()
    able = [arm for arm in arms if arm in ("unguided", "injection") or painter.has_control(style)]
    size = painter.size_of(style)
    plan = Plan(style.name, tuple(able), len(prompts), seed, retries, size, guidance.model_dump())
    results = _Results(folder, plan)
    total = len(able) * len(prompts)
    for arm in able:
        ladder = plan_ladder(guidance, arm=arm)
        if not retries:
            ladder = ladder[:1]
        missing = [n for n in range(len(prompts)) if (arm, n) not in results.shown]
        for at in range(0, len(missing), batch):
            some = missing[at : at + batch]
            for shown in _batch(painter, style, prompts, landmarkers, ladder, arm, some, results):
                results.add(shown)
            if done is not None:
                done(len(results.shown), total, f"{arm}: {prompts[some[-1]].text}")
    return [
        results.shown[key] for key in sorted(results.shown, key=lambda k: (ARMS.index(k[0]), k[1]))
    ]


def _batch(
    painter: Painter,
    style: Style,
    prompts: Sequence[Prompt],
    landmarkers: Sequence[FaceLandmarker],
    ladder: Sequence[Rung],
    arm: Arm,
    numbers: Sequence[int],
    results: _Results,
) -> Iterator[Shown]:
    size = painter.size_of(style)
    seeds = {number: results.plan.seed + number for number in numbers}
    faces = {
        number: draw_reference(prompts[number].brief, seeds[number], size) for number in numbers
    }
    tries = dict.fromkeys(numbers, 0)
    first: dict[int, tuple[Image, dict[str, bool], float]] = {}
    open_numbers = list(numbers)
    for rung_number, rung in enumerate(ladder):
        shots = [
            painter.shot(style, prompts[n].brief, seeds[n] + rung.seed, faces[n])
            for n in open_numbers
        ]
        start = time.perf_counter()
        images = painter.paint(style, shots, rung)
        seconds = (time.perf_counter() - start) / max(len(images), 1)
        for number, image in zip(open_numbers, images, strict=True):
            seen = {one.name: one.find(image) for one in landmarkers}
            if rung_number == 0:
                found = {name: landmarks is not None for name, landmarks in seen.items()}
                first[number] = (image, found, seconds)
            counts = seen[landmarkers[0].name]
            if counts is not None and not fault_of(counts.geometry, size, size):
                tries[number] = rung_number + 1
        open_numbers = [number for number in open_numbers if not tries[number]]
        if not open_numbers:
            break
    for number in numbers:
        image, found, seconds = first[number]
        prompt = prompts[number]
        yield Shown(
            arm=arm,
            number=number,
            category=prompt.category,
            text=prompt.text,
            seed=seeds[number],
            first=found,
            usable=tries[number] == 1,
            tries=tries[number],
            seconds=round(seconds, 3),
            picture=results.keep(arm, number, image),
        )


class _Results:
    """The lines that were written down, and the pictures."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.plan = plan
        self.shown: dict[tuple[Arm, int], Shown] = {}
        self._folder = folder
        self._file = folder / RESULTS
        folder.mkdir(parents=True, exist_ok=True)
        header = json.dumps({"plan": asdict(plan)})
        if not self._file.exists():
            self._file.write_text(header + "\n", "utf-8")
            return
        lines = self._file.read_text("utf-8").split("\n")
        if json.loads(lines[0] or "{}") != json.loads(header):
            raise InvalidInputError(
                f"{folder} holds results of another run: other arms, descriptions or settings. "
                "Choose another folder."
            )
        whole = [header]
        for line in lines[1:]:
            try:
                shown = Shown(**json.loads(line))
            except (ValueError, TypeError):
                continue  # the line that was being written when the run was stopped
            self.shown[shown.arm, shown.number] = shown
            whole.append(line)
        fresh = self._file.with_suffix(".new")
        fresh.write_text("\n".join(whole) + "\n", "utf-8")
        fresh.replace(self._file)

    def add(self, shown: Shown) -> None:
        """Writes a result down; it survives whatever comes next."""
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(shown), ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.shown[shown.arm, shown.number] = shown

    def keep(self, arm: Arm, number: int, image: Image) -> str:
        """Keeps a picture; returns its name in the folder."""
        name = f"{arm}/{number:03d}.webp"
        path = self._folder / name
        path.parent.mkdir(exist_ok=True)
        Pictures.fromarray(np.ascontiguousarray(image)).save(path, "WEBP", quality=88)
        return name
