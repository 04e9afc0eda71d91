"""VoicePreset: one entry of the catalogue of voices, and how personas with it may differ."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import Field

from personas.persona import Age, Frozen, Gender, Voice

Effect = Literal["none", "tremor", "growl", "robot", "echo"]
"""What an engine may add to a voice: an old person's shake, a rasp, metal, a hollow room."""

LIMITS: Mapping[str, tuple[float, float]] = {
    "pitch": (0.3, 2.2),
    "formant": (0.62, 1.55),
    "breath": (0.0, 1.0),
    "range": (0.0, 1.8),
    "rate": (0.6, 1.6),
}
_TRIES = 12
_APART = 0.8
"""Two voices of one preset that are as far apart as this are told apart with ease."""


class Spread(Frozen):
    """How far two personas with the same preset may differ.

    `pitch`, `formant` and `rate` are shares of the preset's value; `breath` and `range` are
    absolute.
    """

    pitch: float = Field(default=0.06, ge=0, le=0.3)
    formant: float = Field(default=0.025, ge=0, le=0.2)
    breath: float = Field(default=0.05, ge=0, le=0.3)
    range: float = Field(default=0.12, ge=0, le=0.5)
    rate: float = Field(default=0.05, ge=0, le=0.3)


class VoicePreset(Frozen):
    """One entry of the catalogue: who it sounds like, and the shaping that makes it so."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    engine: str = Field(default="hibari", description="the synthesizer that speaks it")
    speaker: str = Field(default="", max_length=100, description="the engine's own name of it")
    language: str = Field(default="en", description="BCP 47 tag; mul speaks every language")
    character: str = Field(default="", description="the same in every language and engine: giant")
    gender: Gender
    age: Age
    tone: tuple[str, ...] = Field(min_length=1, description="a few words on how it sounds")
    description: str = Field(min_length=1, max_length=100)
    words: tuple[str, ...] = Field(default=(), description="nouns and traits that call for it")
    pitch: float = Field(default=1.0, gt=0.2, lt=4)
    formant: float = Field(default=1.0, gt=0.4, lt=2.5)
    breath: float = Field(default=0.0, ge=0, le=1)
    range: float = Field(default=1.0, ge=0, le=2)
    rate: float = Field(default=1.0, gt=0.4, lt=2.5)
    effect: Effect = "none"
    spread: Spread = Spread()

    def cast(self, seed: int, taken: Iterable[Voice] = ()) -> Voice:
        """A voice for one persona; the same arguments give the same voice.

        Two personas with the same preset differ within its spread, so that they do not sound
        the same and both stay in character.

        Args:
            seed: decides where in the spread it lies.
            taken: voices to keep away from, such as those of the same gallery.
        """
        dice = random.Random(f"{self.name}:{seed}")
        others = [voice for voice in taken if voice.preset == self.name]
        best, distance = self._draw(dice), -1.0
        if not others:
            return best
        drawn = best
        for _ in range(_TRIES):
            nearest = min(self._apart(drawn, other) for other in others)
            if nearest > distance:
                best, distance = drawn, nearest
            if distance >= _APART:
                break
            drawn = self._draw(dice)
        return best

    def _draw(self, dice: random.Random) -> Voice:
        draw = {key: dice.uniform(-1.0, 1.0) for key in LIMITS}
        spread = self.spread
        shaped = {
            "pitch": self.pitch * (1 + spread.pitch) ** draw["pitch"],
            "formant": self.formant * (1 + spread.formant) ** draw["formant"],
            "rate": self.rate * (1 + spread.rate) ** draw["rate"],
            # a whisper stays a whisper and a monotone stays one
            "breath": self.breath + spread.breath * draw["breath"] * (self.breath < 1),
            "range": self.range + spread.range * draw["range"] * (self.range > 0),
        }
        return Voice(engine=self.engine, preset=self.name, **bounded(shaped))

    def _apart(self, one: Voice, other: Voice) -> float:
        """How different two voices of this preset sound: about 2 is as far as its spread goes."""
        pitch = abs(math.log(one.pitch / other.pitch)) / math.log(1 + max(self.spread.pitch, 0.01))
        formant = abs(math.log(one.formant / other.formant)) / math.log(
            1 + max(self.spread.formant, 0.01)
        )
        return math.hypot(pitch, formant)


def bounded(shaping: Mapping[str, float]) -> dict[str, float]:
    """Shaping within what engines can do and people can follow."""
    return {
        key: round(min(max(value, LIMITS[key][0]), LIMITS[key][1]), 4)
        for key, value in shaping.items()
    }
