"""transcribe: what is said in a recording."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from bot.files import read_file
from bot.output import plain, print_json, say
from personas.errors import UnavailableError

if TYPE_CHECKING:
    from bot.app import App


async def transcribe(app: App, file: Path, *, language: str, as_json: bool) -> None:
    """Prints what is said in a file; with JSON, word by word with its times."""
    recognizer = app.recognizer
    if recognizer is None:
        raise UnavailableError(
            "Nobody listens here: hearing is switched off by the section hearing of the "
            "configuration."
            if not app.settings.hearing.enabled or app.settings.hearing.backend == "off"
            else 'Listening needs one more package: pip install "chatanything[hearing]"'
        )
    data = await asyncio.to_thread(read_file, file, app.settings.hearing.max_bytes)
    if recognizer.online:
        say("The recording is sent to the configured endpoint ...")
    heard = await asyncio.to_thread(recognizer.transcribe, data, language or None)
    if as_json:
        print_json(
            {
                "text": heard.text,
                "language": heard.language,
                "seconds": round(heard.duration, 3),
                "recognizer": recognizer.name,
                "words": [
                    {"text": w.text, "start": round(w.start, 3), "end": round(w.end, 3)}
                    for w in heard.words
                ],
            }
        )
    else:
        typer.echo(plain(heard.text))
