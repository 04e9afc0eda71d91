"""Figures: what many measured seconds come to."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Spread:
    """Percentiles of seconds.

    Attributes:
        count: how many were measured.
        p50: half of them took no longer.
        p95: 95 of 100 took no longer.
        p99: 99 of 100 took no longer.
        most: the longest.
    """

    count: int
    p50: float
    p95: float
    p99: float
    most: float

    @classmethod
    def of(cls, seconds: Iterable[float]) -> Self:
        """Those of some measurements; all 0 where there are none."""
        ordered = sorted(seconds)
        if not ordered:
            return cls(0, 0.0, 0.0, 0.0, 0.0)

        def at(share: float) -> float:
            return ordered[max(0, math.ceil(share * len(ordered)) - 1)]

        return cls(len(ordered), at(0.5), at(0.95), at(0.99), ordered[-1])

    def milliseconds(self) -> str:
        """p50, p95 and p99, for a table."""
        return " / ".join(f"{1000 * one:.1f}" for one in (self.p50, self.p95, self.p99))
