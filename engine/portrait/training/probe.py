"""A probe that reads what a picture shows, to measure what guidance costs in likeness.

A small network learns where the captions of the art lie in the space of sentences, from pictures
with and without a face drawn on them. What it reads in a painted picture is compared with what was
asked for. Its word is coarse, so it is given beside two marks: pictures of the art itself, and the
same painted pictures with the wishes of others.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pictures

from engine.portrait.training.codec import as_pixels, varied
from engine.portrait.training.course import Course
from engine.portrait.training.network import WORDS
from engine.portrait.training.pictures import SIZE, Collection, Pixels

if TYPE_CHECKING:
    import torch
    from torch import nn

    from engine.embedding import Embedder

_BATCH: Final = 48
_SHARPNESS: Final = 12.0
"""Of the choice between the captions of a batch (the inverse of a temperature)."""
_WIDTHS: Final = (24, 48, 96, 160)


def make_probe() -> Any:
    """An untrained one: [n, 3, SIZE, SIZE] -> [n, WORDS]; 1.5 million weights."""
    from torch import nn

    layers: list[nn.Module] = []
    channels = 3
    for width in _WIDTHS:
        layers += [
            nn.Conv2d(channels, width, 3, stride=2, padding=1),
            nn.GroupNorm(8, width),
            nn.SiLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.GroupNorm(8, width),
            nn.SiLU(),
        ]
        channels = width
    return nn.Sequential(
        *layers, nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(16 * channels, WORDS)
    )


def train_probe(
    collections: Sequence[Collection], embedder: Embedder, folder: Path, minutes: float
) -> Any:
    """A trained probe, kept in `folder`."""
    import torch

    torch.manual_seed(0)
    network = make_probe().to(memory_format=torch.channels_last)
    words = [
        torch.from_numpy(embedder.encode([plain(captions[0]) for captions in one.captions]))
        for one in collections
    ]
    course = Course("probe", network, folder, minutes=minutes, rate=1e-3)

    def loss_of(chance: np.random.Generator) -> torch.Tensor:
        seen, said = [], []
        for _ in range(_BATCH):
            which = int(chance.integers(len(collections)))
            at = int(chance.integers(len(collections[which])))
            seen.append(varied(collections[which].rgba[at], chance))
            said.append(words[which][at])
        return _loss(network, as_pixels(seen), torch.stack(said))

    course.run(loss_of)
    return network.eval()


def plain(caption: str) -> str:
    """What a picture is of, without the face that was asked for."""
    from engine.portrait.training.pictures import FACE

    return caption.replace(FACE, "").strip(" ,")


def _loss(network: Any, pixels: torch.Tensor, said: torch.Tensor) -> torch.Tensor:
    import torch

    with torch.autocast("cpu", dtype=torch.bfloat16):
        read = network(pixels)
    read = torch.nn.functional.normalize(read.float(), dim=1)
    alike = said @ said.T
    # Captions that are nearly the same are right answers for each other.
    wanted = torch.softmax(_SHARPNESS * 2 * alike, dim=1)
    chosen = torch.log_softmax(_SHARPNESS * (read @ said.T), dim=1)
    apart: torch.Tensor = 1 - (read * said).sum(dim=1)
    return apart.mean() - (wanted * chosen).sum(dim=1).mean()


def read(network: Any, pictures: Sequence[Pixels]) -> NDArray[np.float32]:
    """[n, WORDS] of length 1: what pictures show, in the space of sentences.

    Args:
        network: a trained probe.
        pictures: [SIZE, SIZE, 3] each.
    """
    import torch

    with torch.no_grad():
        found = torch.nn.functional.normalize(network(as_pixels(pictures)), dim=1)
    return np.asarray(found.numpy(), np.float32)


@dataclass(frozen=True)
class Likeness:
    """How much the pictures of an arm look like what was asked for.

    Attributes:
        arm: what guided.
        cosine: mean similarity of what the probe reads and what was asked for.
        others: the same with the wishes of other pictures of the arm: what chance gives.
        rank: median place of the own wish among all wishes of the benchmark, 0 best to 1 worst.
    """

    arm: str
    cosine: float
    others: float
    rank: float


def likeness_of(network: Any, embedder: Embedder, run: Path) -> list[Likeness]:
    """How much the pictures of a run of `bench landmarks` look like their descriptions.

    Args:
        network: a trained probe.
        embedder: the one it was trained with.
        run: folder of the run.
    """
    from engine.portrait.benchmark.landmarks import RESULTS
    from engine.portrait.benchmark.prompts import load_prompts

    lines = (run / RESULTS).read_text("utf-8").splitlines()[1:]
    shown: list[dict[str, Any]] = [json.loads(line) for line in lines if line]
    subjects = {prompt.text: prompt.brief.subject for prompt in load_prompts()}
    found = []
    for arm in dict.fromkeys(one["arm"] for one in shown):
        some = [one for one in shown if one["arm"] == arm]
        said = embedder.encode([subjects[one["text"]] for one in some])
        seen = np.concatenate([read(network, [_opened(run / one["picture"])]) for one in some])
        found.append(_compared(arm, seen @ said.T))
    return found


def likeness_of_art(network: Any, embedder: Embedder, art: Collection) -> Likeness:
    """The mark to compare with: the art itself, on other grounds and places than learned."""
    own = np.random.default_rng(5)
    which = own.choice(len(art), min(400, len(art)), replace=False)
    said = embedder.encode([plain(art.captions[at][0]) for at in which])
    seen = np.concatenate([read(network, [varied(art.rgba[at], own)]) for at in which])
    return _compared("art", seen @ said.T)


def _compared(arm: str, alike: NDArray[np.float32]) -> Likeness:
    own = np.diag(alike)
    count = len(own)
    others = float((alike.sum() - own.sum()) / max(count * count - count, 1))
    ranks = (alike > own[:, None]).sum(axis=1) / max(count - 1, 1)
    return Likeness(
        arm, round(float(own.mean()), 3), round(others, 3), round(float(np.median(ranks)), 3)
    )


def _opened(file: Path) -> Pixels:
    with Pictures.open(file) as picture:
        small = picture.convert("RGB").resize((SIZE, SIZE), Pictures.Resampling.LANCZOS)
    return np.asarray(small).copy()
