"""What is said to PostgreSQL. All moments are those of its clock: no other is trusted.

Fairness. Each job has a `turn`: the one that is being served when it comes, less a credit, or the
one after the last of its own community, whichever is later; jobs are begun in the order of
priority, then turn. So each community has one job in every turn, however many it has in the queue:
a flood lines up behind itself, a newcomer goes before it, and a community that is alone keeps all
workers busy. This is start-time fair queueing (Goyal, Vin and Cheng, 1996), each job counted as
one. The credit is for who asks for little: turns that a community let pass are kept for it, so its
jobs wait for hands, and not for a flood. What `engine.turns.Turns` does in a process is the same.
Both steps look at the end of an index, at any depth. `keeping` says which hands a flood leaves
free, and `taking` how jobs are begun.
"""

from __future__ import annotations

from typing import Final

from engine.jobs.base import Priority
from engine.turns import CREDIT

SCHEMA_VERSION: Final = 1
"""Of our columns and what they mean; a worker of another one does not start."""

TABLES: Final = """
ALTER TABLE saq_jobs
    ADD COLUMN IF NOT EXISTS kind text NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS community text NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS person text NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS affinity text NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS turn bigint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS wanted integer NOT NULL DEFAULT 1,
    ADD COLUMN IF NOT EXISTS tries integer NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS worker text NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS outcome text NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS reason text NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS cause text NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS error text NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS told jsonb,
    ADD COLUMN IF NOT EXISTS result jsonb,
    ADD COLUMN IF NOT EXISTS submitted timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN IF NOT EXISTS since timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN IF NOT EXISTS due timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN IF NOT EXISTS until timestamptz,
    ADD COLUMN IF NOT EXISTS begun timestamptz,
    ADD COLUMN IF NOT EXISTS ended timestamptz;
-- SAQ's own indices serve queries that are not asked here, and each costs at every change.
DROP INDEX IF EXISTS saq_jobs_status_queue_group_key_idx;
DROP INDEX IF EXISTS saq_jobs_status_queue_priority_scheduled_idx;
CREATE INDEX IF NOT EXISTS job_next ON saq_jobs (kind, priority, turn, lock_key)
    WHERE status = 'queued';
CREATE INDEX IF NOT EXISTS job_community ON saq_jobs (community, priority, turn)
    WHERE status IN ('queued', 'active', 'complete');
CREATE INDEX IF NOT EXISTS job_until ON saq_jobs (until) WHERE status = 'queued';
CREATE INDEX IF NOT EXISTS job_in_hand ON saq_jobs (worker)
    WHERE status IN ('active', 'aborting');
CREATE INDEX IF NOT EXISTS job_over ON saq_jobs (expire_at) WHERE expire_at IS NOT NULL;
-- Rows live shortly: their remains are cleared away soon, or the ends of the indices get slow.
ALTER TABLE saq_jobs SET (
    fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0
);
CREATE TABLE IF NOT EXISTS job_worker (
    id text PRIMARY KEY,
    number integer NOT NULL,
    about jsonb NOT NULL,
    began timestamptz NOT NULL DEFAULT now(),
    seen timestamptz NOT NULL DEFAULT now()
);
CREATE SEQUENCE IF NOT EXISTS job_worker_number AS integer CYCLE;
CREATE TABLE IF NOT EXISTS job_fact (name text PRIMARY KEY, value jsonb NOT NULL);
"""

VERSION: Final = """
INSERT INTO job_fact (name, value) VALUES ('schema', to_jsonb(%(version)s::integer))
ON CONFLICT (name) DO UPDATE SET name = 'schema' RETURNING value::integer AS version
"""

MADE: Final = """
SELECT value #>> '{}' FROM job_fact WHERE name = 'tables'
"""

NOTE_MADE: Final = """
INSERT INTO job_fact (name, value) VALUES ('tables', to_jsonb(%(made)s::text))
ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""

WORKERS: Final = """
SELECT w.id, w.about, w.began, extract(epoch FROM now() - w.seen)::float AS silent,
    (SELECT count(*) FROM saq_jobs AS j
     WHERE j.worker = w.id AND j.status IN ('active', 'aborting')) AS in_hand
