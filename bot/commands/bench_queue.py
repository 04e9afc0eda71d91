"""bench load and bench faults: what the queue carries, and what survives when parts are killed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from bot.output import print_json, print_table, say
from bot.progress import Step
from personas.errors import ChatAnythingError

if TYPE_CHECKING:
    from bot.bench.fairness import Fairness
    from bot.bench.faults import FaultReport
    from bot.bench.figures import Spread
    from bot.bench.load import DepthFigures
    from bot.bench.plans import FairPlan, FaultPlan, LoadPlan
    from bot.bench.recovery import Recovery

_LOCAL_MOST: Final = 10_000
"""The queue in the process is bounded; deeper than this it is not measured."""


class FaultError(ChatAnythingError):
    """Something was lost or doubled in a fault run."""


async def load(plan: LoadPlan, fair_plan: FairPlan, url: str, *, as_json: bool) -> None:
    """Measures both queues at each depth, and fairness on the shared one.

    Args:
        plan: what is measured.
        fair_plan: where fairness is measured; nowhere where it takes no time.
        url: of a PostgreSQL; empty: one is started.
        as_json: prints JSON instead of tables.

    Raises:
        UnavailableError: there is no PostgreSQL, or something is not installed.
    """
    from bot.bench.services import database

    with Step("Starting") as step:
        async with database(url) as (at, _):
            from bot.bench.fairness import FairRun
            from bot.bench.load import LoadRun, local_depth

            def doing(text: str) -> None:
                step.at(0.5, text)

            local = [await local_depth(plan, one) for one in plan.depths if one <= _LOCAL_MOST]
            shared = await LoadRun(plan, at, doing).depths()
            fair: list[Fairness] = []
            if fair_plan.seconds:
                fair = await FairRun(fair_plan, plan.workers, at, doing).points()
    if as_json:
        figures = [asdict(one) for one in (*local, *shared)]
        told = [{**one.figures.as_dict(), **asdict(one)} for one in fair]
        print_json({"depths": figures, "fairness": told})
        return
    _print_depths([*local, *shared])
    if fair:
        _print_fairness(fair)


async def faults(
    plan: FaultPlan,
    *,
    url: str,
    endpoint: str,
    bucket_name: str,
    recoveries: int,
    as_json: bool,
) -> None:
    """Kills bots and workers while they answer, and tells what has become of it.

    Args:
        plan: what is done.
        url: of an empty PostgreSQL database; empty: a server is started, and restarted.
        endpoint: of an S3 service; empty: one is started.
        bucket_name: in that service.
        recoveries: kills for comparing with SAQ's own worker; 0: none.
        as_json: prints JSON instead of tables.

    Raises:
        FaultError: something was lost or doubled.
        UnavailableError: a service is missing, or a process does not start.
    """
    from bot.bench.services import bucket, database

    with Step("Starting") as step, bucket(endpoint, bucket_name, plan.s3_failures, plan.seed) as s3:
        async with database(url) as (at, own):
            from bot.bench.faults import FaultRun
            from bot.bench.recovery import compare

            compared: list[Recovery] = []
            if recoveries:
                compared = await compare(at, recoveries, lambda text: step.at(0.0, text))
            report = await FaultRun(plan, own, at, s3, step.at).run()
    if as_json:
        print_json({**report.as_dict(), "recoveries": [asdict(one) for one in compared]})
    else:
        _print_faults(report, compared)
    if not report.is_whole:
        raise FaultError("Something was lost or doubled; the report says what.")


def _print_depths(figures: Sequence[DepthFigures]) -> None:
    rows = [
        [
            one.queue,
            f"{one.depth:,}",
            round(one.rate),
            one.enqueue.milliseconds(),
            one.enqueue_busy.milliseconds(),
            one.wait.milliseconds(),
            one.whole.milliseconds(),
            round(one.transactions, 1),
        ]
        for one in figures
    ]
    columns = ("queue", "waiting", "jobs/s", "enqueue", "enqueue, busy", "wait", "whole", "tx/job")
    print_table(columns, rows, "Jobs without work; p50 / p95 / p99 in milliseconds")


def _print_fairness(fair: Sequence[Fairness]) -> None:
    from engine.capacity.beside import COLUMNS

    columns = (*COLUMNS, "flood alone has", "waits counted")
    rows = [
        (*one.figures.cells(), f"{one.flooder_alone:.1f}", one.quiet.count + one.flooded.count)
        for one in fair
    ]
    print_table(columns, rows, "Fairness: p95 of what others wait, in lengths of a job")


def _print_faults(report: FaultReport, compared: Sequence[Recovery]) -> None:
    rows: list[tuple[str, Any]] = [
        ("messages", report.messages),
        ("answered with whole text", report.answered),
        ("with their clip", report.clips),
        ("lost", len(report.lost)),
        ("doubled", len(report.doubled)),
        ("jobs", report.jobs),
        ("jobs that ended exactly once", report.ended_once),
        ("workers killed", report.worker_kills),
        ("bots killed", report.bot_kills),
        ("restarts of PostgreSQL", report.restarts),
        ("requests to S3, failed", f"{report.s3_requests}, {report.s3_failed}"),
        ("messages sent again, known by nonce", report.resent),
        ("jobs of killed workers", report.recovery.count),
        ("until another had them, p50 and most, s", _two(report.recovery)),
        ("message to clip, p50 and most, s", _two(report.answer)),
        ("all of it, s", round(report.took)),
    ]
    print_table(("figure", "value"), rows, "Fault run")
    for what, found in (("lost", report.lost), ("doubled", report.doubled)):
        for text in found:
            say(f"{what}: {text}")
    for text in (*report.told, *report.faults):
        say(text)
    if compared:
        print_table(
            ("who looks after jobs", "settings", "kills", "p50, s", "most, s"),
            [
                (c.name, c.settings, c.seconds.count, c.seconds.p50, c.seconds.most)
                for c in compared
            ],
            "From a kill to other hands",
        )


def _two(spread: Spread) -> str:
    return f"{spread.p50:.1f}, {spread.most:.1f}"
