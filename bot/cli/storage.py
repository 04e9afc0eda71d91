"""Where everything is kept."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.cli.base import Json, cli, group, run

storage = group("Where everything is kept.")
cli.add_typer(storage, name="storage")


@storage.command("status")
def storage_status(context: typer.Context, json: Json = False) -> None:
    """Where everything is, its size, and how much of it there is."""
    from bot.commands import storage as commands

    run(context, lambda app: commands.status(app, as_json=json))


@storage.command("sweep")
def storage_sweep(context: typer.Context, json: Json = False) -> None:
    """Remove old clips, and what nobody uses; a running bot does so by itself."""
    from bot.commands import storage as commands

    run(context, lambda app: commands.sweep(app, as_json=json))


@storage.command("migrate")
def storage_migrate(
    context: typer.Context,
    source: Annotated[
        str, typer.Option("--from", help="A database; empty: as configured.", show_default=False)
    ] = "",
    target: Annotated[
        str,
        typer.Option(
            "--to",
            help="A database: postgresql://user:password@host/name, sqlite:FILE.",
            envvar="CHATANYTHING_MIGRATE_TO",
            show_envvar=True,
        ),
    ] = "",
    media_from: Annotated[
        str, typer.Option(help="A folder or URL; empty: as configured.", show_default=False)
    ] = "",
    media_to: Annotated[
        str, typer.Option(help="A folder or URL: s3://bucket/prefix.", show_default=False)
    ] = "",
    json: Json = False,
) -> None:
    """Move everything to another database, another place of media, or both; can be resumed."""
    from bot.commands import storage as commands

    run(
        context,
        lambda app: commands.migrate(
            app,
            source=source,
            target=target,
            media_from=media_from,
            media_to=media_to,
            as_json=json,
        ),
    )
