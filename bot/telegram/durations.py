"""Durations as the library gives them: numbers today, spans of time in its next version."""

from __future__ import annotations

import warnings
from datetime import timedelta


def seconds_of(thing: object, name: str) -> float:
    """An attribute that is a duration, in seconds."""
    with warnings.catch_warnings():
        # Its type is about to change, and it says so each time; both are understood here.
        warnings.simplefilter("ignore")
        value: int | timedelta = getattr(thing, name)
    return value.total_seconds() if isinstance(value, timedelta) else float(value)
