"""The pictures that the tiny painter learns from, and what they are called.

All of them are made on this machine out of packs that the model store holds (Fluent Emoji, MIT;
Noto Emoji, Apache-2.0), of people that are composed from DiceBear parts, and of our own drawings.
"""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from importlib import resources
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pictures

from personas.errors import ChatAnythingError
from personas.persona import Mood, PortraitBrief
from personas.recipes import prompt_values

if TYPE_CHECKING:
    from engine.models.store import ModelStore
    from engine.portrait.illustrated.art.concepts import Concept

log = logging.getLogger(__name__)

SIZE: Final = 128
"""Width and height of a picture, pixels."""
PACKS: Final = ("fluent", "noto")
"""Both are softly shaded: together they are one look."""
FACE: Final = "with two eyes, a nose and a mouth on it"
"""What prompts say of things that shall have a face."""
_SHARE: Final = 0.84
"""Of the picture's side that a subject takes."""
_NOT_DRAWN: Final = ("symbol",)
"""Kinds that nobody is."""

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Picture:
    """One picture and its names.

    Attributes:
        rgba: [SIZE, SIZE, 4]; opaque where it has a background of its own.
        captions: what it is called, the plainest first.
        landmarks: [SIZE, SIZE, 3], what a ControlNet is shown of its face; None: no drawn face.
    """

    rgba: Pixels
    captions: tuple[str, ...]
    landmarks: Pixels | None = None


class Collection:
    """Pictures in a folder, as arrays that are mapped and not read."""

    def __init__(self, folder: Path) -> None:
        self.rgba: Pixels = np.load(folder / "rgba.npy", mmap_mode="r")
        self.captions: list[list[str]] = json.loads((folder / "captions.json").read_text("utf-8"))
        landmarks = folder / "landmarks.npy"
        self.landmarks: Pixels | None = (
            np.load(landmarks, mmap_mode="r") if landmarks.exists() else None
        )

    def __len__(self) -> int:
        return len(self.captions)

    @staticmethod
    def is_there(folder: Path) -> bool:
        """Whether a whole collection lies in a folder."""
        return (folder / "captions.json").exists()

    @staticmethod
    def write(folder: Path, pictures: Iterable[Picture]) -> Collection:
        """Writes pictures down; the captions come last, so that what is there is whole."""
        folder.mkdir(parents=True, exist_ok=True)
        kept = list(pictures)
        np.save(folder / "rgba.npy", np.stack([picture.rgba for picture in kept]))
        marks = [picture.landmarks for picture in kept if picture.landmarks is not None]
        if len(marks) == len(kept):
            np.save(folder / "landmarks.npy", np.stack(marks))
        text = json.dumps([picture.captions for picture in kept], ensure_ascii=False, indent=0)
        (folder / "captions.json").write_text(text, "utf-8")
        return Collection(folder)


def gather_art(folder: Path, workers: int = 2) -> Collection:
    """The art of the packs without a face of ours: things, animals, beings, people, smileys.

    Args:
        folder: where it is kept; what is there is taken as it is.
        workers: processes that draw.
    """
    if not Collection.is_there(folder):
        from engine.portrait.illustrated.art.concepts import OURS, load_concepts

        concepts = [one for one in load_concepts() if one.kind not in _NOT_DRAWN]
        wanted = [
            (concept, pack)
            for concept in concepts
            for pack in (*PACKS, OURS)
            if pack in concept.pictures
        ]
        log.info("Drawing %d pictures of the packs", len(wanted))
        Collection.write(folder, _drawn(_art, wanted, workers))
    return Collection(folder)


def gather_faces(folder: Path, things: int, people: int, workers: int = 2) -> Collection:
    """Illustrated portraits with the landmarks of their faces.

    Args:
        folder: where they are kept; what is there is taken as it is.
        things: how many of things and animals.
        people: how many of people.
        workers: processes that draw.
    """
    if not Collection.is_there(folder):
        briefs = [*_things(things), *_people(people)]
        log.info("Drawing %d portraits", len(briefs))
        Collection.write(folder, _drawn(_portrait, briefs, workers))
    return Collection(folder)


def _drawn(
    draw: Callable[[Any], Picture | None], wanted: Sequence[Any], workers: int
) -> Iterator[Picture]:
    with ExitStack() as stack:
        drawn: Iterator[Picture | None] = map(draw, wanted)
        if workers > 1:
            pool = stack.enter_context(ProcessPoolExecutor(workers, get_context("spawn")))
            drawn = pool.map(draw, wanted, chunksize=8)
        for number, picture in enumerate(drawn):
            if number % 200 == 0:
                log.info("%d of %d", number, len(wanted))
            if picture is not None:
                yield picture


