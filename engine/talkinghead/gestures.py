"""Gestures: what a stage direction does to face and body."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Keys = tuple[tuple[float, float], ...]
"""(seconds since its start, value), from rest to rest."""


@dataclass(frozen=True)
class Gesture:
    """A short movement on top of everything else.

    Attributes:
        words: beginnings of the words that call for it.
        tracks: for some channels of a performance, key values that are eased between.
    """

    words: tuple[str, ...]
    tracks: dict[str, Keys]

    @property
    def seconds(self) -> float:
        """How long it takes."""
        return max(keys[-1][0] for keys in self.tracks.values())


def _hold(value: float, seconds: float, attack: float = 0.25, release: float = 0.4) -> Keys:
    """Up, stay, and back."""
    return (
        (0.0, 0.0),
        (attack, value),
        (attack + seconds, value),
        (attack + seconds + release, 0.0),
    )


def _shake(value: float, times: int, period: float) -> Keys:
    """To and fro, fading."""
    swings = (
        (period * (i + 1) / 2, value * (-1) ** i * (1 - i / (2 * times))) for i in range(2 * times)
    )
    return ((0.0, 0.0), *swings, (period * (times + 0.75), 0.0))


GESTURES: Final[tuple[Gesture, ...]] = (
    Gesture(
        ("wink",),
        {
            "blink_right": ((0, 0), (0.1, 1), (0.32, 1), (0.5, 0)),
            "brow_right": ((0, 0), (0.1, -0.4), (0.32, -0.4), (0.55, 0)),
            "brow_left": _hold(0.4, 0.3, 0.15),
            "smile": _hold(0.7, 0.7, 0.15),
            "lean": _hold(0.4, 0.4),
        },
    ),
    Gesture(
        ("laugh", "giggl", "chuckl", "cackl", "snicker", "snort", "guffaw"),
        {
            "smile": _hold(1.0, 1.2, 0.2),
            "blink_left": _hold(0.7, 0.9, 0.2),
            "blink_right": _hold(0.7, 0.9, 0.2),
            "brow_left": _hold(0.5, 1.0),
            "brow_right": _hold(0.5, 1.0),
            "squash": _shake(1.1, 5, 0.24),
            "turn_y": _hold(-0.4, 0.9),
        },
    ),
    Gesture(
        ("smil", "grin", "beam", "smirk", "happily", "warmly"),
        {"smile": _hold(0.9, 1.4), "brow_left": _hold(0.25, 1.0), "brow_right": _hold(0.25, 1.0)},
    ),
    Gesture(
        ("sigh", "groan", "exhal", "yawn"),
        {
            "brow_tilt": _hold(0.6, 0.9),
            "blink_left": _hold(0.6, 0.8, 0.35),
            "blink_right": _hold(0.6, 0.8, 0.35),
            "smile": _hold(-0.35, 0.8),
            "gaze_y": _hold(0.5, 0.7),
            "turn_y": ((0, 0), (0.3, -0.35), (0.9, 0.45), (1.5, 0)),
            "squash": ((0, 0), (0.3, 1.0), (0.9, -1.3), (1.6, 0)),
        },
    ),
    Gesture(
        ("roll",),
        {
            "gaze_x": ((0, 0), (0.15, -0.6), (0.4, 0), (0.65, 0.7), (0.95, 0)),
            "gaze_y": ((0, 0), (0.15, -0.3), (0.4, -1), (0.65, -0.4), (0.95, 0)),
            "turn_y": _hold(-0.3, 0.5),
            "brow_left": _hold(0.45, 0.5),
            "brow_right": _hold(0.45, 0.5),
            "blink_left": _hold(0.2, 0.5),
            "blink_right": _hold(0.2, 0.5),
        },
    ),
    Gesture(
        ("shake", "disagree", "refus"),
        {
            "turn_x": _shake(0.75, 2, 0.5),
            "sway": _shake(0.3, 2, 0.5),
            "brow_tilt": _hold(-0.2, 0.8),
        },
    ),
    Gesture(
        ("nod", "bow", "agree"),
        {"turn_y": _shake(0.7, 2, 0.46), "squash": _shake(-0.5, 2, 0.46)},
    ),
    Gesture(
        ("frown", "scowl", "glar", "growl", "grumbl", "huff", "mutter", "angr", "squint", "narrow"),
        {
            "brow_left": _hold(-0.7, 1.2),
            "brow_right": _hold(-0.7, 1.2),
            "brow_tilt": _hold(-0.8, 1.2),
            "smile": _hold(-0.6, 1.2),
            "blink_left": _hold(0.25, 1.1),
            "blink_right": _hold(0.25, 1.1),
            "lean": _hold(-0.3, 1.0),
        },
    ),
    Gesture(
        ("gasp", "surpris", "startl", "shock", "jump", "wide"),
        {
            "brow_left": _hold(1.0, 0.8, 0.1),
            "brow_right": _hold(1.0, 0.8, 0.1),
            "squash": ((0, 0), (0.12, 1.5), (0.5, 0.6), (1.0, 0)),
            "turn_y": _hold(-0.4, 0.5, 0.12),
        },
    ),
    Gesture(
        ("brow", "raise", "quirk", "arch", "skeptic", "sceptic"),
        {
            "brow_left": _hold(0.9, 0.9, 0.2),
            "brow_right": _hold(-0.3, 0.9, 0.2),
            "lean": _hold(0.5, 0.8),
        },
    ),
    Gesture(
        ("cry", "cries", "sob", "weep", "sniff", "tear", "sad", "whimper", "pout"),
        {
            "brow_tilt": _hold(1.0, 1.4),
            "smile": _hold(-0.8, 1.4),
            "gaze_y": _hold(0.5, 1.0),
            "turn_y": _hold(0.4, 1.1),
            "squash": _shake(0.5, 4, 0.3),
        },
    ),
    Gesture(
        ("blush", "shy", "fidget", "bashful", "embarrass"),
        {
            "gaze_x": _hold(0.5, 1.0),
            "gaze_y": _hold(0.6, 1.0),
            "turn_x": _hold(0.35, 1.0),
            "turn_y": _hold(0.35, 1.0),
            "brow_tilt": _hold(0.5, 1.0),
            "smile": _hold(0.4, 1.2),
            "lean": _hold(0.5, 1.0),
        },
    ),
    Gesture(
        ("tilt", "cock", "curious", "wonder", "hmm", "ponder", "think", "consider"),
        {
            "lean": _hold(0.9, 1.0, 0.3),
            "gaze_x": _hold(0.4, 0.7),
            "gaze_y": _hold(-0.5, 0.7),
            "brow_left": _hold(0.5, 0.9),
        },
    ),
    Gesture(
        ("shrug",),
        {
            "squash": ((0, 0), (0.25, 1.3), (0.6, 1.2), (0.95, 0)),
            "brow_left": _hold(0.6, 0.4),
            "brow_right": _hold(0.6, 0.4),
            "lean": _hold(0.5, 0.4),
            "smile": _hold(-0.25, 0.4),
        },
    ),
    Gesture(
        ("look", "glanc", "gaz", "peer", "stare", "peek"),
        {
            "gaze_x": ((0, 0), (0.12, 0.8), (0.7, 0.8), (0.8, -0.7), (1.3, -0.7), (1.45, 0)),
            "turn_x": ((0, 0), (0.3, 0.4), (0.7, 0.4), (1.0, -0.35), (1.3, -0.35), (1.7, 0)),
        },
    ),
    Gesture(
        ("lean", "whisper", "bend", "inch"),
        {"lean": _hold(0.8, 1.2, 0.4), "turn_y": _hold(0.25, 1.0), "brow_left": _hold(0.3, 0.8)},
    ),
    Gesture(
        ("wave", "danc", "bounc", "wiggl", "cheer", "clap", "hop", "sway", "hum", "excit"),
        {"sway": _shake(0.9, 3, 0.5), "squash": _shake(0.9, 5, 0.3), "smile": _hold(0.7, 1.2)},
    ),
    Gesture(
        ("close", "relax", "meditat", "sleep", "doze", "breath"),
        {
            "blink_left": _hold(1.0, 0.7, 0.3),
            "blink_right": _hold(1.0, 0.7, 0.3),
            "squash": ((0, 0), (0.5, 0.9), (1.4, 0)),
        },
    ),
)


def gesture_for(action: str) -> Gesture | None:
    """The gesture a stage direction asks for: of the first word in it that means one."""
    for word in re.findall(r"[^\W\d_]+", action.lower()[:200]):
        for gesture in GESTURES:
            if word.startswith(gesture.words):
                return gesture
    return None


def play(keys: Keys, times: NDArray[np.float32]) -> NDArray[np.float32]:
    """The value at some times since the gesture's start, eased between its keys."""
    at = np.array([time for time, _ in keys])
    values = np.array([value for _, value in keys])
    index = np.clip(np.searchsorted(at, times, "right") - 1, 0, len(at) - 2)
    share = np.clip((times - at[index]) / np.maximum(at[index + 1] - at[index], 1e-6), 0, 1)
    eased = share * share * (3 - 2 * share)
    value = values[index] + (values[index + 1] - values[index]) * eased
    return np.asarray(np.where((times < at[0]) | (times > at[-1]), 0, value), np.float32)
