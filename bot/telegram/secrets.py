"""Keeps the bot's token out of the log: it is part of every address that is asked."""

from __future__ import annotations

import logging
from typing import Final

from bot.logs import HIDDEN, WithoutSecrets

__all__ = ["HIDDEN", "hide"]

_TALKATIVE: Final = ("httpx", "httpcore")
"""They log every address."""


def hide(token: str) -> None:
    """Keeps `token` out of everything that is logged from now on."""
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    for handler in logging.getLogger().handlers:
        handler.addFilter(WithoutSecrets([token]))
