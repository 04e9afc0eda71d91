"""Outages of a database server: what they are, which pass, and what is done again."""

from __future__ import annotations

import asyncio
import functools
import random
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

from sqlalchemy.exc import DBAPIError

from personas.errors import UnavailableError

P = ParamSpec("P")
R = TypeVar("R")

_PAUSES = (0.05, 0.2, 0.5, 1.0, 2.0)
"""Seconds between tries; each try waits for the server by itself, too."""

_ROLLED_BACK = frozenset({"40001", "40P01"})
_SHUT_DOWN = frozenset({"57P01", "57P02", "57P03"})
"""SQLSTATE: serialization failure and deadlock; and three ways of a server to shut down.

https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

_PASSING = (
    "starting up",
    "shutting down",
    "not yet accepting",
    "recovery mode",
    "connection refused",
    "no such file or directory",  # the socket of a server on this machine
    "too many clients",
    "too many connections",
    "remaining connection slots",
    "terminating connection",
    "server closed the connection",
    "connection reset",
)

_SENTENCES: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("password authentication failed", "no password supplied", "no pg_hba.conf entry"),
        "The database refuses the user name or password of database_url.",
    ),
    (
        ('role "', "28000"),
        "The database does not know the user of database_url, or does not let it in.",
    ),
    (
        ('database "',),
        "The database server has no database of the name that database_url gives. Make it "
        "(createdb), or correct the name.",
    ),
    (
        ("resolve host", "name or service not known", "could not translate host name"),
        "The host of the database cannot be found. Check database_url.",
    ),
    (("42501", "permission denied"), "The user of database_url may not write in this database."),
    (("25006", "read-only"), "This database can only be read; it may be a replica."),
    (("53100", "disk full", "no space left"), "The database server has no space left."),
    (
        ("57014", "statement timeout"),
        "The database took too long and was stopped. Try again in a moment.",
    ),
    (
        ("55p03", "lock timeout"),
        "Another process is writing to the database and does not finish. Try again in a moment.",
    ),
    (
        ("ssl", "certificate"),
        "No secure connection to the database could be made. Check sslmode in database_url.",
    ),
    (
        (*_PASSING, "timeout expired", "timed out", "no route to host", "unreachable"),
        "The database does not answer. Check that it runs and that database_url is right, or try "
        "again in a moment.",
    ),
)


class CutOffError(UnavailableError):
    """A transaction was cut off before it was committed: nothing of it has happened."""


def is_cut_off(error: BaseException) -> bool:
    """Whether the server, or the way to it, went away, or it gave a transaction up by itself."""
    if not isinstance(error, DBAPIError):
        return False
    return error.connection_invalidated or _state(error) in _ROLLED_BACK | _SHUT_DOWN


def is_rolled_back(error: BaseException) -> bool:
    """Whether the server itself says that nothing happened, even where it was to commit."""
    return _state(error) in _ROLLED_BACK


def _state(error: BaseException) -> str | None:
    return getattr(getattr(error, "orig", None), "sqlstate", None)


def is_passing(error: BaseException) -> bool:
    """Whether a server that could not be reached may be there in a moment."""
    said = str(getattr(error, "orig", None) or error).lower()
    return any(sign in said for sign in _PASSING)


def sentence_for(error: BaseException) -> str | None:
    """What a person needs to know about an error of a database server; None where unknown."""
    cause = getattr(error, "orig", None) or error
    said = f"{getattr(cause, 'sqlstate', None) or ''} {cause}".lower()
    return next((text for signs, text in _SENTENCES if any(s in said for s in signs)), None)


def retried(method: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """Does it again where the database was cut off before anything was committed.

    For methods that read, or that write in one transaction and do nothing before it that must
    not happen twice. What fails after a commit has to be no error of theirs.
    """

    @functools.wraps(method)
    async def again(*args: P.args, **kwargs: P.kwargs) -> R:
        for pause in _PAUSES:
            try:
                return await method(*args, **kwargs)
            except CutOffError:
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))
        return await method(*args, **kwargs)

    return again
