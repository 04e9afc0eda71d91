"""Speeches with exactly known timings, and the portrait that says them."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.face.painter import FacePainter
from engine.portrait.base import PortraitDraft
from engine.speech.base import Cue, Speech, TimedPhoneme
from engine.talkinghead.bench import sample_portrait
from personas.persona import FaceLook

RATE = 24_000

SKIN, LIP = "#3c64dc", "#28c83c"
"""Colours of the test face, far from teeth, tongue and throat."""


def speech(
    *sounds: tuple[str, float], text: str = "", cues: tuple[Cue, ...] = (), stressed: str = ""
) -> Speech:
    """A speech of the given (phoneme, seconds); '' is silence."""
    phonemes, time = [], 0.0
    samples = []
    for symbol, seconds in sounds:
        phonemes.append(TimedPhoneme(symbol, time, time + seconds, symbol in stressed.split()))
        count = round((time + seconds) * RATE) - round(time * RATE)
        hum = np.sin(2 * np.pi * 150 * (np.arange(count) + round(time * RATE)) / RATE)
        samples.append((0.3 if symbol else 0.0) * hum)
        time += seconds
    joined = np.concatenate(samples) if samples else np.zeros(0)
    return Speech(joined.astype(np.float32), RATE, tuple(phonemes), (), text, cues)


def babble(seconds: float, seed: int = 0) -> Speech:
    """Open vowels between closures and pauses, at irregular times."""
    random = np.random.default_rng(seed)
    sounds: list[tuple[str, float]] = [("", 0.3)]
    total = 0.3
    while total < seconds - 1.2:
        parts = [("mbp"[random.integers(3)], random.uniform(0.06, 0.1))]
        parts.append(("ɑ", float(random.uniform(0.12, 0.3))))
        if random.random() < 0.3:
            parts.append(("", float(random.uniform(0.3, 0.6))))
        sounds += [(symbol, float(length)) for symbol, length in parts]
        total += sum(length for _, length in parts)
    sounds.append(("", seconds - total))
    return speech(*sounds)


def portrait(size: int = 512, **changes: Any) -> PortraitDraft:
    """A portrait in layers whose picture shows it at rest; the face in the test's colours."""
    draft = sample_portrait(size)
    look = FaceLook(
        **{
            "rendering": "flat",
            "skin": SKIN,
            "lip": LIP,
            "brow": SKIN,
            "brow_weight": 0.0,
            "eye_white": SKIN,
            "iris": SKIN,
            "ink": "#106020",
            **changes,
        }
    )
    body = draft.body
    background = draft.background
    assert body is not None and background is not None
    body[..., :3] = [int(look.skin[i : i + 2], 16) for i in (1, 3, 5)]
    share = body[..., 3:].astype(np.float32) / 255
    image = np.rint(body[..., :3] * share + background * (1 - share)).astype(np.uint8)
    FacePainter(draft.geometry, look).paint(image)
    return PortraitDraft(
        image=image,
        geometry=draft.geometry,
        style="test",
        seed=0,
        generator="test",
        look=look,
        background=background,
        body=body,
    )
