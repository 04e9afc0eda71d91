"""styles and voices: what a persona can look and sound like."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from bot.files import check_writable, write_file
from bot.output import print_json, print_table, say
from personas.errors import InvalidInputError

if TYPE_CHECKING:
    from bot.app import App

SAMPLE = "Hello! I am so glad to meet you. Shall we talk for a while?"


async def styles(app: App, *, as_json: bool) -> None:
    """Lists the looks."""
    found = [app.styles.get(name) for name in app.styles.names()]
    if as_json:
        print_json([style.model_dump(mode="json") for style in found])
    else:
        print_table(
            ("style", "look", "licence", "art by"),
            [(style.name, style.description, style.licence, style.author) for style in found],
        )


async def voices(
    app: App, name: str, *, sample: Path | None, text: str, force: bool, as_json: bool
) -> None:
    """Lists the voices; writes a sample of one."""
    presets = [app.voices.get(name)] if name else [app.voices.get(n) for n in app.voices.names()]
    if sample is not None:
        if not name:
            raise InvalidInputError(
                "Say which voice to hear: chatanything voices NAME --sample FILE"
            )
        if sample.suffix.lower() != ".wav":
            raise InvalidInputError(f"{sample} is not a .wav file.")
        check_writable(sample, force=force)
        from engine.speech.wav import wav_bytes

        voice = app.voices.cast(name, seed=0)
        speech = await asyncio.to_thread(app.synthesizer.synthesize, text or SAMPLE, voice)
        write_file(sample, wav_bytes(speech), force=force)
        say(f"{name} speaks for {speech.duration:.1f} s in {sample}")
        if not as_json:
            return
    if as_json:
        print_json([preset.model_dump(mode="json") for preset in presets])
    else:
        print_table(
            ("voice", "sounds like", "engine", "language", "gender", "age"),
            [(p.name, p.description, p.engine, p.language, p.gender, p.age) for p in presets],
        )
