"""Talking with personas; looks, voices and ears."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.base import Gallery, Json, Overwrite, Persona, cli, run


@cli.command()
def say(
    context: typer.Context,
    persona: Persona,
    message: Annotated[str, typer.Argument(help="What you say to it.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Where the clip goes (.mp4), or the voice (.wav)."),
    ] = None,
    mode: Annotated[str, typer.Option(help="text, voice or clip; empty: as configured.")] = "",
    force: Overwrite = False,
    gallery: Gallery = "terminal",
    json: Json = False,
) -> None:
    """Say one thing to a persona and get its answer, with a clip or a voice."""
    from bot.commands import talk

    run(
        context,
        lambda app: talk.say(
            app, persona, message, out=out, mode=mode, force=force, gallery=gallery, as_json=json
        ),
    )


@cli.command()
def chat(
    context: typer.Context,
    persona: Persona,
    mode: Annotated[str, typer.Option(help="text, voice or clip; empty: as configured.")] = "",
    gallery: Gallery = "terminal",
) -> None:
    """Talk with a persona in the terminal."""
    from bot import terminal

    run(context, lambda app: terminal.chat(app, persona, mode=mode, gallery=gallery))


@cli.command()
def styles(context: typer.Context, json: Json = False) -> None:
    """List the looks."""
    from bot.commands import catalogues

    run(context, lambda app: catalogues.styles(app, as_json=json))


@cli.command()
def voices(
    context: typer.Context,
    voice: Annotated[str, typer.Argument(help="Only this one.")] = "",
    description: Annotated[
        str, typer.Option("--for", help="Whose voice it would be: explains the choice.")
    ] = "",
    language: Annotated[str, typer.Option(help="A language: de, pt-BR, ...")] = "",
    engine: Annotated[str, typer.Option(help="Only voices of this engine.")] = "",
    sample: Annotated[
        Path | None, typer.Option(help="Write a WAV file in which it speaks.")
    ] = None,
    text: Annotated[str, typer.Option(help="What it says in the sample.")] = "",
    force: Overwrite = False,
    json: Json = False,
) -> None:
    """List the voices that can speak here, explain a choice, or hear one."""
    from bot.commands import voices as commands

    query = commands.VoiceQuery(voice, description, language, engine)
    run(
        context,
        lambda app: commands.voices(
            app, query, sample=sample, text=text, force=force, as_json=json
        ),
    )


@cli.command()
def transcribe(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A recording: ogg, mp4, m4a, mp3, wav, webm ...")],
    language: Annotated[str, typer.Option(help="The language to expect: en, de, ja ...")] = "",
    json: Json = False,
) -> None:
    """Write down what is said in a recording."""
    from bot.commands import hearing

    run(context, lambda app: hearing.transcribe(app, file, language=language, as_json=json))
