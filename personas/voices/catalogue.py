"""VoiceCatalogue: every voice there is, and who of them plays a part."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from personas.errors import NotFoundError, UnavailableError
from personas.persona import Personality, Voice
from personas.voices.fit import Fit, distance, fit
from personas.voices.part import Part, words
from personas.voices.preset import VoicePreset, bounded
from personas.voices.roster import Roster
from personas.voices.tags import ANY, primary, speaks

OFFERED = 16
"""Voices a language model is offered: as many as a small one can choose from."""


class VoiceCatalogue:
    """Every voice there is, in the order of the files.

    Args:
        presets: the voices.
        roster: who can speak here; by default the first engine that speaks a language.
    """

    def __init__(self, presets: Iterable[VoicePreset], roster: Roster | None = None) -> None:
        self._presets: dict[str, VoicePreset] = {}
        for preset in presets:
            if preset.name in self._presets:
                raise ValueError(f"there are two voices called {preset.name}")
            self._presets[preset.name] = preset
        if not self._presets:
            raise ValueError("a catalogue of voices needs at least one voice")
        self._roster = roster or _FirstEngine(self._presets)

    def available(self, roster: Roster) -> VoiceCatalogue:
        """The same voices, cast from those that can speak here; asks `roster` each time."""
        return VoiceCatalogue(self._presets.values(), roster)

    def names(self) -> tuple[str, ...]:
        """The names of all voices."""
        return tuple(self._presets)

    def presets(self) -> tuple[VoicePreset, ...]:
        """All voices."""
        return tuple(self._presets.values())

    def languages(self) -> tuple[str, ...]:
        """The languages of all voices, without regions."""
        found = {primary(preset.language) for preset in self._presets.values()}
        return tuple(sorted(found - {ANY}))

    def ready(self) -> tuple[VoicePreset, ...]:
        """The voices that can speak here, in any language."""
        engines = {preset.engine for preset in self._presets.values()}
        able = {engine for engine in engines if not self._roster.obstacle(engine)}
        return tuple(preset for preset in self._presets.values() if preset.engine in able)

    def speaking(self, language: str = "") -> tuple[VoicePreset, ...]:
        """The voices that speak a language; all where none is given."""
        return tuple(
            preset
            for preset in self._presets.values()
            if not language or speaks(preset.language, language)
        )

    def engines_for(self, language: str) -> tuple[str, ...]:
        """The engines to cast from for a language, the preferred first; empty: none speaks it."""
        return tuple(self._roster.engines_for(language))

    def obstacle(self, preset: VoicePreset) -> str:
        """Why a voice cannot speak here, as a sentence; empty where it can."""
        return self._roster.obstacle(preset.engine)

    def find(self, name: str) -> VoicePreset | None:
        """The voice called `name`, whether it can speak here or not."""
        return self._presets.get(name.strip().lower())

    def get(self, name: str) -> VoicePreset:
        """The voice called `name`.

        Raises:
            NotFoundError: there is none; the message names the nearest.
            UnavailableError: it cannot speak here; the message says what would help.
        """
        preset = self.find(name)
        if preset is None:
            raise NotFoundError(
                f"There is no voice called “{name.strip()[:40]}”. {self._hint(name)}"
            )
        if obstacle := self.obstacle(preset):
            raise UnavailableError(f"The voice “{preset.name}” cannot speak here: {obstacle}")
        return preset

    def candidates(
        self, part: Part, *, engines: Sequence[str] = (), taken: Iterable[Voice] = ()
    ) -> list[Fit]:
        """The voices that can play a part, the best first; never empty.

        Args:
            part: who is going to speak.
            engines: only of these, whether they can speak here or not.
            taken: voices of others around, which are better not used again.
        """
        engines = engines or self._roster.engines_for(part.language)
        used = Counter(voice.preset for voice in taken)
        found = [
            preset
            for preset in self._presets.values()
            if preset.engine in engines and speaks(preset.language, part.language)
        ]
        # nobody speaks this language: better a voice with an accent than none
        if not found:
            engines = self._roster.engines_for("en") or engines
            found = [p for p in self._presets.values() if p.engine in engines]
        fits = [fit(p, part, engines, used[p.name]) for p in found or self._presets.values()]
        return sorted(fits, key=lambda one: -one.score)

    def shortlist(self, part: Part, limit: int = OFFERED) -> tuple[str, ...]:
        """Names of voices that suit a part, in the order of the catalogue.

        The best of each character comes before the second of any, so that there is a choice.
        """
        fits = self.candidates(part)
        first: dict[str, Fit] = {}
        for one in fits:
            first.setdefault(one.preset.character or one.preset.name, one)
        characters = list(first.values())
        ordered = characters + [one for one in fits if one not in characters]
        chosen = {one.preset.name for one in ordered[:limit]}
        return tuple(name for name in self._presets if name in chosen)

    def resolve(
        self,
        name: str,
        personality: Personality,
        *,
        about: str = "",
        seed: int = 0,
        taken: Iterable[Voice] = (),
    ) -> VoicePreset:
        """The voice that was meant by `name`, or else the one that suits the personality.

        Never fails: a language model may have written the name. An exact name wins, then the
        nearest spelling, where that voice can speak here and speaks the language; then what the
        words of the name describe ("deep male voice"), kind, character, gender and age.

        Args:
            name: what was asked for; may be empty, invented or a description.
            personality: who is going to speak.
            about: what it is, in English.
            seed: breaks ties.
            taken: voices of others around, which are better not used again.
        """
        joined = "-".join(words(name[:200]))
        meant = self._presets.get(joined)
        if meant is None and joined:
            near = difflib.get_close_matches(joined, self._presets, n=1, cutoff=0.8)
            meant = self._presets[near[0]] if near else None
        if meant and speaks(meant.language, personality.language) and not self.obstacle(meant):
            return meant
        if meant:
            # the same character in the language, or from an engine that is here
            name = f"{name} {meant.character}"
        part = Part.of(personality, name, about=about, seed=seed)
        return self.candidates(part, taken=taken)[0].preset

    def cast(self, preset_name: str, seed: int, taken: Iterable[Voice] = ()) -> Voice:
        """A voice of this preset for one persona; the same arguments give the same voice.

        Args:
            preset_name: the voice.
            seed: of the persona.
            taken: voices of others around, from which it shall differ.

        Raises:
            NotFoundError: there is no such preset.
        """
        preset = self.find(preset_name)
        return (preset or self.get(preset_name)).cast(seed, taken)

    def understudies(
        self, voice: Voice, language: str, engines: Sequence[str]
    ) -> tuple[Voice, ...]:
        """Who stands in when a voice cannot speak: the nearest of each engine, the nearest first.

        Args:
            voice: who cannot speak; may be unknown here.
            language: what is to be spoken.
            engines: who can speak instead, the preferred first.
        """
        own = self.find(voice.preset)
        own = own if own is not None and own.engine == voice.engine else _stranger(voice, language)
        nearest: list[tuple[float, VoicePreset]] = []
        for rank, engine in enumerate(engines):
            found = [
                (distance(own, preset, language) + 0.4 * rank, preset)
                for preset in self._presets.values()
                if preset.engine == engine
            ]
            if found:
                nearest.append(min(found, key=lambda one: one[0]))
        nearest.sort(key=lambda one: one[0])
        return tuple(_carried(voice, own, preset) for _, preset in nearest)

    def _hint(self, name: str) -> str:
        near = difflib.get_close_matches(name.strip().lower(), self._presets, n=1, cutoff=0.65)
        if near:
            return f"Did you mean “{near[0]}”?"
        fits = [one.name for one in self.ready()]
        more = " and others; `chatanything voices` lists them" if len(fits) > OFFERED else ""
        return f"There are: {', '.join(fits[:OFFERED])}{more}."


def _stranger(voice: Voice, language: str) -> VoicePreset:
    """What can be guessed of a voice that this catalogue does not hold."""
    told = Part.of(
        Personality(name="?", kind="?", character="?", greeting="?", language=language or "en"),
        voice.preset,
    )
    return VoicePreset(
        name="stranger",
        engine=voice.engine,
        language=language or "en",
        gender=told.gender,
        age=told.age,
        tone=tuple(told.asked) or ("natural",),
        description="a voice from elsewhere",
        **bounded(voice.model_dump(exclude={"engine", "preset"})),
    )


def _carried(voice: Voice, own: VoicePreset, preset: VoicePreset) -> Voice:
    """The understudy with what sets this voice apart from others of its preset."""
    ratios = {
        key: getattr(preset, key) * getattr(voice, key) / getattr(own, key)
        for key in ("pitch", "formant", "rate")
    }
    sums = {
        key: getattr(preset, key) + getattr(voice, key) - getattr(own, key)
        for key in ("breath", "range")
    }
    return Voice(engine=preset.engine, preset=preset.name, **bounded({**ratios, **sums}))


class _FirstEngine:
    """Casts from the first engine of the files that speaks a language; everybody can speak."""

    def __init__(self, presets: Mapping[str, VoicePreset]) -> None:
        self._presets = presets

    def engines_for(self, language: str) -> Sequence[str]:
        for preset in self._presets.values():
            if speaks(preset.language, language):
                return (preset.engine,)
        return ()

    def obstacle(self, engine: str) -> str:
        return ""
