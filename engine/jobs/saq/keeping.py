"""Keeping: which hands a flood leaves free, as the workers of one queue agree upon.

Twice a second one of them looks who has which jobs in hand, and who waits, and has
`engine.reserve` decide, as in a process; all others read what it wrote down. So the policy is there
once, and costs a take nothing while nothing is kept. The hands for a kind of job are the places of
all workers that live and make it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Final

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from engine.jobs.base import Priority
from engine.reserve import Reserve
from engine.turns import CREDIT

Row = Mapping[str, Any]

_HEADS: Final = 64
"""Waiting jobs of each kind, in their order, among which floods are seen."""
_FACT: Final = "kept"

_READ: Final = """
SELECT value, extract(epoch FROM now())::float AS now FROM (SELECT) AS one
LEFT JOIN job_fact ON name = %(fact)s
"""
_WRITE: Final = """
INSERT INTO job_fact (name, value) VALUES (%(fact)s, %(value)s)
ON CONFLICT (name) DO UPDATE SET value = %(value)s
"""
_PLACES: Final = """
SELECT w.id, (w.about ->> 'at_once')::integer AS places, k.kind
FROM job_worker AS w, jsonb_array_elements_text(w.about -> 'kinds') AS k(kind)
"""
_HELD: Final = """
SELECT worker, community, count(*)::integer AS jobs FROM saq_jobs
WHERE status IN ('active', 'aborting') GROUP BY worker, community
"""
_WAITING: Final = """
SELECT k.kind, h.community, count(*)::integer AS jobs
FROM unnest(%(kinds)s::text[]) AS k(kind) CROSS JOIN LATERAL (
    SELECT community FROM saq_jobs WHERE status = 'queued' AND kind = k.kind
    ORDER BY priority, turn, lock_key LIMIT %(heads)s
) AS h GROUP BY k.kind, h.community
"""
_IDLE: Final = """
SELECT p.priority FROM unnest(%(priorities)s::integer[]) AS p(priority) WHERE NOT EXISTS (
    SELECT FROM unnest(%(kinds)s::text[]) AS k(kind) CROSS JOIN LATERAL (
        SELECT FROM saq_jobs
        WHERE status = 'queued' AND kind = k.kind AND priority = p.priority LIMIT 1
    ) AS h)
"""
_FORGET: Final = {
    int(priority): f"SELECT setval('turn_{priority:d}', last_value + {CREDIT} + 1) AS turn "
    f"FROM turn_{priority:d} WHERE last_value <> %(rested)s"
    for priority in Priority
}
"""What each has had counts no more, once: the turn goes on by more than can be had in advance."""


async def kept_now(connection: AsyncConnection[Any]) -> list[dict[str, Any]]:
    """What is kept of each kind, as the last look has found; kinds of which nothing is are left."""
    value, _ = await _read(connection)
    return _keeping(value)


async def look(connection: AsyncConnection[Any]) -> list[dict[str, Any]]:
    """Takes another look where it is time; what is kept then. One at a time may do this."""
    value, now = await _read(connection)
    if not Reserve(at=value.get("at")).is_due(now):
        return _keeping(value)
    able = await _rows(connection, _PLACES)
    kinds = sorted({row["kind"] for row in able})
    held = await _rows(connection, _HELD)
    waiting = await _rows(connection, _WAITING, kinds=kinds, heads=_HEADS)
    known = value.get("kinds", {})
    found = {kind: _look(kind, known.get(kind, {}), now, able, held, waiting) for kind in kinds}
    rested = await _forget(connection, kinds, value.get("rested", {}))
    told = {"at": now, "kinds": found, "rested": rested}
    await connection.execute(_WRITE, {"fact": _FACT, "value": Jsonb(told)})
    return _keeping(told)


def _look(
    kind: str,
    known: Mapping[str, Any],
    now: float,
    able: Sequence[Row],
    held: Sequence[Row],
    waiting: Sequence[Row],
) -> dict[str, Any]:
    """What is kept of one kind, and what communities have used of its hands."""
    places = {row["id"]: row["places"] for row in able if row["kind"] == kind}
    theirs = {row["kind"] for row in able if row["id"] in places}
    has, waits = Counter[str](), Counter[str]()
    for row in held:
        if row["worker"] in places:
            has[row["community"]] += row["jobs"]
    for row in waiting:
        if row["kind"] in theirs:
            waits[row["community"]] += row["jobs"]
    reserve = Reserve(**known.get("reserve", {}))
    kept = reserve.look(now, sum(places.values()), has, waits)
    return {
        "reserve": asdict(reserve),
        "kept": {
            **asdict(replace(kept, spent=frozenset())),
            "spent": sorted(kept.spent),
            "places": sum(places.values()),
            "workers": sorted(places),
        },
    }


def _keeping(value: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = value.get("kinds", {})
    return [{"kind": kind, **one["kept"]} for kind, one in found.items() if one["kept"]["hands"]]


async def _forget(
    connection: AsyncConnection[Any], kinds: Sequence[str], rested: Mapping[str, int]
) -> dict[str, int]:
    """Forgets what each has had where nobody waits any more; the turns at which that was done."""
    known = dict(rested)
    priorities = [int(priority) for priority in Priority]
    for row in await _rows(connection, _IDLE, kinds=kinds, priorities=priorities):
        priority = row["priority"]
        done = await _rows(connection, _FORGET[priority], rested=known.get(str(priority), 0))
        if done:
            known[str(priority)] = done[0]["turn"]
    return known


async def _read(connection: AsyncConnection[Any]) -> tuple[Mapping[str, Any], float]:
    row = (await _rows(connection, _READ, fact=_FACT))[0]
    return row["value"] or {}, row["now"]


async def _rows(connection: AsyncConnection[Any], statement: str, **values: Any) -> list[Any]:
    return await (await connection.execute(statement, values)).fetchall()
