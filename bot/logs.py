"""Where the log goes, and how it looks: text or JSON, each line with the request it belongs to."""

from __future__ import annotations

import json
import logging
import logging.handlers
import re
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import platformdirs

from bot.output import say
from engine.observing import current

if TYPE_CHECKING:
    from bot.operating.settings import OperatingSettings

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(about)s%(message)s"
_TERMINAL = "%(levelname)s %(name)s: %(about)s%(message)s"
NOISY = ("httpx2", "httpcore2", "openai", "aiosqlite", "alembic", "sqlalchemy", "huggingface_hub")
HIDDEN: Final = "<token>"
_SHORTEST_SECRET: Final = 6
"""Shorter ones would take words out of the log that are none."""
_CREDENTIALS: Final = re.compile(r"(?<=://)[^\s/?#]+@")


def without_credentials(text: str) -> str:
    """`text` with `user:password@` hidden in every address that stands in it."""
    return _CREDENTIALS.sub(f"{HIDDEN}@", text)


class WithRequest(logging.Filter):
    """Notes on each line which request it belongs to; the adapter has named it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Changes the record; lets it pass."""
        request = current()
        id = request.id if request is not None else ""
        record.__dict__.update(request=id, about=f"[{id}] " if id else "")
        return True


class WithoutSecrets(logging.Filter):
    """Takes secrets, and credentials in addresses, out of whatever a handler is going to write."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        self._secrets = tuple(one for one in secrets if one)

    def filter(self, record: logging.LogRecord) -> bool:
        """Changes the record; lets it pass."""
        message = record.getMessage()
        if (clean := self._without(message)) != message:
            record.msg, record.args = clean, ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = self._without(record.exc_text)
        return True

    def _without(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return without_credentials(text)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and request and exception if any."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request := getattr(record, "request", ""):
            line["request"] = request
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        if record.exc_text:
            line["exception"] = record.exc_text
        return json.dumps(line, ensure_ascii=False)


class LogFile(logging.handlers.RotatingFileHandler):
    """A file, and two older ones. Where it cannot be written that is said once, and no more.

    Attributes:
        broken: a line could not be written.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=1_000_000, backupCount=2, encoding="utf-8", delay=True)
        self.broken = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (its name in logging)
        """Says so, instead of printing a traceback for every line."""
        error = sys.exception()
        if not isinstance(error, OSError):
            super().handleError(record)
        elif not self.broken:
            self.broken = True
            say(f"The log cannot be written: {self.baseFilename} ({error.strerror}).")


def log_file() -> Path | None:
    """The file that is being written, if any."""
    handlers = logging.getLogger().handlers
    files = (one for one in handlers if isinstance(one, LogFile) and not one.broken)
    return next((Path(one.baseFilename) for one in files), None)


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
    _add(_file(), logging.Formatter(FORMAT))
    if verbose:
        _add(logging.StreamHandler(sys.stderr), logging.Formatter(_TERMINAL))


def adjust(settings: OperatingSettings, secrets: Iterable[str] = ()) -> None:
    """Sends the log where the settings want it, in their form, and without secrets.

    Args:
        settings: form and place.
        secrets: what must not be in it.
    """
    root = logging.getLogger()
    ours = [handler for handler in root.handlers if getattr(handler, "ours", False)]
    to_stderr = settings.log_to in ("stderr", "both")
    for handler in ours:
        is_file = isinstance(handler, logging.FileHandler | logging.NullHandler)
        if is_file and settings.log_to == "stderr":
            root.removeHandler(handler)
            handler.close()
        if not is_file and to_stderr:  # --verbose as well: not everything twice
            root.removeHandler(handler)
    if ours and to_stderr:
        _add(logging.StreamHandler(sys.stderr), logging.Formatter(FORMAT))
    hiding = WithoutSecrets(one for one in secrets if len(one) >= _SHORTEST_SECRET)
    for handler in root.handlers:
        if getattr(handler, "ours", False):
            handler.addFilter(hiding)
            if settings.log_format == "json":
                handler.setFormatter(JsonFormatter())


def _file() -> logging.Handler:
    folder = platformdirs.user_log_path("chatanything")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return LogFile(folder / "chatanything.log")
    except OSError:
        return logging.NullHandler()


def _add(handler: logging.Handler, formatter: logging.Formatter) -> None:
    handler.ours = True  # type: ignore[attr-defined]
    handler.addFilter(WithRequest())
    handler.setFormatter(formatter)
    logging.getLogger().addHandler(handler)
