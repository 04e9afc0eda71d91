"""Bringing the tables up to date when the storage is opened."""

from __future__ import annotations

import sqlite3
import threading
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, insert, inspect, select, text
from sqlalchemy.exc import SQLAlchemyError

from personas.errors import UnavailableError
from storage.database import hide_rows_in, place_of, server_arguments
from storage.failures import explain
from storage.outages import is_passing
from storage.tables import HEAD, store

# Alembic keeps the migration that is running in module variables, one a process.
_alembic = threading.Lock()
_POSTGRES_LOCK = 7_310_868_735_422_313


def upgrade(url: URL, busy_seconds: float) -> str:
    """Makes the tables, or migrates them to what this version knows. Blocks: call it in a thread.

    Everything happens in one transaction that shuts out other processes, so many that start at
    once do no harm and a crash leaves the tables as they were.

    Returns:
        The id of the data, given once.

    Raises:
        UnavailableError: the database cannot be used, or a newer version wrote it.
    """
    is_sqlite = url.get_backend_name() == "sqlite"
    try:
        if is_sqlite and url.database:
            _set_wal(Path(url.database), busy_seconds)
        engine = create_engine(
            url.set(drivername="sqlite") if is_sqlite else url,
            connect_args={"timeout": busy_seconds} if is_sqlite else server_arguments(),
            hide_parameters=True,
        )
        event.listen(engine, "handle_error", hide_rows_in)
        if is_sqlite:
            event.listen(engine, "connect", _manual_transactions)
            event.listen(engine, "begin", _begin_immediate)
        try:
            return _upgrade(engine, busy_seconds)
        finally:
            engine.dispose()
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        raise explain(error, place_of(url)) from error


def _upgrade(engine: Engine, busy_seconds: float) -> str:
    end = time.monotonic() + busy_seconds
    while True:
        try:
            with engine.begin() as connection:
                known = _store_id(connection)
                if known is None:
                    _shut_out_others(connection)
                    if _version(connection) != HEAD:
                        _migrate(connection)
                    known = _store_id(connection) or _name(connection)
                return known
        except SQLAlchemyError as error:  # a server that is just starting, or is being restarted
            is_server = engine.dialect.name != "sqlite"
            if not (is_server and is_passing(error)) or time.monotonic() > end:
                raise
        time.sleep(0.2)


def _shut_out_others(connection: Connection) -> None:
    """On SQLite the transaction has done so already."""
    if connection.dialect.name != "sqlite":
        connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _POSTGRES_LOCK})


def _store_id(connection: Connection) -> str | None:
    """The id of the data; None where the tables have to be made or migrated first."""
    if _version(connection) != HEAD:
        return None
    return connection.scalar(select(store.c.id))


def _name(connection: Connection) -> str:
    id = uuid.uuid4().hex
    connection.execute(insert(store).values(id=id, created_at=datetime.now(UTC)))
    return id


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    folder = Path(__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    version = _version(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if version is not None and version not in known:
        raise UnavailableError(
            "This data was written by a newer version of ChatAnything. Update the program, or "
            "choose another data folder."
        )
    with _alembic:
        command.upgrade(config, "head")


def _set_wal(file: Path, busy_seconds: float) -> None:
    """Turns on the write-ahead log, which stays on; readers then never wait for a writer."""
    connection = sqlite3.connect(file, timeout=busy_seconds)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()


def _manual_transactions(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
