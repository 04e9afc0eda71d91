"""Ledger: the database itself writes down each change of a job, for the bench to read afterwards.

A trigger writes in the transaction that makes the change, so the ledger and the queue cannot
differ, whoever is killed.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import sql

from bot.bench.children import Child

_TABLES: Final = """
CREATE TABLE {ledger} (
    number bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(),
    key text, kind text, was text, status text, worker text, tries integer
);
CREATE FUNCTION {note}() RETURNS trigger AS $$ BEGIN
    INSERT INTO {ledger} (key, kind, was, status, worker, tries)
    VALUES (NEW.key, NEW.kind, OLD.status, NEW.status, NEW.worker, NEW.tries);
    RETURN NULL;
END $$ LANGUAGE plpgsql;
CREATE TRIGGER bench_note AFTER UPDATE OF status ON {jobs} FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION {note}();
"""
_ENDED: Final = ("complete", "failed", "aborted")


@dataclass(frozen=True)
class Change:
    """A job has changed. `at` is in epoch seconds."""

    at: float
    key: str
    kind: str
    status: str
    worker: str


class Ledger:
    """Of one queue.

    Args:
        url: of the database, for SQLAlchemy.
        queue: the name of the queue, which is that of its schema.
    """

    def __init__(self, url: str, queue: str) -> None:
        self._url = url.replace("+psycopg", "", 1)
        self._queue = queue

    def begin(self) -> None:
        """Writes from now on. The tables of the queue are there."""
        names = {
            "ledger": sql.Identifier(self._queue, "bench_ledger"),
            "note": sql.Identifier(self._queue, "bench_note"),
            "jobs": sql.Identifier(self._queue, "saq_jobs"),
        }
        self._run(sql.SQL(_TABLES).format(**names))

    def changes(self) -> list[Change]:
        """All that happened so far."""
        query = sql.SQL(
            "SELECT extract(epoch FROM at)::float, key, kind, status, worker FROM {} "
            "ORDER BY number"
        ).format(sql.Identifier(self._queue, "bench_ledger"))
        return [Change(*row) for row in self._run(query)]

    def open(self) -> int:
        """How many jobs have not ended."""
        query = sql.SQL("SELECT count(*) FROM {} WHERE status <> ALL(%s)").format(
            sql.Identifier(self._queue, "saq_jobs")
        )
        return int(self._run(query, [list(_ENDED)])[0][0])

    def busy(self) -> set[str]:
        """The workers that have a job in hand."""
        query = sql.SQL("SELECT DISTINCT worker FROM {} WHERE status = 'active'").format(
            sql.Identifier(self._queue, "saq_jobs")
        )
        return {str(row[0]) for row in self._run(query)}

    def transactions(self) -> int:
        """Transactions of the database so far, as PostgreSQL counts them."""
        query = sql.SQL(
            "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
        )
        return int(self._run(query)[0][0])

    def drop(self) -> None:
        """Removes the queue with all that belongs to it."""
        self._run(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(self._queue)))

    def _run(self, statement: sql.SQL | sql.Composed, values: Any = None) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._url, autocommit=True) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []


def endings(changes: list[Change]) -> dict[str, int]:
    """How often each job has ended."""
    found: dict[str, int] = defaultdict(int)
    for change in changes:
        found[change.key] += change.status in _ENDED
    return found


def recoveries(changes: list[Change], killed: Child) -> list[float]:
    """Seconds from a kill until each job that the worker had in hand was in another's.

    Args:
        changes: of all jobs, in order.
        killed: the worker.
    """
    assert killed.killed is not None
    mark = f"-{killed.pid}-"
    by_job: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        by_job[change.key].append(change)
    found = []
    for history in by_job.values():
        before = [change for change in history if change.at <= killed.killed]
        if not before or before[-1].status != "active" or mark not in before[-1].worker:
            continue
        after = [change for change in history if change.at > killed.killed]
        begun = next((change for change in after if change.status == "active"), None)
        if begun is not None:
            found.append(begun.at - killed.killed)
    return found