def _art(wanted: tuple[Concept, str]) -> Picture | None:
    from engine.portrait.illustrated.art.packs import PackReader
    from engine.portrait.illustrated.art.raster import render, trimmed

    concept, pack = wanted
    try:
        svg = trimmed(PackReader(_store()).svg(pack, concept.pictures[pack]))
        side = round(_SHARE * SIZE)
        drawn = Pictures.fromarray(render(svg, 2 * side)).resize(
            (side, side), Pictures.Resampling.LANCZOS
        )
    except ChatAnythingError:
        return None  # a picture that this pack lacks, or that cannot be drawn
    paper = Pictures.new("RGBA", (SIZE, SIZE))
    paper.paste(drawn, ((SIZE - side) // 2, (SIZE - side) // 2))
    return Picture(np.asarray(paper).copy(), _names(concept))


def _names(concept: Concept) -> tuple[str, ...]:
    names = (concept.name, *concept.aliases)
    words = random.Random(concept.id).sample(concept.keywords, min(4, len(concept.keywords)))
    more = [f"{concept.name}, {word}" for word in words if word not in concept.name]
    if concept.has_face:
        more += [f"{name} {FACE}" for name in names]
    return tuple(dict.fromkeys((*names, *more)))


def _things(count: int) -> list[PortraitBrief]:
    from engine.portrait.illustrated.art.concepts import load_concepts

    chance = random.Random(7)
    kinds = ("animal", "being", "plant", "food", "object", "clothing", "vehicle", "place", "nature")
    concepts = [one for one in load_concepts() if one.kind in kinds]
    chosen = [concepts[at % len(concepts)] for at in range(count)]
    chance.shuffle(chosen)
    moods = list(Mood)
    return [
        PortraitBrief(subject=one.name, style="rounded", mood=chance.choice(moods))
        for one in chosen
    ]


def _people(count: int) -> list[PortraitBrief]:
    chance = random.Random(11)
    moods = list(Mood)
    people = resources.files(__package__).joinpath("people.txt").read_text("utf-8").split()
    return [
        PortraitBrief(
            subject=people[at % len(people)],
            style="rounded",
            mood=chance.choice(moods),
            gender=chance.choice(("female", "male", "neutral")),
            age=chance.choice(("child", "young", "adult", "adult", "old")),
            is_person=True,
        )
        for at in range(count)
    ]


def _portrait(brief: PortraitBrief) -> Picture | None:
    from engine.portrait.finish import scaled
    from engine.portrait.guidance.conditioning import draw_landmarks
    from engine.portrait.guidance.contours import drawn_contours

    seed = random.Random(f"{brief.subject} {brief.mood} {brief.age} {brief.gender}").randrange(999)
    try:
        draft = _generator().generate(brief, seed)
    except ChatAnythingError:
        return None  # this one cannot be drawn; there are others
    small = Pictures.fromarray(draft.image).resize((SIZE, SIZE), Pictures.Resampling.LANCZOS)
    geometry = scaled(draft.geometry, SIZE / draft.image.shape[0])
    landmarks = draw_landmarks(drawn_contours(geometry, brief.mood), SIZE, "mediapipe")
    values = prompt_values(brief)
    captions = (values["subject"], f"{values['subject']}, {values['expression']}")
    return Picture(np.asarray(small.convert("RGBA")).copy(), captions, landmarks)


@cache
def _generator() -> Any:
    from engine.portrait.factory import open_portrait_generator
    from engine.portrait.settings import PortraitSettings

    settings = PortraitSettings(generator="illustrated", landmarks=False, size=2 * SIZE)
    return open_portrait_generator(settings, _store())


@cache
def _store() -> ModelStore:
    from engine.models.settings import ModelStoreSettings
    from engine.models.store import ModelStore

    return ModelStore.from_settings(ModelStoreSettings())


def on_paper(rgba: Pixels, colour: Sequence[float], shift: tuple[int, int] = (0, 0)) -> Pixels:
    """A picture on a plain ground.

    Args:
        rgba: [h, w, 4].
        colour: of the ground, 0 to 255.
        shift: pixels to the right and down.

    Returns:
        [h, w, 3].
    """
    moved = np.roll(rgba, (shift[1], shift[0]), axis=(0, 1)).astype(np.float32)
    alpha = moved[..., 3:] / 255
    mixed = moved[..., :3] * alpha + np.asarray(colour, np.float32) * (1 - alpha)
    return np.asarray(mixed.round().clip(0, 255), np.uint8)
