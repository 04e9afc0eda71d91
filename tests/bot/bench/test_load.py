"""A small load run: figures are there and add up; how good they are depends on the machine."""

from __future__ import annotations

import json

from bot.bench.figures import Spread
from tests.bot.conftest import Terminal
from tests.services.postgres import Postgres


def test_the_load_run_measures_both_queues_and_leaves_nothing_behind(
    terminal: Terminal, postgres: Postgres, postgres_database: str
) -> None:
    result = terminal(
        *("bench", "load", "--json", "--depth", "10", "--depth", "300", "--seconds", "1"),
        *("--workers", "1", "--flood", "60"),
        *("--fair-hands", "2", "--fair-busy", "0.5", "--fair-seconds", "3"),
        *("--database-url", postgres.url(postgres_database)),
    )
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    by_place = {(one["queue"], one["depth"]): one for one in told["depths"]}
    assert set(by_place) == {("local", 10), ("local", 300), ("saq", 10), ("saq", 300)}
    for figures in by_place.values():
        assert figures["rate"] > 0
        assert figures["enqueue"]["count"] == 50
        assert 0 < figures["enqueue"]["p50"] <= figures["enqueue"]["p99"]
        assert figures["wait"]["count"] > 0
    assert by_place["saq", 300]["left"] > 0
    (fair,) = told["fairness"]
    assert fair["hands"] == 2
    assert fair["quiet"]["count"] == fair["flooded"]["count"] > 0
    assert fair["flooded_whole"]["p50"] > fair["flooded"]["p50"]
    assert fair["flooder_alone"] > 0 and fair["limit"] > 0
    schemas = postgres.execute(
        "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'bench%'", postgres_database
    )
    assert schemas == []


def test_a_spread_tells_what_most_took() -> None:
    spread = Spread.of(number / 100 for number in range(100, 0, -1))
    assert (spread.count, spread.p50, spread.p95, spread.p99) == (100, 0.5, 0.95, 0.99)
    assert spread.most == 1.0
    assert Spread.of([]) == Spread(0, 0, 0, 0, 0)
