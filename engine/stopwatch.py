"""Stopwatch: how long each stage of a clip takes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from engine.observing import NOBODY, Observer


class Stopwatch:
    """Adds up seconds by stage. Each stage belongs to one thread.

    Args:
        observer: told of each stage as it ends.
    """

    def __init__(self, observer: Observer = NOBODY) -> None:
        """Nothing measured yet."""
        self.seconds: dict[str, float] = {}
        self._observer = observer

    @contextmanager
    def stage(self, name: str, device: str = "", *, told: bool = True) -> Iterator[None]:
        """Adds the time spent inside to a stage.

        Args:
            name: the stage.
            device: what heavy work keeps busy; empty for what only waits.
            told: the observer is told; not where whoever is waited for tells it.
        """
        start = time.perf_counter()
        try:
            yield
        finally:
            seconds = time.perf_counter() - start
            self.seconds[name] = self.seconds.get(name, 0.0) + seconds
            if told:
                self._observer.stage(name, seconds, device)
