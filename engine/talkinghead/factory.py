"""Chooses the talking head."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from engine.talkinghead.base import TalkingHead
from engine.talkinghead.settings import TalkingHeadSettings

if TYPE_CHECKING:
    from engine.models.store import ModelStore

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Obstacle:
    """Why a head cannot be used here, and the command or setting that changes it."""

    why: str
    remedy: str


def open_talking_head(
    settings: TalkingHeadSettings, models: ModelStore | None = None
) -> TalkingHead[Any]:
    """The talking head that `settings` ask for.

    The drawn one runs everywhere. SadTalker is used for what it can move, where it can run; the
    drawn one takes the rest, and steps in where SadTalker fails.

    Args:
        settings: what is wished.
        models: where weights are; without it faces are drawn.
    """
    from engine.talkinghead.drawn import DrawnHead

    drawn = DrawnHead(size=settings.size)
    if settings.renderer == "drawn" or models is None:
        return drawn
    obstacle = obstacle_to_sadtalker(settings, models)
    if obstacle is not None:
        if settings.renderer == "sadtalker":
            log.warning("Faces are drawn: %s %s", obstacle.why, obstacle.remedy)
        return drawn
    from engine.talkinghead.fallback import FallbackHead
    from engine.talkinghead.sadtalker.opening import open_sadtalker

    # Drawn faces look best drawn: it takes them only when it is asked for by name.
    only_found = settings.renderer == "auto"
    head = open_sadtalker(
        settings.sadtalker, models, size=settings.size, needs_landmarks=only_found
    )
    return FallbackHead(head, drawn)


def obstacle_to_sadtalker(settings: TalkingHeadSettings, models: ModelStore) -> Obstacle | None:
    """What keeps SadTalker from being used; None where it can be. The quick questions first."""
    if find_spec("torch") is None or find_spec("safetensors") is None:
        return Obstacle("SadTalker needs PyTorch.", "pip install 'chatanything[gpu]'")
    name = weights_name(settings)
    if not models.has(name):
        return Obstacle("SadTalker's weights are not here.", f"chatanything models pull {name}")
    slowly = 'the CPU does it too, slowly: talking_head.renderer = "sadtalker", device = "auto"'
    on_any = settings.renderer == "sadtalker" and settings.sadtalker.device != "cuda"
    if not on_any and (settings.sadtalker.device == "cpu" or not has_gpu()):
        return Obstacle("SadTalker wants a GPU, and PyTorch finds none that it may use.", slowly)
    return None


def weights_name(settings: TalkingHeadSettings) -> str:
    """The entry of the catalogue of models that SadTalker needs."""
    return f"sadtalker-{settings.sadtalker.resolution}"


def has_gpu() -> bool:
    """Whether PyTorch can use a GPU here. Imports it, which takes seconds."""
    import torch

    return torch.cuda.is_available()
