"""The mixture of voices: the catalogue a persona's voice is cast from.

The entries are data (`voices.toml`); what an engine does with them is the engine's business.
"""

from __future__ import annotations

import difflib
import random
import re
import tomllib
import unicodedata
import zlib
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Literal

from pydantic import Field

from personas.errors import NotFoundError
from personas.persona import Age, Frozen, Gender, Personality, Voice

Effect = Literal["none", "tremor", "growl", "robot", "echo"]
"""What an engine may add to a voice: an old person's shake, a rasp, metal, a hollow room."""

_LIMITS = {
    "pitch": (0.3, 2.2),
    "formant": (0.62, 1.55),
    "breath": (0.0, 1.0),
    "range": (0.0, 1.8),
    "rate": (0.6, 1.6),
}


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
    language: str = Field(default="en", description="BCP 47 tag")
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


class VoiceCatalogue:
    """Every voice there is, in the order of the file."""

    def __init__(self, presets: Iterable[VoicePreset]) -> None:
        self._presets = {preset.name: preset for preset in presets}
        if not self._presets:
            raise ValueError("a catalogue of voices needs at least one voice")

    def names(self) -> tuple[str, ...]:
        """The names of all voices."""
        return tuple(self._presets)

    def presets(self) -> tuple[VoicePreset, ...]:
        """All voices."""
        return tuple(self._presets.values())

    def get(self, name: str) -> VoicePreset:
        """The voice called `name`.

        Raises:
            NotFoundError: there is none; the message names the nearest.
        """
        preset = self._presets.get(name.strip().lower())
        if preset is not None:
            return preset
        near = difflib.get_close_matches(name.strip().lower(), self._presets, n=1, cutoff=0.5)
        hint = f"Did you mean “{near[0]}”?" if near else f"There are: {', '.join(self._presets)}."
        raise NotFoundError(f"There is no voice called “{name.strip()[:40]}”. {hint}")

    def resolve(self, name: str, personality: Personality) -> VoicePreset:
        """The voice that was meant by `name`, or else the one that suits the personality.

        Never fails: a language model may have written the name. An exact name wins, then the
        nearest spelling, then what the words of the name describe ("deep male voice"), then
        kind, character, gender and age.

        Args:
            name: what was asked for; may be empty, invented or a description.
            personality: who is going to speak.
        """
        wanted = _words(name[:200])
        joined = "-".join(wanted)
        if joined in self._presets:
            return self._presets[joined]
        near = difflib.get_close_matches(joined, self._presets, n=1, cutoff=0.8)
        if near:
            return self._presets[near[0]]
        scores = {
            preset.name: _fit(preset, wanted, personality) for preset in self._presets.values()
        }
        return self._presets[max(scores, key=lambda key: scores[key])]

    def cast(self, preset_name: str, seed: int) -> Voice:
        """A voice of this preset for one persona; the same seed gives the same voice.

        Two personas with the same preset differ within its spread, so that they do not sound
        the same and both stay in character.

        Raises:
            NotFoundError: there is no such preset.
        """
        preset = self.get(preset_name)
        dice = random.Random(f"{preset.name}:{seed}")
        draw = {key: dice.uniform(-1.0, 1.0) for key in _LIMITS}
        spread = preset.spread
        shaped = {
            "pitch": preset.pitch * (1 + spread.pitch) ** draw["pitch"],
            "formant": preset.formant * (1 + spread.formant) ** draw["formant"],
            "rate": preset.rate * (1 + spread.rate) ** draw["rate"],
            # a whisper stays a whisper and a monotone stays one
            "breath": preset.breath + spread.breath * draw["breath"] * (preset.breath < 1),
            "range": preset.range + spread.range * draw["range"] * (preset.range > 0),
        }
        bounded = {
            key: round(min(max(value, _LIMITS[key][0]), _LIMITS[key][1]), 4)
            for key, value in shaped.items()
        }
        return Voice(engine=preset.engine, preset=preset.name, **bounded)


def load_voices() -> VoiceCatalogue:
    """The catalogue that comes with the program."""
    text = resources.files("personas").joinpath("voices.toml").read_text(encoding="utf-8")
    return parse_voices(tomllib.loads(text))


def parse_voices(tables: Mapping[str, Mapping[str, object]]) -> VoiceCatalogue:
    """A catalogue from the tables of a TOML file: one table a voice, named by its key.

    Raises:
        pydantic.ValidationError: an entry is not valid.
    """
    return VoiceCatalogue(
        VoicePreset.model_validate({"name": name, **table}) for name, table in tables.items()
    )


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.findall(r"[a-z0-9]+", plain)


_GENDER_WORDS: Mapping[str, Gender] = {
    "female": "female", "woman": "female", "feminine": "female", "girl": "female", "she": "female",
    "male": "male", "man": "male", "masculine": "male", "boy": "male", "he": "male",
}  # fmt: skip
_AGE_WORDS: Mapping[str, Age] = {
    "child": "child", "childish": "child", "kid": "child", "baby": "child",
    "young": "young", "youthful": "young", "teen": "young", "teenage": "young",
    "old": "old", "elderly": "old", "aged": "old", "ancient": "old", "senior": "old",
}  # fmt: skip


def _fit(preset: VoicePreset, wanted: list[str], personality: Personality) -> float:
    """How well a voice suits what was asked for and who is going to speak."""
    gender = next((_GENDER_WORDS[w] for w in wanted if w in _GENDER_WORDS), personality.gender)
    age = next((_AGE_WORDS[w] for w in wanted if w in _AGE_WORDS), personality.age)
    own = {*preset.words, *preset.tone, preset.name}

    score = 6.0 * len(own.intersection(wanted))
    score += 4.0 * len(own.intersection(_words(personality.kind)))
    said = f"{personality.tagline} {personality.character} {personality.speaking_style}"
    score += min(3.0, 1.0 * len(own.intersection(_words(said[:2_000]))))
    score += 0.5 * (personality.mood.value in own)

    if gender == preset.gender != "neutral":
        score += 3.0
    elif "neutral" not in (gender, preset.gender):
        score -= 8.0
    elif preset.gender == "neutral":
        score -= 2.0  # a special voice is for those who ask for it
    if age == preset.age:
        score += 2.0
    elif "child" in (age, preset.age):
        score -= 6.0
    elif "old" in (age, preset.age):
        score -= 3.0
    # things of no gender do not all get the same voice
    who = f"{personality.name}/{personality.kind}/{preset.name}"
    return score + zlib.crc32(who.encode()) / 2**32
