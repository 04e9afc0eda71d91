"""Database: transactions on the tables, and the sentences for what can go wrong with them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, ExceptionContext, Table, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from personas.errors import ChatAnythingError, UnavailableError
from storage.failures import explain, hide_rows
from storage.outages import CutOffError, is_cut_off, is_passing, is_rolled_back
from storage.settings import StorageSettings

Done = TypeVar("Done")

_WRITING = "chatanything_writing"
_CONNECT_SECONDS = 10
_IDLE_SECONDS = 120  # a process that stands still inside a transaction must not hold up the others
_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


class _SteadyConnection(AsyncConnection):
    """A connection whose statements are taken to their end, whoever is cancelled meanwhile."""

    __slots__ = ()

    async def execute(self, *args: Any, **kwargs: Any) -> Any:
        """Executes a statement."""
        return await _to_its_end(super().execute(*args, **kwargs))


class _SteadyEngine(AsyncEngine):
    __slots__ = ()
    _connection_cls = _SteadyConnection


class Database:
    """The connections of one process. Safe to use from many tasks at once.

    On SQLite a writing transaction takes the write lock when it begins, so what it reads stays
    true until it ends; commits reach the disk (synchronous=FULL) because deleting files depends
    on them. On PostgreSQL who depends on a row locks it (`with_for_update`).

    Attributes:
        is_sqlite: in a file of this machine, and not on a server.
        place: what to call it, without any password.
    """

    def __init__(self, settings: StorageSettings) -> None:
        url = settings.database
        self.is_sqlite = url.get_backend_name() == "sqlite"
        self.place = place_of(url)
        self._patience = settings.busy_seconds
        options = _sqlite_options if self.is_sqlite else _server_options
        engine = create_async_engine(
            url, json_serializer=to_json, hide_parameters=True, **options(url, settings)
        )
        self._engine = _SteadyEngine(engine.sync_engine)
        self._under_way = 0  # transactions, those included that wait for their turn
        self._closing = asyncio.Event()
        self._all_ended = asyncio.Event()
        event.listen(self._engine.sync_engine, "handle_error", hide_rows_in)
        if self.is_sqlite:
            event.listen(self._engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(self._engine.sync_engine, "begin", _begin_sqlite)
        # Tasks of one process queue here in order; SQLite's own waiting is not fair.
        self._queue: AbstractAsyncContextManager[Any] = (
            asyncio.Lock() if self.is_sqlite else nullcontext()
        )

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """One consistent view of the tables.

        Raises:
            CutOffError: the server went away; reading can be tried again.
            UnavailableError: the database cannot be used, or is closed.
        """
        try:
            async with self._counted(), _unbroken() as stack:
                yield await _to_its_end(self._look(stack))
        except (SQLAlchemyError, OSError) as error:
            raise self._explain(error, is_certain=True) from error

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction: all of it happens, or nothing.

        Raises:
            CutOffError: the server went away, and nothing has happened.
            UnavailableError: the database cannot be used, or is closed.
        """
        is_at_commit = False
        try:
            async with self._counted(), self._queue, _unbroken() as stack:
                yield await _to_its_end(self._begin(stack))
                is_at_commit = True
        except (SQLAlchemyError, OSError) as error:
            raise self._explain(error, is_certain=not is_at_commit) from error

    async def _look(self, stack: AsyncExitStack) -> AsyncConnection:
        connection = await self._connect(stack)
        if not self.is_sqlite:
            await connection.execution_options(isolation_level="REPEATABLE READ")
        return connection

    async def _begin(self, stack: AsyncExitStack) -> AsyncConnection:
        plain = await self._connect(stack)
        connection = await plain.execution_options(**{_WRITING: True})
        await stack.enter_async_context(connection.begin())
        return connection

    async def aclose(self) -> None:
        """Lets what is under way end, and closes the connections. Safe to call twice.

        It waits for so long as a transaction may take; what takes longer closes them as it ends.
        """
        self._closing.set()
        if self._under_way:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._patience):
                    await self._all_ended.wait()
        else:
            await _to_its_end(self._engine.dispose())

    @asynccontextmanager
    async def _counted(self) -> AsyncIterator[None]:
        """Something under way; the last one out closes the connections behind a closed door.

        A connection that comes back after its pool was disposed of would be closed by nobody.
        """
        if self._closing.is_set():
            raise UnavailableError("The program is just ending. Try again when it is back.")
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            if self._closing.is_set() and not self._under_way:
                await _to_its_end(self._engine.dispose())
                self._all_ended.set()

    async def _connect(self, stack: AsyncExitStack) -> AsyncConnection:
        """A connection; waits for a server that is just being restarted."""
        end = time.monotonic() + self._patience
        pause = 0.05
        while True:
            try:
                return await stack.enter_async_context(self._engine.connect())
            except SQLAlchemyError as error:
                if self.is_sqlite or not is_passing(error) or time.monotonic() > end:
                    raise
            await asyncio.sleep(pause)
            pause = min(2 * pause, 1.0)

    def _explain(self, error: Exception, *, is_certain: bool) -> ChatAnythingError:
        explained = explain(error, self.place)
        if self.is_sqlite or not is_cut_off(error):
            return explained
        if is_certain or is_rolled_back(error):
            return CutOffError(str(explained))
        return UnavailableError(
            "The database went away while it stored a change; whether the change was kept is not "
            "known. Look before you do it again."
        )


