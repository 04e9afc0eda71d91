"""Jobs and workers as operators see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class JobState(StrEnum):
    """How it stands with a job."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    POISONED = "poisoned"
    """Set aside after it had failed too often in ways nobody foresaw, or killed its workers.
    It is not tried again, however often it is asked for, until an operator says so."""


@dataclass(frozen=True)
class JobView:
    """A job as operators see it.

    Attributes:
        id: of the job.
        kind: likewise.
        state: how it stands.
        community: for whom.
        priority: likewise.
        tries: how often it was begun.
        submitted: when it was asked for.
        waited: seconds it waited, or waits by now, for its present or last try.
        ran: seconds its present or last try took.
        worker: who works on it, or did last.
        reason: why it failed last; for operators, with the cause.
        payload: what is made.
    """

    id: str
    kind: str
    state: JobState
    community: str
    priority: int
    tries: int
    submitted: datetime
    waited: float
    ran: float
    worker: str
    reason: str
    payload: Mapping[str, Any]


@dataclass(frozen=True)
class KindStats:
    """How it stands with all jobs of a kind.

    Attributes:
        kind: which.
        waiting: how many wait.
        oldest: seconds the longest of them has waited.
        running: how many are being worked on.
        poisoned: how many were set aside.
        communities: for how many communities jobs wait.
    """

    kind: str
    waiting: int
    oldest: float
    running: int
    poisoned: int
    communities: int


@dataclass(frozen=True)
class WorkerView:
    """A worker as operators see it.

    Attributes:
        id: host, process and a few random digits.
        about: what it can do: kinds, device, how many jobs at once.
        began: when it was started.
        silent: seconds since it was heard of last.
        in_hand: jobs it works on.
    """

    id: str
    about: Mapping[str, Any]
    began: datetime
    silent: float
    in_hand: int
