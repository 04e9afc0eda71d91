"""The capacity model: arithmetic that can be checked by hand, and queues that behave as queues."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from engine.capacity.assumptions import DAY, Assumptions
from engine.capacity.demand import Demand, full_at
from engine.capacity.report import plan
from engine.capacity.simulation import FLOOD, Simulation, fewest_gpus


def simple(**own: float) -> Assumptions:
    """A message a second from a thousand communities, each with a clip of a GPU second."""
    usual = {"messages": DAY / 1000, "peak": 1, "again_share": 0, "clip_share": 1, "portraits": 0}
    return Assumptions(**{**usual, "clip_seconds": 1, **own})


def test_the_demand_is_what_one_reckons_by_hand() -> None:
    demand = Demand(simple(transactions=7, requests=3, clip_bytes=10, speech_bytes=0), 1000)
    assert demand.messages == pytest.approx(1)
    assert demand.jobs == pytest.approx(2)
    needs = {one.name: one.need for one in demand.resources()}
    assert needs["GPUs of workers"] == pytest.approx(1)
    assert needs["PostgreSQL"] == pytest.approx(7)
    assert needs["one Discord bot"] == pytest.approx(3)
    assert demand.traffic == pytest.approx(30)
    assert demand.stored == pytest.approx(DAY * 30 * 10)


def test_the_first_bottleneck_is_what_the_fewest_communities_fill() -> None:
    full = full_at(simple())
    assert full[0][0].name == "GPUs of workers"
    assert full[0][1] == pytest.approx(1000, abs=1)
    quick = full_at(simple(gpu_fps=1e6))
    assert quick[0][0].name != "GPUs of workers"
    counts = [count for _, count in quick]
    assert counts == sorted(counts)


def test_with_gpus_enough_nobody_waits_and_with_too_few_it_is_broken_off() -> None:
    demand = Demand(simple(), 3000)
    idle = Simulation(demand, 30, messages=3000).run()
    assert idle.wait(0.99) == 0
    assert idle.busy == pytest.approx(0.1, rel=0.15)
    assert Simulation(demand, 2, messages=3000).run().overrun


def test_the_fewest_gpus_are_good_enough_and_one_less_is_not() -> None:
    demand = Demand(simple(wait=1), 10_000)
    best = fewest_gpus(demand, messages=5000)
    assert best.gpus >= 10
    assert best.wait(0.95) <= 1
    less = Simulation(demand, best.gpus - 1, messages=5000).run()
    assert less.overrun or less.wait(0.95) > 1


def test_a_flood_waits_for_itself_and_delays_others_by_a_job_or_two() -> None:
    demand = Demand(simple(), 3000)
    quiet = Simulation(demand, 5, messages=4000, seed=1).run()
    flooded = Simulation(demand, 5, messages=4000, seed=1, flood=200).run()
    assert len(flooded.waits[FLOOD]) == 200
    assert flooded.wait(0.5, FLOOD) > 20 * max(flooded.wait(0.5), 0.1)
    assert flooded.wait(0.95) < quiet.wait(0.95) + 2


def test_the_same_seed_gives_the_same_report() -> None:
    first, second = (plan(simple(), [10], messages=500, seed=3).as_dict() for _ in range(2))
    assert first == second
    assert json.loads(json.dumps(first))["sizes"][0]["communities"] == 10


def test_an_assumption_tells_where_it_comes_from_and_refuses_nonsense() -> None:
    rows = {row["name"]: row for row in Assumptions(messages=7).rows()}
    assert rows["messages"]["source"] == "your own"
    assert all(row["meaning"] and row["source"] for row in rows.values())
    with pytest.raises(ValidationError):
        Assumptions(gpu_fps=0)
