"""What others wait beside a flood, simulated: the line that fairness has to hold."""

from __future__ import annotations

import pytest

from engine.capacity.beside import COLUMNS, FLOOR, beside


@pytest.mark.parametrize(("hands", "busy"), [(2, 0.3), (4, 0.5), (8, 0.7), (3, 0.8), (12, 0.4)])
def test_others_wait_at_most_twice_as_long_beside_a_flood(hands: int, busy: float) -> None:
    point = beside(hands, busy, jobs=3_000)
    assert point.flooded <= point.limit
    assert point.limit == 2 * max(point.quiet, FLOOR * point.job)
    assert point.flooded_whole < 2 * point.quiet_whole
    assert 0.2 < point.share <= 1.1
    assert len(point.cells()) == len(COLUMNS)


def test_the_same_seed_gives_the_same_point() -> None:
    assert beside(2, 0.5, jobs=200, seed=3) == beside(2, 0.5, jobs=200, seed=3)


def test_a_flood_has_all_that_others_leave_of_one_hand() -> None:
    assert beside(1, 0.5, jobs=3_000).share > 0.9
