"""Breaker: leaves a part that keeps failing alone for a while, then tries it again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

Clock = Callable[[], float]


class Breaker:
    """A circuit breaker. Safe to use from several threads.

    After some failures in a row the part is set aside; when the time is over one caller may try
    it, and each further failure doubles the time.

    Args:
        clock: seconds that only go forward.
        failures: in a row, until the part is set aside.
        shortest: seconds it is set aside at first.
        longest: seconds it is set aside at most.
    """

    def __init__(
        self,
        clock: Clock = time.monotonic,
        *,
        failures: int = 2,
        shortest: float = 30.0,
        longest: float = 600.0,
    ) -> None:
        self._clock = clock
        self._most = failures
        self._shortest, self._longest = shortest, longest
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._until = 0.0
        self._tried_until = 0.0
        self._reason = ""

    @property
    def resting(self) -> float:
        """Seconds until it is tried again; 0 where it is not set aside, or may be tried now."""
        with self._lock:
            return max(0.0, self._until - self._clock()) if self._open else 0.0

    @property
    def is_set_aside(self) -> bool:
        """Whether it failed so often that it is not counted on, until a try succeeds."""
        with self._lock:
            return self._open

    @property
    def reason(self) -> str:
        """Why it failed last; empty where it works."""
        return self._reason

    def allows(self) -> bool:
        """Whether the caller may use it now; of those that wait for a set-aside part, one may."""
        with self._lock:
            if not self._open:
                return True
            now = self._clock()
            if now < max(self._until, self._tried_until):
                return False
            # Whoever tries may never come back to tell: then another one may.
            self._tried_until = now + self._shortest
            return True

    def succeeded(self) -> bool:
        """Tells that it worked; whether it had been set aside before."""
        with self._lock:
            was_open = self._open
            self._in_a_row, self._until, self._tried_until, self._reason = 0, 0.0, 0.0, ""
            return was_open

    def failed(self, reason: str) -> float:
        """Tells that it failed.

        Returns:
            Seconds for which it is set aside from now on, where it was counted on until now or
            has been tried again; else 0.
        """
        with self._lock:
            self._in_a_row += 1
            self._reason = reason
            beyond = self._in_a_row - self._most
            if beyond < 0:
                return 0.0
            now = self._clock()
            if now < self._until:  # somebody else who began before it was set aside
                self._in_a_row -= 1
                return 0.0
            seconds = min(self._longest, self._shortest * 2.0 ** min(beyond, 30))
            self._until, self._tried_until = now + seconds, 0.0
            return seconds

    @property
    def _open(self) -> bool:
        return self._in_a_row >= self._most
