"""`chatanything queue`: what waits, for whom, who works on it, and what was set aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bot.output import print_json, print_table, say
from engine.jobs.base import JobQueue, JobState, JobView
from personas.errors import InvalidInputError, NotFoundError, UnavailableError

if TYPE_CHECKING:
    from bot.app import App

_SHORT = 12
"""Digits of an id that are shown; more than enough to name a job by."""


async def overview(app: App, *, as_json: bool) -> None:
    """Depth and age by kind, and who works."""
    queue = await app.queue()
    stats, workers = await queue.stats(), await queue.workers()
    if as_json:
        print_json(
            {
                "kinds": [asdict(one) for one in stats],
                "workers": [asdict(worker) for worker in workers],
            }
        )
        return
    print_table(
        ("kind", "waiting", "oldest", "communities", "running", "set aside"),
        [
            (s.kind, s.waiting, _seconds(s.oldest), s.communities, s.running, s.poisoned)
            for s in stats
        ],
    )
    if queue.capabilities.shared:
        print_table(
            ("worker", "makes", "device", "in hand", "at once", "heard of", "since"),
            [
                (
                    worker.id,
                    ", ".join(map(str, worker.about.get("kinds", ()))),
                    worker.about.get("device", ""),
                    worker.in_hand,
                    worker.about.get("at_once", ""),
                    f"{_seconds(worker.silent)} ago",
                    f"{worker.began:%Y-%m-%d %H:%M}",
                )
                for worker in workers
            ],
        )
        if not workers:
            say("Nobody works for this queue. `chatanything worker` does.")
    else:
        say("Of the jobs of other processes, those that are written down are seen: portraits.")


async def list_jobs(app: App, *, state: str, kind: str, limit: int, as_json: bool) -> None:
    """Jobs, those that are next first."""
    if state and state not in list(JobState):
        raise InvalidInputError(f"No job is {state}; they are {', '.join(JobState)}.")
    await _list(app, JobState(state) if state else None, kind, limit, as_json=as_json)


async def poison(app: App, *, limit: int, as_json: bool) -> None:
    """What was set aside, and why."""
    await _list(app, JobState.POISONED, "", limit, as_json=as_json)


async def show(app: App, id: str, *, as_json: bool) -> None:
    """One job."""
    view = await _found(await app.queue(), id)
    told = _told(view)
    if as_json:
        print_json({**told, "payload": dict(view.payload)})
        return
    print_table(("what", "value"), [*told.items(), *(_flat(view.payload))])


async def retry(app: App, id: str) -> None:
    """Has a job tried anew."""
    queue = await app.queue()
    view = await _found(queue, id)
    if not await queue.retry(view.id):
        raise InvalidInputError(f"This {view.kind} is {view.state}: it needs no other try.")
    if queue.capabilities.shared:
        say(f"This {view.kind} is tried anew.")
    else:
        say(f"The next start of the program tries this {view.kind} anew.")


async def cancel(app: App, id: str) -> None:
    """Ends a job, whoever asked for it."""
    queue = await app.queue()
    view = await _found(queue, id)
    if not await queue.drop(view.id) and not queue.capabilities.shared:
        raise UnavailableError(
            f"Another process has this {view.kind} in hand and brings it to its end. What is not "
            "done when that process is stopped can be cancelled then."
        )
    say(f"This {view.kind} is not made any more.")


async def _found(queue: JobQueue, id: str) -> JobView:
    view = await queue.find(id)
    if view is None:
        raise NotFoundError(f"There is no job {id}, or several begin so.")
    return view


async def _list(app: App, state: JobState | None, kind: str, limit: int, *, as_json: bool) -> None:
    """Prints at most `limit` jobs, and says where there are more."""
    queue = await app.queue()
    views = await queue.jobs(state, kind, limit + 1)
    _print(views[:limit], as_json)
    if len(views) > limit:
        say("... and more: --limit shows them.")


def _print(views: Sequence[JobView], as_json: bool) -> None:
    if as_json:
        print_json([_told(view) for view in views])
        return
    print_table(
        ("job", "kind", "state", "for", "tries", "waited", "ran", "worker", "why"),
        [
            (
                view.id[:_SHORT],
                view.kind,
                view.state,
                view.community,
                view.tries,
                _seconds(view.waited),
                _seconds(view.ran),
                view.worker,
                view.reason,
            )
            for view in views
        ],
    )


def _told(view: JobView) -> dict[str, Any]:
    told = asdict(view)
    del told["payload"]  # what people said is shown only where one job is asked for
    return {**told, "waited": round(view.waited, 3), "ran": round(view.ran, 3)}


def _flat(payload: object, name: str = "") -> list[tuple[str, str]]:
    if isinstance(payload, dict):
        return [
            row
            for key, value in payload.items()
            for row in _flat(value, f"{name}.{key}" if name else str(key))
        ]
    return [(name, str(payload)[:200])]


def _seconds(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.0f} h"
