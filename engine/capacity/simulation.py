"""Simulation: messages come in at random, and GPUs take jobs in the order of the queue.

Who comes next is decided by `engine.turns.Turns`, the policy of the queue itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.capacity.assumptions import Assumptions
from engine.capacity.demand import Demand
from engine.jobs.base import Priority
from engine.turns import Ticket, Turns
from personas.errors import UnavailableError

if TYPE_CHECKING:
    import simpy

Process = Generator["simpy.Event", Any, None]

_SPREAD: Final = 0.5
"""Of the logarithm of a clip's length: most are near the average, a few are thrice as long."""
_HOPELESS: Final = 20.0
"""A queue that is so many times as long as is good enough will not get shorter."""
_LEAST: Final = 1200.0
"""Seconds that are simulated at least: the busiest twenty minutes."""
_PATIENT: Final = 3600.0
"""Seconds that people wait for a portrait."""

FLOOD: Final = "flood"
"""The kind of the jobs of a community that floods."""


@dataclass
class Outcome:
    """What happened in a simulation.

    Attributes:
        gpus: how many there were.
        waits: seconds that each job waited for a GPU, by what it is: clip, again, portrait, and
            `FLOOD`.
        busy: share of the time in which GPUs worked.
        deepest: the most jobs that waited at once.
        expired: jobs that nobody waited for any more.
        overrun: it was broken off, because far more came in than could be done.
    """

    gpus: int
    waits: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    busy: float = 0.0
    deepest: int = 0
    expired: int = 0
    overrun: bool = False

    def wait(self, share: float, kind: str = "clip") -> float:
        """Seconds that this share of the jobs waited at most."""
        return float(np.quantile(self.waits[kind], share)) if self.waits[kind] else 0.0


@dataclass(frozen=True)
class _Work:
    """A job of the simulation; times in seconds."""

    kind: str
    community: str
    priority: Priority
    seconds: float
    patience: float


class Gpus:
    """So many GPUs, each with one job at a time, and the queue before them.

    Args:
        env: whose clock counts.
        count: how many there are.
        outcome: told what happens.
    """

    def __init__(self, env: simpy.Environment, count: int, outcome: Outcome) -> None:
        self._env = env
        self._turns = Turns(count, lambda: float(env.now))
        self._outcome = outcome

    @property
    def waiting(self) -> int:
        """How many jobs wait."""
        return len(self._turns)

    def take(self, work: _Work) -> None:
        """A job comes in."""
        came = self._env.now
        ticket = Ticket(
            *(work.community, "", work.priority, ""),
            lambda: self._begin(ticket, work, self._env.now - came),
        )
        self._turns.enter(ticket)
        self._let_in()
        self._outcome.deepest = max(self._outcome.deepest, self.waiting)

    def _begin(self, ticket: Ticket, work: _Work, waited: float) -> bool:
        if waited > work.patience:
            self._outcome.expired += 1
            return False
        self._outcome.waits[work.kind].append(waited)
        self._outcome.busy += work.seconds
        self._env.timeout(work.seconds).callbacks.append(lambda _: self._end(ticket))
        return True

    def _end(self, ticket: Ticket) -> None:
        self._turns.end(ticket)
        self._let_in()

    def _let_in(self) -> None:
        while (ticket := self._turns.next()) is not None:
            if not ticket.call():
                self._turns.end(ticket)