FROM job_worker AS w ORDER BY w.began, w.id
"""

SERVED: Final = "".join(
    f"CREATE SEQUENCE IF NOT EXISTS turn_{priority:d} MINVALUE 0 START 0;\n"
    for priority in Priority
)
"""The turn that is being served, by priority: a sequence, because it only goes on, and is read and
set by everybody without waiting for anybody."""

_SERVED: Final = " ".join(
    f"WHEN {priority:d} THEN (SELECT last_value FROM turn_{priority:d})" for priority in Priority
)
_TURN: Final = f"""GREATEST(
    0, CASE %(priority)s::integer {_SERVED} END - {CREDIT},
    COALESCE((SELECT max(turn) + 1 FROM saq_jobs
              WHERE status IN ('queued', 'active', 'complete')
              AND community = %(community)s AND priority = %(priority)s), 0))"""
_UNTIL: Final = "now() + make_interval(secs => %(patience)s)"  # NULL where there is none

INSERT: Final = f"""
INSERT INTO saq_jobs (key, job, queue, status, priority, group_key, scheduled, kind, community,
                      person, affinity, until, turn)
VALUES (%(key)s, %(job)s, %(queue)s, 'queued', %(priority)s, %(community)s, 0, %(kind)s,
        %(community)s, %(person)s, %(affinity)s, {_UNTIL}, {_TURN})
ON CONFLICT (key) DO NOTHING RETURNING key
"""

LOCK: Final = """
SELECT status, outcome, result FROM saq_jobs WHERE key = %(key)s FOR UPDATE
"""

_MORE_URGENT: Final = f"""
    wanted = wanted + 1,
    turn = CASE WHEN %(priority)s < priority THEN {_TURN} ELSE turn END,
    priority = LEAST(priority, %(priority)s)"""
"""Each priority counts its own turns."""

JOIN: Final = f"""
UPDATE saq_jobs SET
    {_MORE_URGENT},
    until = CASE WHEN until IS NULL THEN NULL ELSE GREATEST(until, {_UNTIL}) END
WHERE key = %(key)s
"""
"""GREATEST overlooks NULL, so who waits for ever is looked after by JOIN_FOREVER."""

JOIN_FOREVER: Final = f"""
UPDATE saq_jobs SET {_MORE_URGENT}, until = NULL
WHERE key = %(key)s
"""

AGAIN: Final = f"""
UPDATE saq_jobs SET
    job = %(job)s, status = 'queued', priority = %(priority)s, group_key = %(community)s,
    expire_at = NULL, community = %(community)s, person = %(person)s, affinity = %(affinity)s,
    turn = {_TURN}, wanted = 1, tries = 0, worker = '', outcome = '', reason = '', cause = '',
    error = '', told = NULL, result = NULL, submitted = now(), since = now(), due = now(),
    until = {_UNTIL}, begun = NULL, ended = NULL
WHERE key = %(key)s
"""

_MINE: Final = """
key = %(key)s AND worker = %(me)s AND begun = %(begun)s AND status IN ('active', 'aborting')
"""
"""Fences off whoever was taken for dead and lives, and what was stopped and is begun anew: a worker
takes one thing after the other, so each of its tries has a beginning of its own."""

TELL: Final = f"UPDATE saq_jobs SET told = %(told)s WHERE {_MINE} RETURNING key"

DONE: Final = f"""
UPDATE saq_jobs SET status = 'complete', result = %(result)s, ended = now(), reason = '',
    cause = '', expire_at = extract(epoch FROM now()) + %(ttl)s
WHERE {_MINE} RETURNING key
"""

FAILED: Final = f"""
UPDATE saq_jobs SET status = 'failed', outcome = %(outcome)s, reason = %(reason)s,
    cause = %(cause)s, error = %(error)s, ended = now(),
    expire_at = CASE WHEN %(outcome)s = '' THEN extract(epoch FROM now()) + %(ttl)s END
WHERE {_MINE} RETURNING key
"""

ABORTED: Final = f"""
UPDATE saq_jobs SET status = 'aborted', outcome = 'cancelled', ended = now(),
    expire_at = extract(epoch FROM now()) + %(ttl)s
WHERE {_MINE} RETURNING key
"""

RETRY: Final = f"""
UPDATE saq_jobs SET status = 'queued', since = now(), told = NULL, begun = NULL,
    due = now() + make_interval(secs => %(delay)s), reason = %(reason)s, cause = %(cause)s,
    tries = tries - %(unused)s, worker = CASE WHEN %(unused)s = 1 THEN '' ELSE worker END
WHERE {_MINE} AND status = 'active' RETURNING key, kind
"""

CANCEL: Final = """
UPDATE saq_jobs SET
    wanted = wanted - 1,
    status = CASE WHEN wanted > 1 THEN status WHEN status = 'queued' THEN 'aborted'
                  ELSE 'aborting' END,
    outcome = CASE WHEN wanted > 1 THEN outcome ELSE 'cancelled' END,
    ended = CASE WHEN wanted <= 1 AND status = 'queued' THEN now() ELSE ended END,
    expire_at = CASE WHEN wanted <= 1 AND status = 'queued'
                     THEN extract(epoch FROM now()) + %(ttl)s ELSE expire_at END
