"""Direction: how lively a persona speaks, from its mood, its seed and the text's own directions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from engine.speech.base import Speech
from engine.talkinghead.gestures import gesture_for
from engine.talkinghead.motion import MANNERS, act
from engine.talkinghead.performance import Performance
from engine.talkinghead.sadtalker.audio import FPS
from engine.talkinghead.sadtalker.blinks import blink_ratios, seeded
from engine.talkinghead.sadtalker.coefficients import POSE
from engine.talkinghead.sadtalker.networks import PoseNet
from engine.talkinghead.sadtalker.networks.audio import EMBEDDING
from engine.talkinghead.sadtalker.networks.pose import CHUNK, LATENT, STYLES
from engine.talkinghead.settings import SadTalkerSettings
from personas.persona import Mood

Floats = NDArray[np.float32]

_NEAR: Final = 5
"""Ranks around a mood's own from which the seed picks a style."""
_TURN, _LEAN = 0.22, 0.16
"""Radians of a gesture's full turn and lean."""
_EMPHASIS: Final = 0.3
"""How much stronger an expression is while a direction such as *laughs* is played."""
_TRIALS: Final = 4

_QUIETEST, _LIVELIEST = 0.5, 1.4
_STRENGTH: Final = 0.25
"""How much of the liveliness goes into the strength of the expression."""
_EXCLAMATION, _CUE = 0.05, 0.15
_MOST_CUES: Final = 200


@dataclass(frozen=True)
class Direction:
    """What the speech leaves open, decided.

    Attributes:
        style: of the head's movements, 0 to 45.
        latents: [chunks, 64], which of them.
        blinks: [frames], 0 open to 1 closed.
        expression: [frames], strength of the expression.
        turns: [frames, 3], added to the head's angles: down, right, anticlockwise; radians.
    """

    style: int
    latents: torch.Tensor
    blinks: Floats
    expression: Floats
    turns: Floats


def direct(
    frames: int,
    mood: Mood,
    seed: int,
    *,
    settings: SadTalkerSettings,
    ranks: tuple[int, ...],
    speech: Speech | None = None,
) -> Direction:
    """Decides how a persona moves in a clip; the same for the same seed.

    Args:
        frames: of the clip.
        mood: the persona's own.
        seed: decides the rest.
        settings: what is set for all.
        ranks: the styles, the quietest first; see `rank_styles`.
        speech: what is said, with the directions that its text gave; None while it waits.
    """
    random = np.random.default_rng([abs(seed), 0])
    lively = liveliness(mood, speech)
    style = settings.pose_style
    if style < 0:
        style = choose_style(lively, ranks, random)
    count = PoseNet.chunks(frames)
    latents = torch.from_numpy(random.standard_normal((count, LATENT)).astype(np.float32))
    blinks = blink_ratios(frames, seeded(seed)) if settings.blinks else np.zeros(frames, np.float32)
    strength = settings.expression * (1 + _STRENGTH * (lively - 1))
    expression = np.full(frames, strength, np.float32)
    turns = np.zeros((frames, 3), np.float32)
    if speech is not None and speech.cues:
        played = _played(speech, frames)
        lids = np.maximum(played["blink_left"], played["blink_right"])
        blinks = np.clip(np.maximum(blinks, lids), 0, 1).astype(np.float32)
        expression *= 1 + np.float32(_EMPHASIS) * np.clip(np.abs(played["smile"]), 0, 1)
        turns[:, 0] = _TURN * played["turn_y"]
        turns[:, 1] = _TURN * played["turn_x"]
        turns[:, 2] = -_LEAN * played["lean"]
    return Direction(style, latents, blinks, expression, turns)


def liveliness(mood: Mood, speech: Speech | None = None) -> float:
    """How lively a persona is while it says something: 1 is usual.

    Args:
        mood: its own.
        speech: whose text may lift it (exclamations, *laughs*) or weigh on it (*sighs*).
    """
    lively = MANNERS[mood].size
    if speech is not None:
        lively += _EXCLAMATION * min(speech.text.count("!"), 3)
        for cue in speech.cues[:_MOST_CUES]:
            gesture = gesture_for(cue.action)
            smile = gesture.tracks.get("smile", ()) if gesture is not None else ()
            values = [value for _, value in smile] or [0.0]
            lively += _CUE * (max(values) + min(values))
    return float(np.clip(lively, _QUIETEST, _LIVELIEST))


def choose_style(lively: float, ranks: tuple[int, ...], random: np.random.Generator) -> int:
    """A style that moves as much: quiet personas sit still, lively ones do not."""
    share = (lively - _QUIETEST) / (_LIVELIEST - _QUIETEST)
    middle = share * (len(ranks) - 1)
    low, high = max(0, round(middle - _NEAR)), min(len(ranks) - 1, round(middle + _NEAR))
    return ranks[int(random.integers(low, high + 1))]


def rank_styles(pose: PoseNet) -> tuple[int, ...]:
    """All styles, the one that moves the head least first, as these weights have learnt them.

    What the styles are is nowhere written down, so each is tried: with the same latents, and
    nothing to hear.
    """
    random = np.random.default_rng(0)
    latents = torch.from_numpy(random.standard_normal((_TRIALS, LATENT)).astype(np.float32))
    device = pose.netG.decoder.classbias.device
    heard = torch.zeros(_TRIALS, CHUNK, EMBEDDING, device=device)
    still = torch.zeros(_TRIALS, POSE.stop - POSE.start, device=device)
    sizes = []
    with torch.inference_mode():
        for style in range(STYLES):
            moved = pose.netG.decoder(heard, still, style, latents.to(device))
            sizes.append(moved[..., :3].std(dim=1).mean())
        order = torch.stack(sizes).argsort(stable=True)
    return tuple(int(style) for style in order.tolist())


def _played(speech: Speech, frames: int) -> Performance:
    performance = Performance(frames)
    times = (np.arange(frames, dtype=np.float32) + np.float32(0.5)) / np.float32(FPS)
    act(performance, times, speech.cues, frames / FPS)
    return performance
