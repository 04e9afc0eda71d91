"""Rows of the queue's table, in the words of the protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from engine.jobs.base import (
    JobCancelled,
    JobDone,
    JobEvent,
    JobExpired,
    JobFailed,
    JobProgress,
    JobState,
    JobView,
)
from engine.jobs.following import Standing

Row = Mapping[str, Any]

POISONED: Final = "poisoned"
EXPIRED: Final = "expired"

STATES: Final[Mapping[JobState, str]] = {
    JobState.WAITING: "status = 'queued'",
    JobState.RUNNING: "status IN ('active', 'aborting')",
    JobState.DONE: "status = 'complete'",
    JobState.FAILED: "status = 'failed' AND outcome = ''",
    JobState.POISONED: "status = 'failed' AND outcome = 'poisoned'",
    JobState.CANCELLED: "status = 'aborted' AND outcome <> 'expired'",
    JobState.EXPIRED: "status = 'aborted' AND outcome = 'expired'",
}
"""How each is written down."""


def standing_of(row: Row) -> Standing:
    """How a job stands."""
    running = row["status"] in ("active", "aborting")
    progress = progress_of(row["told"])
    return Standing(
        tries=row["tries"],
        worker=row["worker"] if running else "",
        progress=progress,
        ending=_ending(row),
    )


def state_of(row: Row) -> JobState:
    """Likewise, in a word."""
    status, outcome = row["status"], row["outcome"]
    if status == "queued":
        return JobState.WAITING
    if status == "complete":
        return JobState.DONE
    if status == "failed":
        return JobState.POISONED if outcome == POISONED else JobState.FAILED
    if status == "aborted":
        return JobState.EXPIRED if outcome == EXPIRED else JobState.CANCELLED
    return JobState.RUNNING


def view_of(row: Row, payload: Mapping[str, Any]) -> JobView:
    """As operators see it."""
    cause = row["cause"].strip()
    return JobView(
        id=row["key"],
        kind=row["kind"],
        state=state_of(row),
        community=row["community"],
        priority=row["priority"],
        tries=row["tries"],
        submitted=row["submitted"],
        waited=max(0.0, row["waited"]),
        ran=max(0.0, row["ran"]),
        worker=row["worker"],
        reason=": ".join(part for part in (row["reason"], cause) if part),
        payload=payload,
    )


def done_to_json(done: JobDone) -> dict[str, Any]:
    """A result as it is written down."""
    return {"result": done.result, "media": list(done.media), "seconds": done.seconds}


def done_of(told: Mapping[str, Any] | None) -> JobDone:
    """What `done_to_json` made."""
    told = told or {}
    return JobDone(told.get("result", {}), tuple(told.get("media", ())), told.get("seconds", {}))


def progress_to_json(progress: JobProgress) -> dict[str, Any]:
    """Progress as it is written down."""
    return {"at": progress.fraction, "doing": progress.doing, "data": progress.data}


def progress_of(told: Mapping[str, Any] | None) -> JobProgress | None:
    """What `progress_to_json` made."""
    if not told:
        return None
    return JobProgress(told.get("at", 0.0), told.get("doing", ""), told.get("data", {}))


def _ending(row: Row) -> JobEvent | None:
    match state_of(row):
        case JobState.DONE:
            return done_of(row["result"])
        case JobState.FAILED | JobState.POISONED:
            return JobFailed(row["reason"], row["error"])
        case JobState.CANCELLED:
            return JobCancelled()
        case JobState.EXPIRED:
            return JobExpired()
    return None