WHERE key = %(key)s AND status IN ('queued', 'active') RETURNING status
"""

STANDING: Final = """
SELECT key, status, outcome, tries, worker, told, result, reason, error FROM saq_jobs
WHERE key = %(key)s
"""

MINE: Final = """
SELECT key, begun, status FROM saq_jobs WHERE worker = %(me)s AND status IN ('active', 'aborting')
"""

VIEW: Final = """
SELECT key, job, kind, status, outcome, community, priority, tries, submitted, worker, reason,
    cause,
    extract(epoch FROM COALESCE(begun, ended, now()) - since)::float AS waited,
    COALESCE(extract(epoch FROM COALESCE(ended, now()) - begun), 0)::float AS ran
FROM saq_jobs
"""

STATS: Final = """
SELECT kind,
    count(*) FILTER (WHERE status = 'queued') AS waiting,
    COALESCE(max(extract(epoch FROM now() - since)) FILTER (WHERE status = 'queued'), 0)::float
        AS oldest,
    count(*) FILTER (WHERE status IN ('active', 'aborting')) AS running,
    count(*) FILTER (WHERE outcome = 'poisoned') AS poisoned,
    count(DISTINCT community) FILTER (WHERE status = 'queued') AS communities
FROM saq_jobs GROUP BY kind ORDER BY kind
"""

DEPTH: Final = "SELECT count(*) FROM saq_jobs WHERE status = 'queued'"

RELEASE: Final = """
UPDATE saq_jobs SET status = 'queued', outcome = '', reason = '', cause = '', error = '',
    tries = 0, worker = '', told = NULL, since = now(), due = now(), until = NULL, begun = NULL,
    ended = NULL, expire_at = NULL
WHERE key = %(key)s AND status IN ('failed', 'aborted') RETURNING kind
"""

DROP: Final = "DELETE FROM saq_jobs WHERE key = %(key)s RETURNING status, result"

# What workers do for each other.

REGISTER: Final = """
INSERT INTO job_worker (id, number, about)
VALUES (%(me)s, %(number)s, %(about)s)
ON CONFLICT (id) DO UPDATE SET number = %(number)s, about = %(about)s, seen = now()
"""

BEAT: Final = "UPDATE job_worker SET seen = now(), about = %(about)s WHERE id = %(me)s RETURNING id"

DEAD: Final = """
DELETE FROM job_worker AS w WHERE
    -- After a restart of the server, everybody gets the time to come back.
    now() > pg_postmaster_start_time() + make_interval(secs => %(gone)s + 3)
    AND (w.seen < now() - make_interval(secs => %(lost)s)
    OR (w.seen < now() - make_interval(secs => %(gone)s) AND NOT EXISTS (
        SELECT FROM pg_locks AS l
        WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND l.classid::bigint = %(lock)s AND l.objid::bigint = w.number)))
RETURNING id
"""

LEFT: Final = """
UPDATE saq_jobs SET
    status = CASE WHEN status = 'aborting' THEN 'aborted'
                  WHEN tries >= %(tries)s THEN 'failed' ELSE 'queued' END,
    outcome = CASE WHEN status = 'aborting' THEN 'cancelled'
                   WHEN tries >= %(tries)s THEN 'poisoned' ELSE '' END,
    reason = CASE WHEN status = 'active' AND tries >= %(tries)s THEN %(reason)s ELSE reason END,
    cause = CASE WHEN status = 'active' THEN 'its worker ended: ' || worker ELSE cause END,
    ended = CASE WHEN status = 'aborting' OR tries >= %(tries)s THEN now() END,
    expire_at = CASE WHEN status = 'aborting' THEN extract(epoch FROM now()) + %(ttl)s END,
    begun = NULL, told = NULL, since = now(), due = now()
WHERE status IN ('active', 'aborting')
  AND NOT EXISTS (SELECT FROM job_worker AS w WHERE w.id = saq_jobs.worker)
RETURNING key, kind
"""

TOO_LATE: Final = """
UPDATE saq_jobs SET status = 'aborted', outcome = 'expired', ended = now(),
    expire_at = extract(epoch FROM now()) + %(ttl)s
WHERE key IN (
    SELECT key FROM saq_jobs WHERE status = 'queued' AND until <= now()
    LIMIT 1000 FOR UPDATE SKIP LOCKED)
RETURNING key
"""

OVER: Final = """
DELETE FROM saq_jobs WHERE key IN (
    SELECT key FROM saq_jobs WHERE expire_at <= extract(epoch FROM now())
    LIMIT 5000 FOR UPDATE SKIP LOCKED)
"""
