"""What is fetched."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.cli.base import Json, cli, group, run

models = group("Models, voices and art that are fetched.")
cli.add_typer(models, name="models")


@models.command("list")
def models_list(context: typer.Context, json: Json = False) -> None:
    """What can be fetched, and what is here."""
    from bot.commands import models as commands

    run(context, lambda app: commands.list_all(app, as_json=json))


ModelNames = Annotated[
    list[str] | None,
    typer.Argument(help="Names of `models list`, or diffused looks.", show_default=False),
]


@models.command("pull")
def models_pull(context: typer.Context, names: ModelNames = None) -> None:
    """Fetch models; without a name, all that the default set-up needs on this machine."""
    from bot.commands import models as commands

    run(context, lambda app: commands.pull(app, names or []))


@models.command("verify")
def models_verify(context: typer.Context, names: ModelNames = None, json: Json = False) -> None:
    """Check that what is here arrived whole; without a name, all."""
    from bot.commands import models as commands

    run(context, lambda app: commands.verify(app, names or [], as_json=json))


@models.command("remove")
def models_remove(
    context: typer.Context,
    names: Annotated[list[str], typer.Argument(help="Names of `models list`.")],
) -> None:
    """Remove models from this machine."""
    from bot.commands import models as commands

    run(context, lambda app: commands.remove(app, names))
