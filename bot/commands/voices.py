"""voices: who can speak here, why a voice suits a description, and what it sounds like."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot.files import check_writable, write_file
from bot.output import print_json, print_table, say
from personas.errors import InvalidInputError, NotFoundError
from personas.voices import OFFERED, Part

if TYPE_CHECKING:
    from bot.app import App
    from personas.voices import VoicePreset

SAMPLE = "Hello! I am so glad to meet you. Shall we talk for a while?"
_EXPLAINED = 12
_LANGUAGES_TOLD = 100


@dataclass(frozen=True)
class VoiceQuery:
    """Which voices are asked for.

    Attributes:
        name: only this one.
        description: those that suit this being.
        language: BCP 47 tag; empty: that of the description, or English.
        engine: only of this engine.
    """

    name: str = ""
    description: str = ""
    language: str = ""
    engine: str = ""


async def voices(
    app: App, query: VoiceQuery, *, sample: Path | None, text: str, force: bool, as_json: bool
) -> None:
    """Lists voices or explains a choice; writes a sample of one.

    Raises:
        InvalidInputError: a sample of no voice, or no WAV file.
        NotFoundError: there is no such voice or engine.
    """
    if sample is not None:
        if not (query.name or query.description):
            raise InvalidInputError(
                "Say which voice to hear: chatanything voices NAME --sample FILE"
            )
        if sample.suffix.lower() != ".wav":
            raise InvalidInputError(f"{sample} is not a .wav file.")
        check_writable(sample, force=force)
    engines = _engines(app, query)
    if query.description:
        best = _explain(app, query, engines, as_json=as_json)
    elif query.name:
        best = app.voices.get(query.name)
        if sample is None or as_json:
            _print([best], as_json=as_json)
    else:
        _list(app, query, engines, as_json=as_json)
        return
    if sample is not None:
        await _sample(app, best, sample, text, force=force)


def _engines(app: App, query: VoiceQuery) -> tuple[str, ...]:
    """The engines that were asked for; empty: those that are cast from."""
    if not query.engine:
        return ()
    known = tuple(dict.fromkeys(preset.engine for preset in app.voices.presets()))
    if query.engine not in known:
        raise NotFoundError(
            f"There is no speech engine called “{query.engine[:40]}”. There are: "
            f"{', '.join(known)}."
        )
    if obstacle := app.ensemble.obstacle(query.engine):
        say(f"These voices cannot speak here: {obstacle}")
    return (query.engine,)


def _list(app: App, query: VoiceQuery, engines: tuple[str, ...], *, as_json: bool) -> None:
    language = query.language or ("" if engines else "en")
    cast_from = engines or app.voices.engines_for(language)
    found = [preset for preset in app.voices.speaking(language) if preset.engine in cast_from]
    _print(found, as_json=as_json)
    if language and not found:
        say(f"No voice that can speak here knows the language {language}.")
    if not as_json and not query.language:
        _tell_languages(app, engines)


def _tell_languages(app: App, engines: tuple[str, ...]) -> None:
    """What else there is."""
    known = Counter(
        language
        for language in app.voices.languages()
        if any(not engines or engine in engines for engine in app.voices.engines_for(language))
    )
    if known:
        shown = ", ".join(list(known)[:_LANGUAGES_TOLD])
        say(f"Voices of a language: chatanything voices --language TAG, one of {shown}.")


def _explain(
    app: App, query: VoiceQuery, engines: tuple[str, ...], *, as_json: bool
) -> VoicePreset:
    part = Part.described(query.description, language=query.language)
    fits = app.voices.candidates(part, engines=engines)
    if as_json:
        print_json(
            {
                "part": {
                    key: sorted(value) if isinstance(value, frozenset) else value
                    for key, value in asdict(part).items()
                },
                "engines": engines or app.voices.engines_for(part.language),
                "candidates": [
                    {
                        "name": fit.preset.name,
                        "engine": fit.preset.engine,
                        "score": round(fit.score, 3),
                        "reasons": dict(fit.reasons),
                    }
                    for fit in fits[:OFFERED]
                ],
            }
        )
        return fits[0].preset
    print_table(
        ("voice", "score", "because", "sounds like", "engine"),
        [
            (
                fit.preset.name,
                round(fit.score, 2),
                ", ".join(f"{reason} ({points:+g})" for reason, points in fit.reasons) or "-",
                fit.preset.description,
                fit.preset.engine,
            )
            for fit in fits[:_EXPLAINED]
        ],
    )
    say(
        f"Cast in the language {part.language} from the engines "
        f"{', '.join(engines or app.voices.engines_for(part.language)) or 'that are left'}. "
        f"A language model chooses among the best {OFFERED}; without its word the first speaks. "
        "Equal scores are decided by the persona's seed."
    )
    return fits[0].preset


def _print(presets: list[VoicePreset], *, as_json: bool) -> None:
    if as_json:
        print_json([preset.model_dump(mode="json") for preset in presets])
    else:
        print_table(
            ("voice", "sounds like", "engine", "language", "gender", "age"),
            [(p.name, p.description, p.engine, p.language, p.gender, p.age) for p in presets],
        )


async def _sample(app: App, preset: VoicePreset, file: Path, text: str, *, force: bool) -> None:
    from engine.speech.wav import wav_bytes
    from personas.voices.greetings import greeting

    voice = app.voices.cast(preset.name, seed=0)
    said = text or greeting(preset.language)
    speech = await asyncio.to_thread(app.synthesizer.synthesize, said, voice)
    write_file(file, wav_bytes(speech), force=force)
    say(f"{preset.name} speaks for {speech.duration:.1f} s in {file}")
