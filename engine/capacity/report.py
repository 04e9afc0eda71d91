"""The report of the capacity model: what is needed at each size, and what is full first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from engine.capacity.assumptions import Assumptions
from engine.capacity.beside import Beside, grid
from engine.capacity.demand import Demand, full_at
from engine.capacity.simulation import Simulation, fewest_gpus

SIZES: Final = (10, 1_000, 100_000)
FLOOD_CLIPS: Final = 2_000
_FAIR_JOBS: Final = 6_000
"""Jobs that are simulated at each point of the grid of floods."""


@dataclass(frozen=True)
class Size:
    """What so many communities need, in the busiest hour; times in seconds.

    Attributes:
        communities: how many there are.
        messages: answered a second.
        clips: made a second.
        jobs: through the queue a second.
        gpus: of workers; the fewest that are good enough, simulated.
        gpus_busy: share of the time in which they work.
        clip_wait_p50: for a GPU, simulated.
        clip_wait_p95: likewise.
        portrait_wait_p95: likewise.
        deepest: the most jobs that waited at once.
        flooded_wait_p95: of clips, while one more community asks for `FLOOD_CLIPS` at once.
        llm_gpus: of the language model, kept busy.
        cores: of workers for speech and encoding, kept busy.
        drawn_cores: of workers that draw instead of rendering: no GPU then.
        transactions: of the database, a second.
        databases: of PostgreSQL, kept busy.
        megabits: in and out of the media store and to the platform, a second.
        stored_gigabytes: of clips that are kept.
        requests: to the platform, a second.
        bottleneck: what is full first.
    """

    communities: int
    messages: float
    clips: float
    jobs: float
    gpus: int
    gpus_busy: float
    clip_wait_p50: float
    clip_wait_p95: float
    portrait_wait_p95: float
    deepest: int
    flooded_wait_p95: float
    llm_gpus: float
    cores: float
    drawn_cores: float
    transactions: float
    databases: float
    megabits: float
    stored_gigabytes: float
    requests: float
    bottleneck: str


@dataclass(frozen=True)
class CapacityReport:
    """All of it.

    Attributes:
        assumptions: what it goes by.
        sizes: what is needed at each size.
        full: each resource, how many communities fill one of it, and what is done then.
        beside: what others wait beside a flood, at any number of hands.
    """

    assumptions: Assumptions
    sizes: tuple[Size, ...]
    full: tuple[tuple[str, int, str], ...]
    beside: tuple[Beside, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "assumptions": self.assumptions.rows(),
            "sizes": [asdict(size) for size in self.sizes],
            "full": [
                {"resource": name, "communities": count, "then": more}
                for name, count, more in self.full
            ],
            "beside": [one.as_dict() for one in self.beside],
        }


def plan(
    assumptions: Assumptions,
    communities: Sequence[int] = SIZES,
    *,
    messages: int = 20_000,
    seed: int = 0,
    doing: Callable[[int], object] = lambda _: None,
) -> CapacityReport:
    """Works all of it out.

    Args:
        assumptions: what it goes by.
        communities: the sizes.
        messages: how many are simulated at each.
        seed: of the simulations.
        doing: told which size is being worked out.

    Raises:
        UnavailableError: simpy is not installed.
    """
    sizes = []
    for count in communities:
        doing(count)
        sizes.append(_size(Demand(assumptions, count), messages, seed))
    full = tuple((one.name, count, one.more) for one, count in full_at(assumptions))
    points = grid(jobs=min(messages, _FAIR_JOBS), seed=seed)
    return CapacityReport(assumptions, tuple(sizes), full, points)


def _size(demand: Demand, messages: int, seed: int) -> Size:
    a = demand.assumptions
    quiet = fewest_gpus(demand, messages=messages, seed=seed)
    flooded = Simulation(demand, quiet.gpus, messages=messages, seed=seed, flood=FLOOD_CLIPS).run()
    needs = {one.name: one for one in demand.resources()}
    return Size(
        communities=demand.communities,
        messages=demand.messages,
        clips=demand.clips,
        jobs=demand.jobs,
        gpus=quiet.gpus,
        gpus_busy=quiet.busy,
        clip_wait_p50=quiet.wait(0.5),
        clip_wait_p95=quiet.wait(0.95),
        portrait_wait_p95=quiet.wait(0.95, "portrait"),
        deepest=quiet.deepest,
        flooded_wait_p95=flooded.wait(0.95),
        llm_gpus=needs["GPUs of the language model"].count,
        cores=needs["cores of workers"].count,
        drawn_cores=demand.clips * a.clip_seconds * (a.drawn_cost + a.speech_cost)
        + demand.portraits * a.portrait_core,
        transactions=demand.transactions,
        databases=needs["PostgreSQL"].count,
        megabits=needs["network"].need,
        stored_gigabytes=demand.stored / 1e9,
        requests=needs["one Discord bot"].need,
        bottleneck=demand.resources()[0].name,
    )
