"""Fingerprints: whether a worker makes what the bots expect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from psycopg.types.json import Jsonb

from engine.jobs.saq.database import JobDatabase
from personas.errors import UnavailableError

_FACT: Final = "fingerprint"
_READ: Final = "SELECT value FROM job_fact WHERE name = %(name)s"
_WRITE: Final = """
INSERT INTO job_fact (name, value) VALUES (%(name)s, %(value)s)
ON CONFLICT (name) DO UPDATE SET value = %(value)s
WHERE job_fact.value IS DISTINCT FROM %(value)s
"""


async def publish(database: JobDatabase, fingerprint: Mapping[str, str]) -> None:
    """A bot says what it expects; the last one to say so is right.

    Raises:
        UnavailableError: the queue cannot be reached.
    """
    await database.rows(_WRITE, name=_FACT, value=Jsonb(dict(fingerprint)))


async def check(database: JobDatabase, ours: Mapping[str, str]) -> None:
    """Lets a worker go on if it is what the bots expect, or if no bot has been here yet.

    Raises:
        UnavailableError: it is not; says in what they differ, and what to do.
    """
    rows = await database.rows(_READ, name=_FACT)
    theirs: Mapping[str, Any] = rows[0]["value"] if rows else ours
    differing = sorted(
        name for name in {*ours, *theirs} if str(ours.get(name)) != str(theirs.get(name))
    )
    if differing:
        told = "; ".join(
            f"{name}: here {ours.get(name, 'unknown')}, there {theirs.get(name, 'unknown')}"
            for name in differing
        )
        raise UnavailableError(
            f"This worker would make other things than the bots expect ({told}). Install the "
            "same version of the program and use the same config.toml on both sides."
        )
