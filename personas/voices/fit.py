"""How well a voice suits a part, with the reasons; and how near two voices are."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from personas.persona import Age
from personas.voices.part import Part
from personas.voices.preset import VoicePreset
from personas.voices.tags import ANY, region, speaks

_Because = Callable[[str, float], None]

TIE = 1.6
"""Voices that differ by less suit a part equally well."""
_AGES: tuple[Age, ...] = ("child", "young", "adult", "old")


@dataclass(frozen=True)
class Fit:
    """A voice that might play a part.

    Attributes:
        preset: the voice.
        score: the higher the better; ties are broken by up to `TIE`.
        reasons: what speaks for and against it, with the points each gives.
    """

    preset: VoicePreset
    score: float
    reasons: tuple[tuple[str, float], ...]


def fit(preset: VoicePreset, part: Part, engines: Sequence[str], times_taken: int = 0) -> Fit:
    """How well a voice suits a part.

    Args:
        preset: the voice.
        part: who is going to speak.
        engines: those that may speak, the preferred first.
        times_taken: how many others of the gallery have this voice already.
    """
    reasons: list[tuple[str, float]] = []

    def because(reason: str, points: float) -> None:
        if points:
            reasons.append((reason, points))

    own = {*preset.words, *preset.tone, preset.name, preset.character} - {""}
    for asked in sorted(own & part.asked):
        because(f"asked for: {asked}", 6.0)
    if preset.character in part.asked:
        because(f"called {preset.character}", 2.0)
    for kind in sorted(own & part.kind):
        because(f"is a {kind}", 4.0)
    for trait in sorted((own & part.traits) - part.kind):
        because(f"is {trait}", 2.0)
    if told := sorted((own & part.said) - part.kind - part.traits):
        because(f"described as {', '.join(told[:3])}", min(3.0, len(told)))
    if part.mood in own:
        because(f"mood {part.mood}", 0.5)
    _gender_and_age(preset, part, bool(own & (part.asked | part.kind | part.traits)), because)
    wanted_region, own_region = region(part.language), region(preset.language)
    if wanted_region and own_region:
        because(f"region {own_region}", 1.0 if wanted_region == own_region else -1.0)
    if preset.engine in engines:
        because(f"{engines[0]} is preferred", -0.4 * engines.index(preset.engine))
    if times_taken:
        because(f"{times_taken} here sound like this already", -1.5 * times_taken)
    # things of no gender do not all get the same voice
    tie = TIE * zlib.crc32(f"{part.who}/{preset.name}".encode()) / 2**32
    return Fit(preset, sum(points for _, points in reasons) + tie, tuple(reasons))


def _gender_and_age(preset: VoicePreset, part: Part, called_for: bool, because: _Because) -> None:
    if part.gender == preset.gender != "neutral":
        because(f"{part.gender}", 3.0)
    elif "neutral" not in (part.gender, preset.gender):
        because(f"{preset.gender}, not {part.gender}", -8.0)
    elif preset.gender == "neutral" and not called_for:
        because("a special voice", -2.0)  # for those who ask for it
    if part.age == preset.age:
        because(f"{part.age}", 1.0 if part.age == "adult" else 2.0)
    elif "child" in (part.age, preset.age):
        because(f"{preset.age}, not {part.age}", -6.0)
    elif "old" in (part.age, preset.age):
        because(f"{preset.age}, not {part.age}", -3.0)


def distance(one: VoicePreset, other: VoicePreset, language: str) -> float:
    """How far another voice is from one that cannot speak, 0 being the same; language first.

    Args:
        one: who cannot speak.
        other: who might stand in.
        language: what is to be spoken.
    """
    far = 0.0 if speaks(other.language, language) else 100.0
    if ANY not in (one.language, other.language):
        far += 1.0 * (region(one.language) != region(other.language))
    if one.gender != other.gender:
        far += 4.0 if "neutral" in (one.gender, other.gender) else 8.0
    far += 2.0 * abs(_AGES.index(one.age) - _AGES.index(other.age))
    if not one.character or one.character != other.character:
        far += 3.0
    far += 1.5 * (one.effect != other.effect)
    far += 2.0 * abs(one.breath - other.breath)
    tones = {*one.tone} | {*other.tone}
    far += 1.0 - len({*one.tone} & {*other.tone}) / len(tones)
    return far
