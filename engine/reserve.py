"""Reserve: hands that a flood leaves free for those who asked lately.

Turns alone cannot keep the waits of others short: a flood fills all hands, and whoever comes then
waits until one is done, also where nobody waited before. So a community that asks for very much at
once leaves some hands free, as long as others have been there lately; how many follows from the
number of hands and from what the others used of them. Where nobody else has been there it has all
hands, and of one hand nothing is kept.

How many. Let others keep a share b of H hands busy, and all that is left be a flood's, but for r
hands. An arrival then finds no hand free with a probability of about b^r, against Erlang's C(H, b)
without the flood, and who waits does so for 1 / (H (1 - b)) jobs on average either way. So the
wait that 95 of 100 do not exceed is log(20 b^r) / (H (1 - b)), and log(20 C) / (H (1 - b)) quietly.
The smallest r is taken with which the first is at most `_RATIO` times the second, or `_FLOOR` jobs
where that is more: below that nobody tells one wait from another, and each kept hand costs.

Who is held back. A community that asks for more than `BURST` jobs at once, those in hand included,
unless it has had no more lately than `_HEAD_START` times what the busiest of the others has: so
nobody is held back to less than the others have, and everybody goes on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

BURST: Final = 8
"""Jobs that a community may ask for at once without being taken for a flood."""
LATELY: Final = 120.0
"""Seconds over which use is averaged; what is older counts less and less."""
LOOKS_EVERY: Final = 0.5
"""Seconds between two looks at who uses what."""
_LEAST: Final = 0.05
"""Hands in use on average; who used less was not there lately."""
_HEAD_START: Final = 1.5
_TAIL: Final = 20.0
"""One of so many may wait for longer than what is reckoned with: the p95."""
_RATIO: Final = 1.6
"""Of the wait beside a flood to the quiet one: what is aimed at to stay below two."""
_FLOOR: Final = 0.4
"""Of a job's length: what is aimed at where the quiet wait is shorter than a quarter of it."""
_SPARE: Final = 4
"""Where others leave so many hands, one is kept: jobs of one length would all end at once."""
_BUSIEST: Final = 0.98


def kept(hands: int, used: float) -> int:
    """How many hands a flood leaves free.

    Args:
        hands: that there are.
        used: of them, by those who do not flood, on average.
    """
    if hands < 2 or used < _LEAST:
        return 0
    busy = min(used / hands, _BUSIEST)
    pace = hands * (1 - busy)
    quiet = max(0.0, math.log(max(_TAIL * _all_busy(hands, busy), 1.0))) / pace
    allowed = max(_RATIO * quiet, _FLOOR)
    needed = math.ceil((math.log(_TAIL) - allowed * pace) / -math.log(busy))
    return max(0, min(hands - 1, max(needed, int(hands - used >= _SPARE))))


def _all_busy(hands: int, busy: float) -> float:
    """Erlang's C: the probability that nobody's hand is free."""
    load, lost = busy * hands, 1.0
    for count in range(1, hands + 1):
        lost = load * lost / (count + load * lost)
    return lost / (1 - busy + busy * lost)


@dataclass(frozen=True)
class Kept:
    """What floods have to leave, as of the last look.

    Attributes:
        hands: that are kept free.
        most: hands that a community may use, flood or not.
        spent: floods that have used more than that lately.
    """

    hands: int = 0
    most: float = 0.0
    spent: frozenset[str] = frozenset()

    def holds_back(self, community: str, held: int, waiting: int, free: int) -> bool:
        """Whether a community may not begin its next job yet.

        Args:
            community: which.
            held: hands that it has.
            waiting: its jobs that wait.
            free: hands that nobody has.
        """
        if free > self.hands or held + waiting <= BURST:
            return False
        return held >= max(1.0, self.most) or community in self.spent


@dataclass
class Reserve:
    """What communities have used of the hands lately.

    Attributes:
        used: hands, on average, by community.
        at: seconds on any clock that goes on; when this was looked at last.
        age: seconds that are known, up to `LATELY`.
    """

    used: dict[str, float] = field(default_factory=dict)
    at: float | None = None
    age: float = 0.0

    def is_due(self, now: float) -> bool:
        """Whether it is time for another look."""
        return self.at is None or not 0 <= now - self.at < LOOKS_EVERY

    def look(
        self, now: float, hands: int, held: Mapping[str, int], waiting: Mapping[str, int]
    ) -> Kept:
        """Takes notice of who has what, and says what is kept from now on.

        Args:
            now: seconds on the clock of `at`.
            hands: that there are.
            held: hands in use, by community.
            waiting: jobs that wait, by community; those of floods need not all be counted.
        """
        self._pass(now, held)
        asked = {name: held.get(name, 0) + waiting.get(name, 0) for name in waiting}
        floods = {name for name, count in asked.items() if count > BURST}
        others = [used for name, used in self.used.items() if name not in floods]
        most = _HEAD_START * max(others, default=0.0)
        spent = frozenset(name for name in floods if self.used.get(name, 0.0) > most)
        return Kept(kept(hands, sum(others)), most, spent)

    def _pass(self, now: float, held: Mapping[str, int]) -> None:
        passed = 0.0 if self.at is None else max(0.0, now - self.at)
        self.at = now
        self.age = min(self.age + passed, LATELY)
        if not passed:
            return
        share = 1 - math.exp(-passed / self.age)
        used = {name: (1 - share) * before for name, before in self.used.items()}
        for name, count in held.items():
            used[name] = used.get(name, 0.0) + share * count
        self.used = {name: value for name, value in used.items() if value > _LEAST / 10}
