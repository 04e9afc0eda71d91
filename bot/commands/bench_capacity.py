"""bench capacity: what so many communities need, and what is full first."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from bot.output import print_json, print_table, say
from bot.progress import Step
from personas.errors import InvalidInputError

if TYPE_CHECKING:
    from engine.capacity.assumptions import Assumptions
    from engine.capacity.report import CapacityReport, Size


async def capacity(
    communities: Sequence[int], assume: Sequence[str], messages: int, seed: int, *, as_json: bool
) -> None:
    """Prints the capacity model.

    Args:
        communities: the sizes; empty: 10, 1,000 and 100,000.
        assume: `name=value` of each assumption that is not the usual one.
        messages: how many are simulated for each size, at least.
        seed: of the simulation.
        as_json: prints JSON instead of tables.

    Raises:
        InvalidInputError: there is no such assumption, or it cannot have that value.
        UnavailableError: simpy is not installed.
    """
    from engine.capacity.report import SIZES, plan

    sizes = sorted(set(communities)) or list(SIZES)
    assumptions = _assumptions(assume)
    with Step("Simulating") as step:

        def doing(count: int) -> None:
            step.at(sizes.index(count) / len(sizes), f"Simulating {count:,} communities")

        report = await asyncio.to_thread(
            plan, assumptions, sizes, messages=messages, seed=seed, doing=doing
        )
    if as_json:
        print_json(report.as_dict())
    else:
        _print(report)


def _assumptions(assume: Sequence[str]) -> Assumptions:
    from engine.capacity.assumptions import Assumptions

    own: dict[str, str] = {}
    for text in assume:
        name, is_there, value = text.partition("=")
        if not is_there or name not in Assumptions.model_fields:
            names = ", ".join(Assumptions.model_fields)
            raise InvalidInputError(f"{text[:60]!r} is not name=value with a name of: {names}.")
        own[name] = value
    try:
        return Assumptions.model_validate(own)
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidInputError(f"{first['loc'][0]}: {first['msg']}.") from error


def _print(report: CapacityReport) -> None:
    from engine.capacity.beside import COLUMNS

    columns = ["in the busiest hour", *(f"{size.communities:,}" for size in report.sizes)]
    rows = [[name, *(text(size) for size in report.sizes)] for name, text in _ROWS]
    print_table(columns, rows, "Communities")
    full = [[name, f"{count:,}", more] for name, count, more in report.full]
    print_table(("what is full", "at so many communities", "then"), full, "Bottlenecks")
    beside = [one.cells() for one in report.beside]
    print_table(COLUMNS, beside, "Beside a flood: p95 of what others wait, in lengths of a job")
    assumed = [
        [row["name"], f"{row['value']:,g}", row["unit"], row["meaning"], row["source"]]
        for row in report.assumptions.rows()
    ]
    print_table(("assumption", "value", "unit", "meaning", "source"), assumed, "Assumptions")
    say("--assume NAME=VALUE puts in your own, as often as you like.")


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.3g}"


_ROWS: tuple[tuple[str, Any], ...] = (
    ("messages a second", lambda s: _number(s.messages)),
    ("clips a second", lambda s: _number(s.clips)),
    ("jobs a second", lambda s: _number(s.jobs)),
    ("GPUs of workers", lambda s: f"{s.gpus:,}"),
    ("  their time at work", lambda s: f"{s.gpus_busy:.0%}"),
    ("  wait of clips, p50 and p95, s", lambda s: _waits(s)),
    ("  wait of portraits, p95, s", lambda s: f"{s.portrait_wait_p95:.1f}"),
    ("  most jobs waiting", lambda s: f"{s.deepest:,}"),
    ("  wait of clips beside a flood, p95, s", lambda s: f"{s.flooded_wait_p95:.1f}"),
    ("GPUs of the language model", lambda s: _number(s.llm_gpus)),
    ("cores of workers", lambda s: _number(s.cores)),
    ("  or, drawn instead of rendered", lambda s: _number(s.drawn_cores)),
    ("database transactions a second", lambda s: _number(s.transactions)),
    ("  PostgreSQL servers as measured", lambda s: _number(s.databases)),
    ("network, Mbit/s", lambda s: _number(s.megabits)),
    ("clips kept, GB", lambda s: _number(s.stored_gigabytes)),
    ("requests to Discord a second", lambda s: _number(s.requests)),
    ("full first", lambda s: s.bottleneck),
)


def _waits(size: Size) -> str:
    return f"{size.clip_wait_p50:.1f}, {size.clip_wait_p95:.1f}"
