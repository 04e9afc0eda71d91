"""Beside a flood: what others wait, simulated on a grid of hands and loads.

Who begins next is decided by `engine.turns.Turns`, the policy of the queue itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from engine.reserve import BURST
from engine.turns import Ticket, Turns
from personas.errors import UnavailableError

if TYPE_CHECKING:
    import simpy

HANDS: Final = (1, 2, 4, 8, 16, 32)
BUSY: Final = (0.3, 0.5, 0.7, 0.85)
FLOOR: Final = 0.25
"""Of a job's length: where the quiet p95 is less, it is taken for so much."""
_SECONDS: Final = 6.0
"""Of a job, on average: a clip on a GPU."""
_SPREAD: Final = 0.5
"""Of the logarithm of its length."""
_COMMUNITIES: Final = 10
_FLOODER: Final = "flood"
_BEGINS: Final = 0.1
"""Share of the jobs after which what is waited counts."""


@dataclass(frozen=True)
class Beside:
    """What others wait at one point, without and with a flood; times in seconds.

    Attributes:
        hands: how many there are.
        busy: share of them that the others keep busy.
        job: how long a job takes, on average.
        quiet: p95 of the wait until a hand begins, without a flood.
        flooded: likewise with one.
        quiet_whole: p95 of the time until it is done, without a flood.
        flooded_whole: likewise with one.
        flooder: hands that the flooding community had.
    """

    hands: int
    busy: float
    job: float
    quiet: float
    flooded: float
    quiet_whole: float
    flooded_whole: float
    flooder: float

    @property
    def limit(self) -> float:
        """Twice the quiet p95, or twice `FLOOR` of a job where that is more."""
        return 2 * max(self.quiet, FLOOR * self.job)

    @property
    def share(self) -> float:
        """What the flooding community had of the hands that the others left."""
        return self.flooder / (self.hands * (1 - self.busy))

    def cells(self) -> tuple[str, ...]:
        """For a table; waits in lengths of a job."""
        ratio = f"{self.flooded / self.quiet:.2f}" if self.quiet > FLOOR * self.job else "-"
        return (
            str(self.hands),
            f"{self.busy:.0%}",
            f"{self.quiet / self.job:.2f}",
            f"{self.flooded / self.job:.2f}",
            ratio,
            f"{self.limit / self.job:.2f}",
            "yes" if self.flooded <= self.limit else "no",
            f"{self.quiet_whole / self.job:.2f}",
            f"{self.flooded_whole / self.job:.2f}",
            f"{self.flooded_whole / max(self.quiet_whole, 1e-9):.2f}",
            f"{self.share:.0%}",
        )

    def as_dict(self) -> dict[str, float]:
        """For JSON."""
        return {**asdict(self), "limit": self.limit, "share": self.share}


COLUMNS: Final = (
    *("hands", "others", "quiet", "flooded", "ratio", "limit", "holds"),
    *("whole, quiet", "flooded", "ratio", "flood gets"),
)
"""Of `Beside.cells`."""


class _Point:
    """Others who ask at random, and perhaps a flood."""

    def __init__(self, hands: int, busy: float, jobs: int, seed: int, *, flood: bool) -> None:
        try:
            import simpy
        except ImportError as error:
            raise UnavailableError(
                'simpy is not installed. Install it with: pip install "chatanything[scale]"'
            ) from error
        self._env = env = simpy.Environment()
        self._turns = Turns(hands, lambda: float(env.now))
        self._rate = busy * hands / _SECONDS
        self._jobs = jobs
        self._skipped = round(jobs * _BEGINS)
        self._chance = np.random.default_rng(seed)
        self._floods = np.random.default_rng(seed + 1)
        self.waits: list[float] = []
        self.wholes: list[float] = []
        self.flooder = 0.0
        if flood:
            for _ in range(2 * BURST):
                self._ask_flood()

    def run(self) -> _Point:
        self._env.run(until=self._env.process(self._others()))
        self.flooder /= float(self._env.now)
        return self

    def _others(self) -> Generator[simpy.Event, Any, None]:
        chance, count = self._chance, self._jobs
        lengths = chance.lognormal(-(_SPREAD**2) / 2, _SPREAD, count) * _SECONDS
        pauses = chance.exponential(1 / self._rate, count).tolist()
        names = chance.integers(_COMMUNITIES, size=count).tolist()
        self._let_in()
        for pause, name, seconds in zip(pauses, names, lengths.tolist(), strict=True):
            yield self._env.timeout(pause)
            self._skipped -= 1
            self._ask(str(name), seconds)
            self._let_in()

    def _ask(self, community: str, seconds: float) -> None:
        came, counts = self._env.now, self._skipped < 0

        def begin() -> bool:
            if community == _FLOODER:
                self.flooder += seconds
                self._ask_flood()
            elif counts:
                self.waits.append(self._env.now - came)
                self.wholes.append(self._env.now - came + seconds)
            self._env.timeout(seconds).callbacks.append(lambda _: self._end(ticket))
            return True

        ticket = Ticket(community, "", 0, "", begin)
        self._turns.enter(ticket)

    def _ask_flood(self) -> None:
        seconds = self._floods.lognormal(-(_SPREAD**2) / 2, _SPREAD) * _SECONDS
        self._ask(_FLOODER, float(seconds))

    def _end(self, ticket: Ticket) -> None:
        self._turns.end(ticket)
        self._let_in()

    def _let_in(self) -> None:
        while (ticket := self._turns.next()) is not None:
            ticket.call()


def beside(hands: int, busy: float, *, jobs: int = 6_000, seed: int = 0) -> Beside:
    """Simulates one point.

    Args:
        hands: how many there are.
        busy: share of them that ten other communities keep busy together.
        jobs: that these ask for.
        seed: the same one gives the same jobs.

    Raises:
        UnavailableError: simpy is not installed.
    """
    quiet = _Point(hands, busy, jobs, seed, flood=False).run()
    flooded = _Point(hands, busy, jobs, seed, flood=True).run()
    return Beside(
        hands=hands,
        busy=busy,
        job=_SECONDS,
        quiet=_p95(quiet.waits),
        flooded=_p95(flooded.waits),
        quiet_whole=_p95(quiet.wholes),
        flooded_whole=_p95(flooded.wholes),
        flooder=flooded.flooder,
    )


def _p95(seconds: Sequence[float]) -> float:
    return float(np.quantile(seconds, 0.95)) if seconds else 0.0


def grid(
    hands: Sequence[int] = HANDS, busy: Sequence[float] = BUSY, *, jobs: int, seed: int = 0
) -> tuple[Beside, ...]:
    """Simulates all points; see `beside`."""
    points = itertools.product(hands, busy)
    return tuple(beside(count, share, jobs=jobs, seed=seed) for count, share in points)
