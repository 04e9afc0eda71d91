"""Plans: what the benches of many processes do. Light, so that the command line may read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

DEPTHS: Final = (10, 100, 1_000, 10_000, 100_000)


@dataclass(frozen=True)
class LoadPlan:
    """What is measured.

    Attributes:
        depths: jobs that wait.
        seconds: how long each depth is measured.
        workers: processes that work.
        at_once: jobs that each has in hand.
    """

    depths: Sequence[int] = DEPTHS
    seconds: float = 8.0
    workers: int = 2
    at_once: int = 8


@dataclass(frozen=True)
class FairPlan:
    """Where fairness is measured.

    Attributes:
        hands: places of all workers together.
        busy: shares of them that the others keep busy.
        seconds: how long they ask at each point, once without and once with a flood.
        flood: jobs that one more community asks for at once.
        seed: decides who asks when; the same without and with a flood.
    """

    hands: Sequence[int] = (4, 8)
    busy: Sequence[float] = (0.5, 0.7, 0.85)
    seconds: float = 20.0
    flood: int = 1_000
    seed: int = 0


@dataclass(frozen=True)
class FaultPlan:
    """What is done, and to whom.

    Attributes:
        jobs: how many; each answer is two of them, a speech and a clip.
        bots: processes.
        workers: processes.
        worker_kills: how often one of them is killed.
        bot_kills: likewise.
        restarts: of PostgreSQL; every other one as if its power were cut.
        s3_failures: share of the requests to S3 that fail.
        seconds: how long a clip takes.
        patience: seconds in which all of it must be done.
        seed: decides who is killed, and when.
    """

    jobs: int = 200
    bots: int = 2
    workers: int = 3
    worker_kills: int = 8
    bot_kills: int = 4
    restarts: int = 2
    s3_failures: float = 0.05
    seconds: float = 1.0
    patience: float = 600.0
    seed: int = 0
