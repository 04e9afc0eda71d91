"""What is measured at the moment when somebody asks, and not counted along the way."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Waiting:
    """A queue at one moment.

    Attributes:
        kind: of work.
        count: how much of it waits.
        oldest: seconds for which the oldest has waited.
    """

    kind: str
    count: int
    oldest: float


@dataclass(frozen=True)
class Now:
    """What is measured when somebody asks.

    Attributes:
        waiting: queues.
        in_flight: answers that are being made.
        checks: whether each part of the program can work.
        loop_delay: seconds since the event loop last got on.
    """

    waiting: tuple[Waiting, ...] = ()
    in_flight: int = 0
    checks: tuple[tuple[str, bool], ...] = ()
    loop_delay: float = 0.0