async def _to_its_end(step: Coroutine[Any, Any, Done]) -> Done:
    """Takes a step to its end, also where whoever waits for it is cancelled meanwhile.

    A connection that is broken off in the middle of a step is lost to the library, and may keep
    the lock on the whole file for as long as the process lives.
    """
    task = asyncio.ensure_future(step)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # looked at, so that nobody complains
        raise


@asynccontextmanager
async def _unbroken() -> AsyncIterator[AsyncExitStack]:
    """A stack whose end, such as a commit, is taken to its own."""
    stack = AsyncExitStack()
    try:
        yield stack
    except BaseException as error:
        await _to_its_end(stack.__aexit__(type(error), error, error.__traceback__))
        raise
    await _to_its_end(stack.aclose())


async def insert_missing(
    connection: AsyncConnection, table: Table, row: Mapping[str, object]
) -> bool:
    """Inserts a row unless one with its key is there; whether it was inserted.

    Raises:
        IntegrityError: what it refers to is not there. On PostgreSQL the transaction is over then.
    """
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(table).values(**row).on_conflict_do_nothing()
    keeping = {"preserve_rowcount": True}
    result = await connection.execute(statement, execution_options=keeping)
    return result.rowcount > 0


def place_of(url: URL) -> str:
    """What to call a database in a sentence, without any password."""
    return (url.database or "memory") if url.get_backend_name() == "sqlite" else "The database"


def to_json(value: Any, *, sort_keys: bool = False) -> str:
    """JSON as PostgreSQL can read it again: without the sign NUL and halves of signs."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=sort_keys)
    text = text.encode("utf-8", "replace").decode()
    return _NUL.sub("\\1\ufffd", text) if "\\u0000" in text else text


def _sqlite_options(_url: URL, settings: StorageSettings) -> dict[str, Any]:
    return {"connect_args": {"timeout": settings.busy_seconds}}


def _server_options(url: URL, settings: StorageSettings) -> dict[str, Any]:
    limits = {
        "statement_timeout": round(settings.statement_seconds * 1000),
        "lock_timeout": round(settings.busy_seconds * 1000),
        "idle_in_transaction_session_timeout": _IDLE_SECONDS * 1000,
        "timezone": "UTC",
    }
    return {
        "connect_args": {**server_arguments(), "options": with_limits(url, limits)},
        "pool_pre_ping": True,
        "pool_size": settings.database_connections,
        "max_overflow": 0,
        "pool_timeout": settings.busy_seconds,
        "pool_recycle": 3600,
    }


def with_limits(url: URL, limits: Mapping[str, object]) -> str:
    """PostgreSQL's `options` for a connection: settings of the session, and what the URL adds."""
    ours = " ".join(f"-c {name}={value}" for name, value in limits.items())
    return f"{ours} {url.query.get('options', '')}"


def server_arguments() -> dict[str, Any]:
    """How to connect so that a server or a network that is lost is noticed in half a minute."""
    return {
        "application_name": "chatanything",
        "connect_timeout": _CONNECT_SECONDS,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 30_000,
    }


def hide_rows_in(context: ExceptionContext) -> None:
    """A listener of SQLAlchemy: keeps rows out of the driver's error, and of what quotes it."""
    said = str(context.original_exception)
    hide_rows(context.original_exception)
    if (error := context.sqlalchemy_exception) is not None:
        error.args = (error.args[0].replace(said, str(context.original_exception)),)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where we say, not where Python guesses
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get(_WRITING)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
