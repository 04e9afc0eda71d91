"""Opens SadTalker with the weights of the model store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch

from engine.machine import multiplies_bfloat16
from engine.portrait.landmarks.base import open_landmarkers
from engine.talkinghead.sadtalker.head import SadTalkerHead
from engine.talkinghead.sadtalker.weights import SadTalkerNetworks
from engine.talkinghead.settings import SadTalkerSettings

if TYPE_CHECKING:
    from engine.models.store import ModelStore

_MAPPINGS: Final = {"crop": "mapping_00229-model.pth.tar", "full": "mapping_00109-model.pth.tar"}


def open_sadtalker(
    settings: SadTalkerSettings, models: ModelStore, *, size: int, needs_landmarks: bool
) -> SadTalkerHead:
    """SadTalker as it is set; its networks are loaded when they are first needed.

    Args:
        settings: how it is done.
        models: where its weights are.
        size: width and height of a frame.
        needs_landmarks: leave drawn faces to others.
    """
    device = device_of(settings)

    def load() -> SadTalkerNetworks:
        folder = models.path(f"sadtalker-{settings.resolution}")
        return SadTalkerNetworks.load(
            folder / f"SadTalker_V0.0.2_{settings.resolution}.safetensors",
            folder / _MAPPINGS[settings.framing],
            device=device,
            precision=precision_of(settings, device),
        )

    return SadTalkerHead(
        load,
        size=size,
        settings=settings,
        landmarkers=open_landmarkers(),
        needs_landmarks=needs_landmarks,
        device=device.type,
    )


def device_of(settings: SadTalkerSettings) -> torch.device:
    """The GPU where there is one and it may be used, else the CPU."""
    if settings.device != "auto":
        return torch.device(settings.device)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def precision_of(settings: SadTalkerSettings, device: torch.device) -> torch.dtype:
    """Of the renderer: half the bits where they are faster; they can hardly be told apart."""
    if settings.precision == "auto":
        if device.type == "cuda":
            return torch.float16
        return torch.bfloat16 if multiplies_bfloat16() else torch.float32
    dtype = getattr(torch, settings.precision)
    assert isinstance(dtype, torch.dtype)
    return dtype
