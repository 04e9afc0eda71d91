"""The benches of many processes: names, options and help. `bench` has those of one."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.cli.base import Json, run
from bot.cli.bench import bench

DatabaseUrl = Annotated[
    str,
    typer.Option(
        envvar="CHATANYTHING_BENCH_DATABASE_URL",
        show_envvar=False,
        help="A PostgreSQL to use, postgresql://user@host/name; without one, one is started.",
    ),
]


@bench.command("load")
def bench_load(
    context: typer.Context,
    database_url: DatabaseUrl = "",
    depth: Annotated[
        list[int] | None,
        typer.Option(min=1, max=1_000_000, help="Jobs that wait; as often as you like."),
    ] = None,
    seconds: Annotated[
        float, typer.Option(min=1, max=600, help="How long each depth is measured.")
    ] = 8.0,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that work.")] = 2,
    at_once: Annotated[int, typer.Option(min=1, max=64, help="Jobs each has in hand.")] = 8,
    fair_hands: Annotated[
        list[int] | None,
        typer.Option(min=1, max=256, help="Hands in the fairness runs; as often as you like."),
    ] = None,
    fair_busy: Annotated[
        list[float] | None,
        typer.Option(min=0.05, max=0.98, help="Share of them that others keep busy; likewise."),
    ] = None,
    fair_seconds: Annotated[
        float,
        typer.Option(min=0, max=3_600, help="How long others ask in a fairness run; 0: none."),
    ] = 20.0,
    flood: Annotated[
        int, typer.Option(min=1, max=100_000, help="Jobs of the one that floods.")
    ] = 1_000,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same moments.")] = 0,
    json: Json = False,
) -> None:
    """Jobs a second through the queue, at depths up to 100,000, and fairness beside a flood."""
    from bot.bench.plans import DEPTHS, FairPlan, LoadPlan
    from bot.commands import bench_queue as commands

    plan = LoadPlan(tuple(depth) if depth else DEPTHS, seconds, workers, at_once)
    usual = FairPlan()
    fair = FairPlan(
        hands=fair_hands or usual.hands,
        busy=fair_busy or usual.busy,
        seconds=fair_seconds,
        flood=flood,
        seed=seed,
    )
    run(context, lambda app: commands.load(plan, fair, database_url, as_json=json))


@bench.command("faults")
def bench_faults(
    context: typer.Context,
    jobs: Annotated[
        int, typer.Option(min=2, max=100_000, help="Two for each answer: a speech and a clip.")
    ] = 200,
    bots: Annotated[int, typer.Option(min=1, max=16)] = 2,
    workers: Annotated[int, typer.Option(min=1, max=32)] = 3,
    worker_kills: Annotated[
        int, typer.Option(min=0, max=1_000, help="Times that a worker is killed.")
    ] = 8,
    bot_kills: Annotated[
        int, typer.Option(min=0, max=1_000, help="Times that a bot is killed.")
    ] = 4,
    restarts: Annotated[
        int, typer.Option(min=0, max=100, help="Restarts of a PostgreSQL of its own.")
    ] = 2,
    s3_failures: Annotated[
        float, typer.Option(min=0, max=0.9, help="Share of the requests to S3 that fail.")
    ] = 0.05,
    recoveries: Annotated[
        int,
        typer.Option(min=0, max=100, help="Kills to compare with SAQ's own worker; 0: none."),
    ] = 5,
    patience: Annotated[
        float, typer.Option(min=10, max=86_400, help="Seconds until it is given up.")
    ] = 600.0,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same faults.")] = 0,
    database_url: DatabaseUrl = "",
    s3_endpoint: Annotated[
        str, typer.Option(help="An S3 service to use; without one, one is started.")
    ] = "",
    s3_bucket: Annotated[str, typer.Option(help="A bucket there, for the bench alone.")] = "",
    json: Json = False,
) -> None:
    """Kill bots and workers while they answer; count what is lost or doubled."""
    from bot.bench.plans import FaultPlan
    from bot.commands import bench_queue as commands

    plan = FaultPlan(
        jobs=jobs,
        bots=bots,
        workers=workers,
        worker_kills=worker_kills,
        bot_kills=bot_kills,
        restarts=restarts,
        s3_failures=s3_failures,
        patience=patience,
        seed=seed,
    )
    run(
        context,
        lambda app: commands.faults(
            plan,
            url=database_url,
            endpoint=s3_endpoint,
            bucket_name=s3_bucket,
            recoveries=recoveries,
            as_json=json,
        ),
    )


@bench.command("capacity")
def bench_capacity(
    context: typer.Context,
    communities: Annotated[
        list[int] | None,
        typer.Option(min=1, max=10_000_000, help="How many; as often as you like."),
    ] = None,
    assume: Annotated[
        list[str] | None,
        typer.Option(help="An assumption of your own, name=value; the output lists them."),
    ] = None,
    messages: Annotated[
        int, typer.Option(min=100, max=1_000_000, help="Messages that are simulated.")
    ] = 20_000,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same messages.")] = 0,
    json: Json = False,
) -> None:
    """GPUs, database and network for so many communities, and what is full first."""
    from bot.commands import bench_capacity as commands

    run(
        context,
        lambda app: commands.capacity(
            communities or [], assume or [], messages, seed, as_json=json
        ),
    )
