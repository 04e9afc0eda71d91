"""How jobs are begun, in PostgreSQL: the first in order, but for floods that leave hands free."""

from __future__ import annotations

from typing import Final

from engine.jobs.base import Priority
from engine.reserve import BURST

_HEAD: Final = """
head AS MATERIALIZED (
    SELECT h.* FROM unnest(%(kinds)s::text[]) AS k(kind) CROSS JOIN LATERAL (
        SELECT key, kind, community, priority, turn, lock_key, affinity FROM saq_jobs
        WHERE status = 'queued' AND kind = k.kind AND due <= now()
          AND (until IS NULL OR until > now())
          AND (worker <> %(me)s OR since < now() - make_interval(secs => %(avoid)s))
        ORDER BY priority, turn, lock_key LIMIT %(look)s
    ) AS h
)"""

_LEFT_FREE: Final = f"""
held AS MATERIALIZED (
    SELECT worker, community, count(*) AS jobs FROM saq_jobs
    WHERE status IN ('active', 'aborting') GROUP BY worker, community
), kept AS MATERIALIZED (
    SELECT k.*, k.places - COALESCE(
        (SELECT sum(jobs) FROM held WHERE worker = ANY(k.workers)), 0) AS free
    FROM jsonb_to_recordset(%(kept)s) AS k(
        kind text, places integer, hands integer, most float, spent text[], workers text[])
), ranked AS (
    SELECT head.*, row_number() OVER (ORDER BY priority, turn, lock_key) - 1 AS before,
        row_number() OVER (PARTITION BY community ORDER BY priority, turn, lock_key) - 1 AS own,
        count(*) OVER (PARTITION BY community) AS waiting
    FROM head
), may AS MATERIALIZED (
    SELECT ranked.* FROM ranked LEFT JOIN kept USING (kind) CROSS JOIN LATERAL (
        SELECT COALESCE(sum(jobs), 0) AS jobs FROM held
        WHERE held.community = ranked.community AND held.worker = ANY(kept.workers)
    ) AS its
    WHERE kept.kind IS NULL OR free - before > hands OR its.jobs + waiting <= {BURST}
       OR (its.jobs + own < GREATEST(1, most) AND community <> ALL(spent))
)"""
"""`Kept.holds_back`, for each of those that may be begun at once: what comes before one in order
has taken a hand when it is its turn."""


def _take(steps: str, source: str) -> str:
    return f"""
WITH {steps}, chosen AS MATERIALIZED (
    SELECT j.key FROM saq_jobs AS j JOIN {source} AS h ON h.key = j.key
    WHERE j.status = 'queued'
    ORDER BY h.priority, h.affinity = ANY(%(loaded)s::text[]) DESC, h.turn, h.lock_key
    LIMIT %(most)s FOR UPDATE OF j SKIP LOCKED
)
UPDATE saq_jobs AS j SET
    status = 'active', worker = %(me)s, tries = j.tries + 1, begun = now(), told = NULL,
    outcome = ''
FROM chosen WHERE j.key = chosen.key
RETURNING j.key, j.job, j.tries, j.begun, j.priority, j.turn, j.affinity,
    pg_notify(%(channel)s, 'job ' || j.key)
"""


TAKE: Final = _take(_HEAD, "head")
"""Begins the next jobs; those who wait for them hear of it."""

TAKE_KEEPING: Final = _take(f"{_HEAD}, {_LEFT_FREE}", "may")
"""Likewise, while hands are kept free."""

SERVE: Final = {
    int(priority): f"SELECT setval('turn_{priority:d}', %(turn)s) FROM turn_{priority:d} "
    "WHERE last_value < %(turn)s"
    for priority in Priority
}
"""Goes on to a turn; one that was served already is left behind."""
