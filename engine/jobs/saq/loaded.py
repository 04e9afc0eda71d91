"""Loaded: which models a worker has used lately, and so has ready."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

_READY: Final = 2
"""Styles that a worker is thought to hold at the same time."""
_IN_A_ROW: Final = 8
"""How often a job may be preferred for its style before the first in line is taken anyway."""


class Loaded:
    """What is preferred, within bounds: nobody waits for more than so many who came later."""

    def __init__(self) -> None:
        """Nothing is loaded."""
        self._ready: OrderedDict[str, None] = OrderedDict()
        self._in_a_row = 0

    def preferred(self) -> list[str]:
        """The styles to prefer just now."""
        return list(self._ready) if self._in_a_row < _IN_A_ROW else []

    def took(self, affinity: str) -> None:
        """A job was taken."""
        if not affinity:
            return
        known = affinity in self._ready
        self._in_a_row = self._in_a_row + 1 if known and self._in_a_row < _IN_A_ROW else 0
        self._ready[affinity] = None
        self._ready.move_to_end(affinity)
        while len(self._ready) > _READY:
            self._ready.popitem(last=False)
