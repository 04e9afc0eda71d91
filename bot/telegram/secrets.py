"""Keeps the bot's token out of the log: it is part of every address that is asked."""

from __future__ import annotations

import logging
from typing import Final

_TALKATIVE: Final = ("httpx", "httpcore")
"""They log every address."""
HIDDEN: Final = "<token>"


class WithoutToken(logging.Filter):
    """Takes a token out of whatever a handler is going to write."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self._token = token

    def filter(self, record: logging.LogRecord) -> bool:
        """Changes the record; lets it pass."""
        message = record.getMessage()
        if self._token in message:
            record.msg, record.args = message.replace(self._token, HIDDEN), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = record.exc_text.replace(self._token, HIDDEN)
        return True


def hide(token: str) -> None:
    """Keeps `token` out of everything that is logged from now on."""
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    for handler in logging.getLogger().handlers:
        handler.addFilter(WithoutToken(token))
