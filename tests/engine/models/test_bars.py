"""Progress of pulls: a bar where somebody watches, lines where nobody does."""

from __future__ import annotations

import io
import itertools

from rich.console import Console

from engine.models.bars import PullBars
from engine.models.progress import PullProgress, PullStage

STEPS = [
    PullProgress("lemon", PullStage.WAITING, 0, 4_000_000),
    PullProgress("lemon", PullStage.FETCHING, 1_000_000, 4_000_000, "hub farm/lemon"),
    PullProgress("lemon", PullStage.FETCHING, 2_000_000, 4_000_000, "hub farm/lemon"),
    PullProgress("lemon", PullStage.CHECKING, 4_000_000, 4_000_000, "hub farm/lemon"),
    PullProgress("lemon", PullStage.READY, 4_000_000, 4_000_000),
]


def shown(steps: list[PullProgress], *, terminal: bool) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=140, color_system=None)
    with PullBars(console, every=10, clock=itertools.count().__next__) as bars:
        for step in steps:
            bars(step)
    return out.getvalue()


def test_a_terminal_gets_a_bar_with_size_and_speed() -> None:
    drawn = shown(STEPS, terminal=True)
    assert "lemon" in drawn and "4.0/4.0 MB" in drawn


def test_a_log_gets_few_lines() -> None:
    assert shown(STEPS, terminal=False).splitlines() == [
        "lemon: 0.0 of 4.0 MB, another process is fetching it",
        "lemon: 1.0 of 4.0 MB, from hub farm/lemon",
        "lemon: 4.0 of 4.0 MB, ready",
    ]


def test_what_was_here_already_is_not_worth_a_word() -> None:
    for terminal in (True, False):
        assert "lemon" not in shown(STEPS[-1:], terminal=terminal)
