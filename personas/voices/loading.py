"""The catalogue from its files.

A file holds presets (one table each), or a company: the speakers of an engine by language and by
the character they are by nature. The first of each kind also plays other characters, shaped like
those of `hibari.toml`: so every language has its giants, children and robots.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

from pydantic import Field

from personas.persona import Frozen
from personas.voices.catalogue import VoiceCatalogue
from personas.voices.preset import VoicePreset

_CHARACTERS = "hibari.toml"
_COMPANIES = ("kokoro.toml", "openai.toml", "edge.toml", "espeak.toml")
_PITCH = (0.55, 1.7)
_FORMANT = (0.76, 1.34)
"""How far the samples of a speaker can be bent before it is hard to understand."""


class Speaker(Frozen):
    """One voice of an engine."""

    name: str = Field(min_length=1)
    tone: tuple[str, ...] = ()
    description: str = ""
    speaker: str = Field(default="", description="where the file's pattern does not fit")


_Cast = Mapping[str, tuple[Speaker | str, ...]]


class Company(Frozen):
    """The speakers of an engine.

    Attributes:
        engine: its name.
        speaker: how the engine names a speaker, of {code} and {name}.
        preset: how we name a preset, of {character}, {language} and {name}.
        codes: how the engine names a language, where that is not its tag.
        bend: how far its speakers are shaped into other characters; 0 is not at all, 1 is as far
            as those of hibari are.
        rate: the speed of those characters, as a share of what hibari's have.
        plays: for a character, the others that its first speaker of a language can play.
        speakers: for each language and character, who is it by nature.
        languages: where all speakers speak all languages, these.
        everywhere: those speakers, by character.
    """

    engine: str
    speaker: str
    preset: str
    codes: Mapping[str, str] = Field(default_factory=dict)
    bend: float = Field(default=1.0, ge=0, le=1)
    rate: float = Field(default=1.0, gt=0.5, lt=1.5)
    plays: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    speakers: Mapping[str, _Cast] = Field(default_factory=dict)
    languages: tuple[str, ...] = ()
    everywhere: _Cast = Field(default_factory=dict)


@cache
def load_voices() -> VoiceCatalogue:
    """The catalogue that comes with the program."""
    characters = tuple(_presets(_read(_CHARACTERS)))
    by_name = {preset.name: preset for preset in characters}
    presets = list(characters)
    for file in _COMPANIES:
        presets += engaged(Company.model_validate(_read(file)), by_name)
    return VoiceCatalogue(presets)


def parse_voices(tables: Mapping[str, Mapping[str, object]]) -> VoiceCatalogue:
    """A catalogue from the tables of a TOML file: one table a voice, named by its key.

    Raises:
        pydantic.ValidationError: an entry is not valid.
    """
    return VoiceCatalogue(_presets(tables))


def engaged(company: Company, characters: Mapping[str, VoicePreset]) -> Iterator[VoicePreset]:
    """The presets of a company.

    Args:
        company: an engine's speakers.
        characters: the voices that say what a giant or a child sounds like, by name.

    Raises:
        KeyError: a character is not among those.
    """
    everywhere = dict.fromkeys(company.languages, company.everywhere)
    for language, cast in {**everywhere, **company.speakers}.items():
        for nature, speakers in cast.items():
            for number, entry in enumerate(speakers):
                speaker = Speaker(name=entry) if isinstance(entry, str) else entry
                yield _natural(company, language, characters[nature], speaker)
                if number == 0:
                    for other in company.plays.get(nature, ()):
                        yield _played(
                            company, language, characters[nature], characters[other], speaker
                        )


def _natural(
    company: Company, language: str, character: VoicePreset, speaker: Speaker
) -> VoicePreset:
    """A speaker as itself."""
    description = speaker.description or f"{speaker.name.capitalize()}, {character.description}"
    return character.model_copy(
        update={
            **_names(company, language, character.name, speaker),
            "tone": speaker.tone or character.tone,
            "description": description.split(";")[0][:100],
            "pitch": 1.0,
            "formant": 1.0,
            "breath": 0.0,
            "range": 1.0,
            "rate": 1.0,
            "effect": "none",
        }
    )


def _played(
    company: Company,
    language: str,
    nature: VoicePreset,
    character: VoicePreset,
    speaker: Speaker,
) -> VoicePreset:
    """A speaker shaped into another character."""
    return character.model_copy(
        update={
            **_names(company, language, character.name, speaker),
            "pitch": _within(_PITCH, (character.pitch / nature.pitch) ** company.bend),
            "formant": _within(_FORMANT, (character.formant / nature.formant) ** company.bend),
            "breath": character.breath
            if character.breath == 1
            else character.breath * company.bend,
            "range": round(1 + (character.range - 1) * company.bend, 3),
            "rate": round(character.rate * company.rate, 3),
        }
    )


def _names(company: Company, language: str, character: str, speaker: Speaker) -> dict[str, str]:
    code = company.codes.get(language, language)
    preset = company.preset.format(character=character, language=language, name=speaker.name)
    return {
        "name": preset.lower(),
        "engine": company.engine,
        "speaker": speaker.speaker or company.speaker.format(code=code, name=speaker.name),
        "language": language,
        "character": character,
    }


def _presets(tables: Mapping[str, Mapping[str, object]]) -> Iterator[VoicePreset]:
    for name, table in tables.items():
        yield VoicePreset.model_validate({"name": name, "character": name, **table})


def _within(limits: tuple[float, float], value: float) -> float:
    return round(min(max(value, limits[0]), limits[1]), 3)


def _read(file: str) -> dict[str, Any]:
    text = resources.files("personas.voices").joinpath(file).read_text(encoding="utf-8")
    return tomllib.loads(text)
