"""What waits to be made."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.cli.base import Json, cli, group, run

queue = group("What waits to be made, and who makes it.")
cli.add_typer(queue, name="queue")


@queue.command("status")
def queue_status(context: typer.Context, json: Json = False) -> None:
    """How much waits, of which kind and how long; and who works."""
    from bot.commands import queue as commands

    run(context, lambda app: commands.overview(app, as_json=json))


Limit = Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")]


@queue.command("list")
def queue_list(
    context: typer.Context,
    state: Annotated[
        str, typer.Option(help="waiting, running, done, failed ...; empty: what is not over.")
    ] = "",
    kind: Annotated[str, typer.Option(help="portrait, speech or clip.")] = "",
    limit: Limit = 50,
    json: Json = False,
) -> None:
    """Jobs, those that are next first."""
    from bot.commands import queue as commands

    run(
        context,
        lambda app: commands.list_jobs(app, state=state, kind=kind, limit=limit, as_json=json),
    )


JobId = Annotated[str, typer.Argument(help="Its id, or how it begins.")]


@queue.command("show")
def queue_show(context: typer.Context, job: JobId, json: Json = False) -> None:
    """One job, with what it is made of."""
    from bot.commands import queue as commands

    run(context, lambda app: commands.show(app, job, as_json=json))


@queue.command("retry")
def queue_retry(context: typer.Context, job: JobId) -> None:
    """Try a job anew that failed or was set aside."""
    from bot.commands import queue as commands

    run(context, lambda app: commands.retry(app, job))


@queue.command("cancel")
def queue_cancel(context: typer.Context, job: JobId) -> None:
    """End a job, whoever asked for it."""
    from bot.commands import queue as commands

    run(context, lambda app: commands.cancel(app, job))


@queue.command("poison")
def queue_poison(context: typer.Context, limit: Limit = 50, json: Json = False) -> None:
    """What was set aside because it failed too often, and why."""
    from bot.commands import queue as commands

    run(context, lambda app: commands.poison(app, limit=limit, as_json=json))