class Simulation:
    """The busiest time of so many communities, for longer where they write little.

    Args:
        demand: what people do.
        gpus: how many there are.
        messages: how many are simulated, at least.
        seed: the same one gives the same messages.
        flood: clips that one more community asks for at once, in the middle.

    Raises:
        UnavailableError: simpy is not installed.
    """

    def __init__(
        self, demand: Demand, gpus: int, *, messages: int = 20_000, seed: int = 0, flood: int = 0
    ) -> None:
        try:
            import simpy
        except ImportError as error:
            raise UnavailableError(
                'simpy is not installed. Install it with: pip install "chatanything[scale]"'
            ) from error
        self._env = simpy.Environment()
        self._demand = demand
        self._assumptions: Assumptions = demand.assumptions
        self._outcome = Outcome(gpus)
        self._gpus = Gpus(self._env, gpus, self._outcome)
        self._messages = max(messages, round(_LEAST * demand.messages))
        self._chance = np.random.default_rng(seed)
        self._flood = flood
        self._ends = self._messages / demand.messages
        self._most = _HOPELESS * (10 + gpus * self._assumptions.wait / self._assumptions.clip_gpu)

    def run(self) -> Outcome:
        """Runs it until the last message has come in."""
        people = self._env.process(self._people())
        if self._flood:
            self._env.process(self._flooding())
        self._env.run(until=people)
        self._outcome.busy /= max(self._env.now, 1e-9) * self._outcome.gpus
        return self._outcome

    def _people(self) -> Process:
        """Messages, as they come in all over the communities."""
        a, count = self._assumptions, self._messages
        again = a.clip_share * a.again_share / (1 + a.again_share)
        a_portrait = self._demand.portraits / self._demand.messages
        happenings = zip(
            self._chance.exponential(1 / self._demand.messages, count).tolist(),
            self._communities(count).tolist(),
            self._chance.random(count).tolist(),
            self._lengths(count).tolist(),
            self._chance.poisson(a_portrait, count).tolist(),
            strict=True,
        )
        for pause, number, chance, length, portraits in happenings:
            yield self._env.timeout(pause)
            community = str(number)
            if chance < again:
                self._film("again", community, Priority.AGAIN, length)
            elif chance < a.clip_share:
                self._film("clip", community, Priority.CLIP, length)
            for _ in range(portraits):
                work = _Work("portrait", community, Priority.PORTRAIT, a.portrait_gpu, _PATIENT)
                self._gpus.take(work)
            if not self._flood and self._gpus.waiting > self._most:
                self._outcome.overrun = True
                return

    def _flooding(self) -> Process:
        yield self._env.timeout(self._ends / 2)
        for length in self._lengths(self._flood).tolist():
            self._film(FLOOD, FLOOD, Priority.CLIP, length)

    def _film(self, kind: str, community: str, priority: Priority, length: float) -> None:
        a = self._assumptions
        seconds = length * a.fps / a.gpu_fps
        self._gpus.take(_Work(kind, community, priority, seconds, a.patience))

    def _communities(self, count: int) -> NDArray[np.int64]:
        shares = np.arange(1, self._demand.communities + 1) ** -self._assumptions.skew
        edges = np.cumsum(shares / shares.sum())
        return np.searchsorted(edges, self._chance.random(count))

    def _lengths(self, count: int) -> NDArray[np.float64]:
        """Of clips, in seconds."""
        mean = np.log(self._assumptions.clip_seconds) - _SPREAD**2 / 2
        return self._chance.lognormal(mean, _SPREAD, count)


def fewest_gpus(demand: Demand, *, messages: int = 20_000, seed: int = 0) -> Outcome:
    """The simulation with the fewest GPUs that are good enough.

    Raises:
        UnavailableError: simpy is not installed.
    """
    a = demand.assumptions
    load = demand.clips * a.clip_gpu + demand.portraits * a.portrait_gpu

    def attempt(gpus: int) -> Outcome | None:
        outcome = Simulation(demand, gpus, messages=messages, seed=seed).run()
        is_good = outcome.wait(0.95) <= a.wait and all(
            outcome.wait(0.95, kind) <= a.portrait_wait for kind in ("portrait", "again")
        )
        return outcome if is_good and not outcome.overrun else None

    low = int(load)  # so many cannot do it
    step = max(1, int(load * 0.02))
    while (best := attempt(low + step)) is None:
        low, step = low + step, 2 * step
    while best.gpus - low > max(1, best.gpus // 100):
        middle = (low + best.gpus) // 2
        found = attempt(middle)
        if found is None:
            low = middle
        else:
            best = found
    return best
