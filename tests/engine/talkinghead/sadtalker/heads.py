"""Heads with tiny networks, and what they film."""

from __future__ import annotations

import numpy as np

from engine.portrait.base import Image, PortraitDraft
from engine.speech.base import Speech
from engine.talkinghead.sadtalker.head import SadTalkerHead
from engine.talkinghead.settings import SadTalkerSettings
from tests.engine.talkinghead.speeches import RATE, portrait
from tests.fakes.sadtalker import MovingPicture, tiny_networks


def make_head(
    generator: MovingPicture | None = None,
    *,
    size: int = 128,
    landmarks: bool = False,
    **how: object,
) -> SadTalkerHead:
    networks = tiny_networks(generator=generator or MovingPicture())
    settings = SadTalkerSettings.model_validate(how)
    return SadTalkerHead(
        lambda: networks, size=size, resolution=128, settings=settings, needs_landmarks=landmarks
    )


def film(head: SadTalkerHead, said: Speech, draft: PortraitDraft | None = None) -> list[Image]:
    return [f.copy() for f in head.frames(head.prepare(draft or portrait(256)), said, seed=3)]


def silence(seconds: float) -> Speech:
    return Speech(np.zeros(round(seconds * RATE), np.float32), RATE, (), (), "")
