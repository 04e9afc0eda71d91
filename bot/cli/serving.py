"""Serving platforms and bots, and looking after it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.base import Json, cli, run


@cli.command()
def discord(context: typer.Context) -> None:
    """Let personas live on Discord, until Ctrl+C."""
    from bot.commands import serve as service

    run(context, lambda app: service.serve(app, ["discord"]))


@cli.command()
def telegram(context: typer.Context) -> None:
    """Let personas live on Telegram, until Ctrl+C."""
    from bot.commands import serve as service

    run(context, lambda app: service.serve(app, ["telegram"]))


@cli.command()
def serve(context: typer.Context) -> None:
    """Let personas live on every platform that is set up, until Ctrl+C."""
    from bot.commands import serve as service

    run(context, lambda app: service.serve(app))


@cli.command()
def worker(
    context: typer.Context,
    stages: Annotated[
        str, typer.Option(help="What it makes: portrait, clip, speech; empty: all.")
    ] = "",
    device: Annotated[
        str, typer.Option(help="cpu, cuda, cuda:1 ...; empty: as the models choose.")
    ] = "",
    concurrency: Annotated[
        int, typer.Option(min=1, max=256, help="Jobs in hand at the same time.")
    ] = 1,
) -> None:
    """Make portraits, voices and clips for bots elsewhere, until Ctrl+C."""
    from bot.commands import worker as service

    run(
        context,
        lambda app: service.work(app, stages=stages, device=device, concurrency=concurrency),
    )


class UsageBy(StrEnum):
    """What `usage` sums up."""

    COMMUNITY = "community"
    PERSON = "person"
    DAY = "day"


@cli.command()
def usage(
    context: typer.Context,
    community: Annotated[
        str, typer.Option(help="Only this one: discord:<server> or telegram:<chat>.")
    ] = "",
    days: Annotated[int, typer.Option(min=1, max=3_660, help="So many days, with today.")] = 1,
    by: Annotated[UsageBy, typer.Option(help="Summed up by what.")] = UsageBy.COMMUNITY,
    json: Json = False,
) -> None:
    """Answers, personas, tokens and seconds of heavy work, by community, person or day."""
    from bot.commands import usage as commands

    run(
        context,
        lambda app: commands.usage(app, community=community, days=days, by=by.value, as_json=json),
    )


@cli.command()
def doctor(context: typer.Context, json: Json = False) -> None:
    """What is installed, what can run here, and what would add the rest."""
    from bot import doctor as examination

    named = context.obj.config if context.obj else None
    run(context, lambda app: examination.doctor(app, named, as_json=json))


@cli.command()
def demo(
    context: typer.Context,
    description: Annotated[str, typer.Argument(help="Who to build.")] = "",
    message: Annotated[str, typer.Argument(help="What to say to it.")] = "",
    out: Annotated[Path, typer.Option(help="Where the results go.")] = Path("demo"),
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Same seed, same persona.")] = 1,
) -> None:
    """The main job from end to end: fetch what is needed, build a persona, talk to it."""
    from bot.commands import demo as demonstration

    run(context, lambda app: demonstration.demo(app, description, message, out=out, seed=seed))
