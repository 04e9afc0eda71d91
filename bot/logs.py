"""Where the log goes: a rotating file in the user's log folder, and stderr when asked."""

from __future__ import annotations

import logging
import logging.handlers
import sys
from pathlib import Path

import platformdirs

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
NOISY = ("httpx2", "httpcore2", "openai", "aiosqlite", "alembic", "sqlalchemy", "huggingface_hub")


def log_file() -> Path | None:
    """The file that is being written, if any."""
    handlers = logging.getLogger().handlers
    return next(
        (Path(h.baseFilename) for h in handlers if isinstance(h, logging.FileHandler)), None
    )


def set_up(verbose: bool) -> None:
    """Sends the log of this program to its file, and to stderr if `verbose`.

    A log that cannot be written stops nobody from talking to a persona.
    """
    root = logging.getLogger()
    if root.handlers:
        return
    root.setLevel(logging.INFO)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    folder = platformdirs.user_log_path("chatanything")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file: logging.Handler = logging.handlers.RotatingFileHandler(
            folder / "chatanything.log",
            maxBytes=1_000_000,
            backupCount=2,
            encoding="utf-8",
            delay=True,
        )
    except OSError:
        file = logging.NullHandler()
    file.setFormatter(logging.Formatter(FORMAT))
    root.addHandler(file)
    if verbose:
        terminal = logging.StreamHandler(sys.stderr)
        terminal.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
        root.addHandler(terminal)
