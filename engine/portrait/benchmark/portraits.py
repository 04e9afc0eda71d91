"""Draws the benchmark's descriptions and asks detectors whether they see the faces."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from engine.portrait.base import FaceLandmarker, Image, PortraitGenerator
from engine.portrait.benchmark.prompts import Prompt, load_prompts
from personas.persona import FaceGeometry

Done = Callable[[int, int, str], None]
"""Called with how many are done, of how many, and the description that was drawn."""


@dataclass(frozen=True)
class Result:
    """One portrait.

    Attributes:
        seed: it was drawn with.
        image: RGB.
        geometry: where the face is by construction.
        seconds: that drawing took.
        errors: detector -> landmark error in per cent of the face's width; None: not found.
        art: titles of what it was made from.
    """

    prompt: Prompt
    seed: int
    image: Image
    geometry: FaceGeometry
    seconds: float
    errors: dict[str, float | None]
    art: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """A category, or all of them.

    Attributes:
        portraits: how many were drawn.
        constructed: how many have a face by construction that lies in the picture.
        found: detector -> how many faces it found at their place.
        error: detector -> median landmark error, per cent of the face's width.
        seconds: median time of a portrait.
    """

    category: str
    portraits: int
    constructed: int
    found: dict[str, int]
    error: dict[str, float | None]
    seconds: float


@dataclass(frozen=True)
class Report:
    """What the benchmark found."""

    generator: str
    results: tuple[Result, ...] = field(repr=False)
    rows: tuple[Row, ...]
    total: Row

    def to_json(self) -> dict[str, Any]:
        """Everything but the pictures, as plain values."""
        return {
            "generator": self.generator,
            "total": asdict(self.total),
            "categories": [asdict(row) for row in self.rows],
            "portraits": [
                {
                    "category": result.prompt.category,
                    "description": result.prompt.text,
                    "subject": result.prompt.brief.subject,
                    "seed": result.seed,
                    "art": list(result.art),
                    "seconds": round(result.seconds, 3),
                    "errors": result.errors,
                }
                for result in self.results
            ],
        }


MISPLACED = 25.0
"""A face that a detector sees farther away than this, in per cent of its width, is another one."""


def run(
    generator: PortraitGenerator,
    landmarkers: Sequence[FaceLandmarker] = (),
    prompts: Iterable[Prompt] | None = None,
    *,
    style: str = "",
    seed: int = 0,
    done: Done | None = None,
) -> Report:
    """Draws every description and looks for its face.

    Args:
        generator: what is measured.
        landmarkers: who looks; may be none.
        prompts: by default all of them.
        style: an entry of the catalogue of styles for all; empty: each its own.
        seed: of the first portrait; the next has the next.
        done: told after each portrait.

    Raises:
        UnavailableError: art or a detector is missing.
    """
    chosen = tuple(prompts) if prompts is not None else load_prompts()
    results: list[Result] = []
    name = ""
    for number, prompt in enumerate(chosen):
        brief = prompt.brief.model_copy(update={"style": style}) if style else prompt.brief
        start = time.perf_counter()
        draft = generator.generate(brief, seed + number)
        seconds = time.perf_counter() - start
        name = draft.generator
        errors: dict[str, float | None] = {}
        for landmarker in landmarkers:
            found = landmarker.find(draft.image)
            error = landmark_error(draft.geometry, found.geometry) if found else None
            errors[landmarker.name] = error if error is not None and error < MISPLACED else None
        art = tuple(credit.title for credit in draft.credits)
        results.append(
            Result(prompt, seed + number, draft.image, draft.geometry, seconds, errors, art)
        )
        if done is not None:
            done(number + 1, len(chosen), prompt.text)
    names = [landmarker.name for landmarker in landmarkers]
    categories = dict.fromkeys(result.prompt.category for result in results)
    rows = tuple(
        _row(category, [r for r in results if r.prompt.category == category], names)
        for category in categories
    )
    return Report(name, tuple(results), rows, _row("all", results, names))


def landmark_error(drawn: FaceGeometry, found: FaceGeometry) -> float:
    """Mean distance of eyes and mouth, in per cent of the face's width."""
    pairs = (
        (drawn.left_eye, found.left_eye),
        (drawn.right_eye, found.right_eye),
        (drawn.mouth, found.mouth),
    )
    return 100 * sum(math.dist(*pair) for pair in pairs) / len(pairs) / drawn.width


def _inside(result: Result) -> bool:
    height, width = result.image.shape[:2]
    points = (result.geometry.left_eye, result.geometry.right_eye, result.geometry.mouth)
    return all(0 <= x < width and 0 <= y < height for x, y in points)


def _row(category: str, results: Sequence[Result], names: Sequence[str]) -> Row:
    def errors(name: str) -> list[float]:
        return [error for result in results if (error := result.errors[name]) is not None]

    def median(values: Sequence[float], digits: int) -> float | None:
        return round(float(np.median(values)), digits) if values else None

    return Row(
        category=category,
        portraits=len(results),
        constructed=sum(_inside(result) for result in results),
        found={name: len(errors(name)) for name in names},
        error={name: median(errors(name), 2) for name in names},
        seconds=median([result.seconds for result in results], 3) or 0.0,
    )
