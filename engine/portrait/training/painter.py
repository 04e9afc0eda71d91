"""Trains the tiny painter from nothing: pictures, their code, a network and its ControlNet."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engine.portrait.benchmark.landmarks import RESULTS
from engine.portrait.training.codec import fit_codec
from engine.portrait.training.network import (
    Lessons,
    make_noises,
    prepare,
    train_control,
    train_network,
)
from engine.portrait.training.pictures import FACE, Collection, gather_art, gather_faces
from engine.portrait.training.probe import likeness_of, likeness_of_art, train_probe
from personas.errors import NotFoundError

if TYPE_CHECKING:
    from engine.embedding import Embedder
    from engine.portrait.diffusion.patches import PatchCodec

log = logging.getLogger(__name__)

_PEOPLE: Final = 300
"""That the network learns; the ControlNet learns all of them."""
_PIPELINE: Final = "StableDiffusionPipeline"


@dataclass(frozen=True)
class Schedule:
    """How long what is trained, in minutes, and on how much.

    Attributes:
        network: minutes.
        control: minutes.
        probe: minutes; it measures, and is no part of the painter.
        things: illustrated portraits of things and animals, for the ControlNet.
        people: illustrated portraits of people, for both.
    """

    network: float = 50
    control: float = 9
    probe: float = 4
    things: int = 900
    people: int = 800


def train(folder: Path, embedder: Embedder, schedule: Schedule, workers: int = 2) -> Path:
    """Trains a tiny painter; what was done before in the folder is not done again.

    Args:
        folder: where pictures and states are kept.
        embedder: of captions, and of prompts later on.
        schedule: how long.
        workers: processes that draw pictures.

    Returns:
        The folder of the painter, as `checkpoint` of a look takes it; its ControlNet is in
        `controlnet` beside it.
    """
    art = gather_art(folder / "art", workers)
    faces = gather_faces(folder / "faces", schedule.things, schedule.people, workers)
    run = folder / "run"
    run.mkdir(exist_ok=True)
    codec = fit_codec([art, faces], run)
    lessons = _lessons_of_art(art, faces, codec, embedder)
    network = train_network(lessons, run, schedule.network)
    shown = _lessons_of_faces(faces, codec, embedder)
    control = train_control(shown, network, run, schedule.control)
    train_probe([art, faces], embedder, run, schedule.probe)
    return save(folder / "painter", codec, network, control)


def measure(folder: Path, embedder: Embedder, results: Path) -> str:
    """How much the pictures of a run of `bench landmarks` look like what was asked for.

    Args:
        folder: where the painter and its probe were trained.
        embedder: the one they were trained with.
        results: folder of the run; `likeness.md` is written there.

    Returns:
        The table.

    Raises:
        NotFoundError: there is no trained probe, or no such run.
    """
    for needed, what in (
        (folder / "run" / "probe.pt", "a trained probe"),
        (results / RESULTS, RESULTS),
    ):
        if not needed.is_file():
            raise NotFoundError(f"{needed.parent} does not hold {what}: nothing can be measured.")
    art, faces = Collection(folder / "art"), Collection(folder / "faces")
    probe = train_probe([art, faces], embedder, folder / "run", 0)
    rows = [*likeness_of(probe, embedder, results), likeness_of_art(probe, embedder, art)]
    lines = ["| arm | likeness | of others' wishes | rank of the own wish |", "|---|---|---|---|"]
    lines += [f"| {r.arm} | {r.cosine:.3f} | {r.others:.3f} | {100 * r.rank:.1f}% |" for r in rows]
    text = "\n".join(lines) + "\n"
    (results / "likeness.md").write_text(text, "utf-8")
    return text


def _lessons_of_art(
    art: Collection, faces: Collection, codec: PatchCodec, embedder: Embedder
) -> Lessons:
    """What the network learns: one picture of each thing, and people.

    No face of ours is on a thing: that is for guidance to bring about.
    """
    log.info("Encoding pictures")
    things = {captions[0]: at for at, captions in reversed(list(enumerate(art.captions)))}
    people = [at for at in range(len(faces)) if FACE not in faces.captions[at][0]][:_PEOPLE]
    pictures = [(art.rgba[at], art.captions[at], None) for at in things.values()]
    pictures += [(faces.rgba[at], faces.captions[at], None) for at in people]
    return prepare(pictures, codec, embedder)


def _lessons_of_faces(faces: Collection, codec: PatchCodec, embedder: Embedder) -> Lessons:
    """What the ControlNet learns: faces where the landmarks are."""
    assert faces.landmarks is not None
    pictures = [
        (faces.rgba[at], faces.captions[at], faces.landmarks[at]) for at in range(len(faces))
    ]
    return prepare(pictures, codec, embedder)


def save(folder: Path, codec: PatchCodec, network: Any, control: Any) -> Path:
    """Writes a pipeline as diffusers reads them, in half precision, and the ControlNet.

    Returns:
        The folder of the pipeline.
    """
    import diffusers

    place = folder / "pipeline"
    place.mkdir(parents=True, exist_ok=True)
    parts: dict[str, Sequence[str | None]] = {
        "vae": ("engine.portrait.diffusion.patches", "PatchCodec"),
        "unet": ("diffusers", "UNet2DConditionModel"),
        "scheduler": ("diffusers", "DDIMScheduler"),
    }
    parts |= dict.fromkeys(
        ("text_encoder", "tokenizer", "safety_checker", "feature_extractor", "image_encoder"),
        (None, None),
    )
    models: list[tuple[Any, Path]] = [
        (codec, place / "vae"),
        (network, place / "unet"),
        (control, folder / "controlnet"),
    ]
    for model, where in models:
        model.half().save_pretrained(str(where), variant="fp16")
    make_noises().save_pretrained(str(place / "scheduler"))
    index = {
        "_class_name": _PIPELINE,
        "_diffusers_version": diffusers.__version__,
        **{name: list(kind) for name, kind in parts.items()},
        "requires_safety_checker": False,
    }
    (place / "model_index.json").write_text(json.dumps(index, indent=2) + "\n", "utf-8")
    return place
