"""The configuration."""

from __future__ import annotations

import typer

from bot.cli.base import Json, cli, group, run

config = group("The configuration.")
cli.add_typer(config, name="config")


@config.command("show")
def config_show(context: typer.Context, json: Json = False) -> None:
    """The settings in force, without secrets."""
    from bot.commands import configuration

    run(context, lambda app: configuration.show(app, as_json=json))


@config.command("example")
def config_example() -> None:
    """A configuration file with every option and its default."""
    from bot import settings

    typer.echo(settings.example(), nl=False)
