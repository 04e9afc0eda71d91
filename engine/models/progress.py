"""What a pull tells while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class PullStage(StrEnum):
    """What a pull is doing."""

    WAITING = "waiting"
    FETCHING = "fetching"
    CHECKING = "checking"
    UNPACKING = "unpacking"
    READY = "ready"


@dataclass(frozen=True)
class PullProgress:
    """Where a pull stands.

    Attributes:
        name: of the model.
        stage: what is being done; `waiting` while another process works on the same model.
        done: bytes that are here; falls back when a source turns out to be wrong.
        total: bytes of the whole model.
        source: where they come from, for people; empty before the first byte.
    """

    name: str
    stage: PullStage
    done: int
    total: int
    source: str = ""


@dataclass(frozen=True)
class Teller:
    """Tells the progress of one model, whose earlier files count `base` bytes."""

    name: str
    total: int
    listener: Callable[[PullProgress], None]
    base: int = 0
    source: str = ""

    def __call__(self, stage: PullStage, done: int) -> None:
        """Say what is done of the current file."""
        self.listener(PullProgress(self.name, stage, self.base + done, self.total, self.source))
