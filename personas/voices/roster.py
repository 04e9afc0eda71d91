"""Roster: which engines can speak here, as casting needs to know it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Roster(Protocol):
    """Tells who can speak on this machine, now."""

    def engines_for(self, language: str) -> Sequence[str]:
        """The engines to cast from for a language, the preferred first; empty: none speaks it."""

    def obstacle(self, engine: str) -> str:
        """Why an engine cannot speak here, as a sentence that says what to do; empty: it can."""
