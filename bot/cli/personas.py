"""Building personas, looking at them, and carrying them in and out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.base import Gallery, Json, Overwrite, Persona, Yes, cli, run


@cli.command()
def create(
    context: typer.Context,
    description: Annotated[str, typer.Argument(help="Anything: a grumpy old lighthouse ...")],
    style: Annotated[str, typer.Option(help="A look; `chatanything styles` lists them.")] = "",
    voice: Annotated[str, typer.Option(help="A voice; `chatanything voices` lists them.")] = "",
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**31 - 1, help="Same seed, same persona.")
    ] = None,
    image: Annotated[Path | None, typer.Option(help="A picture to use as its appearance.")] = None,
    gallery: Gallery = "terminal",
    json: Json = False,
) -> None:
    """Build a persona from a description."""
    from bot.commands import personas

    run(
        context,
        lambda app: personas.create(
            app,
            description,
            style=style,
            voice=voice,
            seed=seed,
            image=image,
            gallery=gallery,
            as_json=json,
        ),
    )


@cli.command("list")
def list_personas(
    context: typer.Context,
    search: Annotated[str, typer.Argument(help="Only those with these letters.")] = "",
    limit: Annotated[int, typer.Option(min=0, help="Only so many, the newest; 0: all.")] = 0,
    gallery: Gallery = "terminal",
    json: Json = False,
) -> None:
    """List your personas."""
    from bot.commands import personas

    run(
        context,
        lambda app: personas.list_all(app, search, limit=limit, gallery=gallery, as_json=json),
    )


@cli.command()
def show(
    context: typer.Context, persona: Persona, gallery: Gallery = "terminal", json: Json = False
) -> None:
    """Show who a persona is, and where its portrait lies."""
    from bot.commands import personas

    run(context, lambda app: personas.show(app, persona, gallery=gallery, as_json=json))


@cli.command()
def delete(
    context: typer.Context, persona: Persona, yes: Yes = False, gallery: Gallery = "terminal"
) -> None:
    """Delete a persona, its conversations and its clips."""
    from bot.commands import personas

    run(context, lambda app: personas.delete(app, persona, yes=yes, gallery=gallery))


@cli.command()
def export(
    context: typer.Context,
    persona: Persona,
    file: Annotated[Path, typer.Argument(help="A .png or .json file; - for standard output.")],
    spec: Annotated[
        str, typer.Option(help="Character Card version of a .json file: v2 or v3.")
    ] = "v3",
    force: Overwrite = False,
    gallery: Gallery = "terminal",
) -> None:
    """Write a persona as a Character Card that other programs read."""
    from bot.commands import cards

    run(
        context,
        lambda app: cards.export(app, persona, file, spec=spec, force=force, gallery=gallery),
    )


@cli.command("import")
def import_card(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A Character Card, .png or .json.")],
    style: Annotated[str, typer.Option(help="A look, if the card brings no picture.")] = "",
    voice: Annotated[str, typer.Option(help="A voice.")] = "",
    gallery: Gallery = "terminal",
    json: Json = False,
) -> None:
    """Make a persona from a Character Card."""
    from bot.commands import cards

    run(
        context,
        lambda app: cards.import_file(
            app, file, style=style, voice=voice, gallery=gallery, as_json=json
        ),
    )
