"""The queue's database: SAQ's queue on PostgreSQL, with our columns, our order and our patience."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from typing import Any, Final, TypeVar

import psycopg
from psycopg import AsyncConnection, sql
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout
from saq.job import Job as Record
from saq.queue.postgres import PostgresQueue
from sqlalchemy import URL

from engine.jobs.base import Job
from engine.jobs.saq.sql import MADE, NOTE_MADE, SCHEMA_VERSION, SERVED, TABLES, VERSION
from personas.errors import ChatAnythingError, UnavailableError
from storage.database import with_limits
from storage.failures import hide_rows

log = logging.getLogger(__name__)

Value = TypeVar("Value")
Row = dict[str, Any]

UNREACHABLE: Final = "The queue cannot be reached just now. Try again in a minute."
_LOST: Final = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.IdleInTransactionSessionTimeout,
    PoolTimeout,
    OSError,
)
_WAITS: Final = 20.0
"""Seconds that somebody waits for a lock at most."""
_ALIVE: Final = {
    "keepalives": 1,
    "keepalives_idle": 20,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "connect_timeout": 5,
}


class UnreadableJobError(ChatAnythingError):
    """What lies in the queue is no job that this program can read."""


class JobTable(PostgresQueue):
    """SAQ's tables in a schema of their own, named as the queue.

    SAQ's statuses and records are kept as SAQ keeps them, so that its own tools can be used to
    look at them. Which job is begun, when one counts as lost, and what is told of it, is ours.
    """

    def __init__(self, pool: AsyncConnectionPool[Any], name: str) -> None:
        super().__init__(pool=pool, name=name, manage_pool_lifecycle=False)

    def pack(self, job: Job) -> bytes:
        """A job as SAQ keeps it."""
        told = {"payload": dict(job.payload), "hints": dict(job.hints)}
        record = Record(job.kind, told, queue=self, key=job.id, meta=dict(job.meta))
        packed = self.serialize(record)
        return packed if isinstance(packed, bytes) else packed.encode()

    def unpack(self, packed: bytes, affinity: str = "") -> Job:
        """What `pack` made.

        Raises:
            UnreadableJobError: it made something else.
        """
        try:
            record = self.deserialize(bytes(packed))
            assert record is not None
            told = record.kwargs or {}
            payload, hints = dict(told.get("payload", {})), dict(told.get("hints", {}))
            return Job(record.function, payload, hints, affinity, record.meta)
        except Exception as error:  # whatever lies there
            # Without its cause, which may quote all of the job.
            raise UnreadableJobError(
                f"This job cannot be read ({type(error).__name__}). It may be one of another "
                "version of the program."
            ) from None

    async def init_db(self) -> None:
        """Makes what is missing; processes that start at once wait for each other."""
        key = int.from_bytes(hashlib.sha256(f"jobs {self.name}".encode()).digest()[:8], signed=True)
        async with self.pool.connection() as connection:
            await connection.execute("SELECT pg_advisory_lock(%s)", (key,))
            try:
                name = sql.Identifier(self.name)
                await connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(name))
                await super().init_db()
                await self._make(connection)
                cursor = await connection.execute(VERSION, {"version": SCHEMA_VERSION})
                found = await cursor.fetchone()
                assert found is not None
                if found[0] != SCHEMA_VERSION:
                    raise UnavailableError(
                        f"The queue has tables of version {found[0]}, and this program knows "
                        f"version {SCHEMA_VERSION}. Install the same version of the program "
                        "everywhere, or give the queue another `name` in [jobs]."
                    )
            finally:
                await connection.execute("SELECT pg_advisory_unlock(%s)", (key,))

    async def _make(self, connection: AsyncConnection[Any]) -> None:
        """Makes our tables, unless that was done: it locks out all who work with them."""
        wanted = hashlib.sha256((TABLES + SERVED).encode()).hexdigest()
        cursor = await connection.execute("SELECT to_regclass('job_fact') IS NOT NULL")
        if await cursor.fetchone() == (True,):
            cursor = await connection.execute(MADE)
            if await cursor.fetchone() == (wanted,):
                return
        await connection.execute(TABLES + SERVED)
        await connection.execute(NOTE_MADE, {"made": wanted})


class JobDatabase:
    """Connections to the database of a queue, which may go away and come back.

    Args:
        url: of the database.
        name: of the queue.
        lost_seconds: a transaction that stands still for so long is ended, because its process
            may do so for ever, and others wait for its locks.
        most: connections that are used at the same time.
    """

    def __init__(self, url: URL, name: str, lost_seconds: float, most: int = 8) -> None:
        self.name = name
        self.channel = f"saq:{name}"
        limits = {
            "lock_timeout": round(_WAITS * 1000),
            "idle_in_transaction_session_timeout": max(1, round(lost_seconds * 1000)),
        }
        self._parameters: dict[str, Any] = {
            **url.set(drivername="postgresql").translate_connect_args(
                username="user", database="dbname"
            ),
            **url.query,
            **_ALIVE,
            "options": with_limits(url, limits),
        }
        self._pool = AsyncConnectionPool(
            kwargs={**self._parameters, "autocommit": True, "row_factory": dict_row},
            min_size=1,
            max_size=most,
            timeout=5.0,
            open=False,
            configure=self._configure,
            check=AsyncConnectionPool.check_connection,
            reconnect_timeout=5.0,
        )
        self._table: JobTable | None = None

    @property
    def table(self) -> JobTable:
        """SAQ's queue; there once this is open."""
        assert self._table is not None
        return self._table

    async def open(self) -> None:
        """Connects, and makes the tables where they are missing.

        Raises:
            UnavailableError: there is no such database, or it does not answer.
        """
        try:
            async with self.alone():
                pass  # what is wrong is told at once here; a pool would try for long
            await self._pool.open()
            await self._pool.wait(10.0)
            # SAQ reads rows as tuples.
            async with AsyncConnectionPool(
                kwargs={**self._parameters, "autocommit": True},
                min_size=1,
                max_size=2,
                open=False,
                configure=self._configure,
            ) as plain:
                self._table = JobTable(plain, self.name)
                await self._table.init_db()
        except UnavailableError:
            await self._pool.close()
            raise
        except (psycopg.Error, PoolTimeout, OSError) as error:
            await self._pool.close()
            raise UnavailableError(
                "The database of the queue does not answer, or refuses us. `database_url` of "
                "[jobs] or [storage] says where it is."
            ) from error

    @contextlib.asynccontextmanager
    async def alone(self) -> AsyncIterator[AsyncConnection[Any]]:
        """A connection that nobody else uses."""
        connection = await AsyncConnection.connect(
            **self._parameters, autocommit=True, row_factory=dict_row
        )
        try:
            await self._configure(connection)
            yield connection
        finally:
            await connection.close()

    async def run(
        self,
        work: Callable[[AsyncConnection[Any]], Awaitable[Value]],
        patience: float | None = 20.0,
    ) -> Value:
        """Does something in a transaction; again, where the connection is lost.

        Args:
            work: what; it may be done twice where a commit is not answered.
            patience: seconds until the database is given up; None: never.

        Raises:
            UnavailableError: the database does not answer.
        """
        start, pause = time.monotonic(), 0.1
        while True:
            try:
                return await _cancellable(self._once(work))
            except PoolClosed as error:
                raise UnavailableError(UNREACHABLE) from error
            except (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected):
                pass
            except _LOST as error:
                if patience is not None and time.monotonic() - start > patience:
                    raise UnavailableError(UNREACHABLE) from error
                log.warning("The database of the queue does not answer: %s", type(error).__name__)
            except psycopg.Error as error:
                hide_rows(error)
                log.exception("The database of the queue refuses")
                raise UnavailableError(UNREACHABLE) from error
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(2 * pause, 2.0)

    async def _once(self, work: Callable[[AsyncConnection[Any]], Awaitable[Value]]) -> Value:
        async with self._pool.connection() as connection, connection.transaction():
            return await work(connection)

    async def rows(
        self, statement: str, patience: float | None = 20.0, **values: Any
    ) -> Sequence[Row]:
        """Runs one statement; its rows."""

        async def ask(connection: AsyncConnection[Any]) -> list[Row]:
            cursor = await connection.execute(statement, values)
            return await cursor.fetchall() if cursor.description else []

        return await self.run(ask, patience)

    async def notify(self, connection: AsyncConnection[Any], payload: str) -> None:
        """Rings the bells of all processes when the transaction ends."""
        await connection.execute("SELECT pg_notify(%s, %s)", (self.channel, payload))

    async def aclose(self) -> None:
        """Closes the connections. Safe to call twice."""
        await self._pool.close()

    async def _configure(self, connection: AsyncConnection[Any]) -> None:
        name = sql.Identifier(self.name)
        await connection.execute(sql.SQL("SET search_path TO {}").format(name))


async def _cancellable(step: Coroutine[Any, Any, Value]) -> Value:
    """A step whose cancellation is never lost.

    While somebody waits for a connection of the pool, it may be: `asyncio.wait_for` of Python 3.11
    forgets one that comes as the connection does (https://github.com/python/cpython/issues/86296).
    """
    task = asyncio.ensure_future(step)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({task}, timeout=1.0)
        if not task.cancelled():
            task.exception()  # looked at, so that nobody complains
        raise
