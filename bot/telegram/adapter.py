"""The Telegram adapter, as the program runs it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bot.telegram.settings import TOKEN_VARIABLE
from personas.errors import UnavailableError

if TYPE_CHECKING:
    from bot.app import App
    from bot.telegram.service import TelegramAdapter
    from bot.telegram.settings import TelegramSettings


def token_of(settings: TelegramSettings) -> str:
    """The bot's token, from the configuration or the environment; empty where there is none."""
    return settings.token.get_secret_value() or os.environ.get(TOKEN_VARIABLE, "")


async def open_adapter(app: App) -> TelegramAdapter:
    """Puts the adapter together.

    Raises:
        UnavailableError: the library is not installed, or there is no token.
    """
    settings = app.settings.telegram
    token = token_of(settings)
    if not token:
        raise UnavailableError(
            f"There is no token for Telegram. Set telegram.token or {TOKEN_VARIABLE}; the README "
            "says where to get one."
        )
    try:
        from bot.telegram.service import TelegramAdapter
    except ModuleNotFoundError as error:
        raise UnavailableError(
            "Telegram needs the extra telegram: pip install 'chatanything[telegram]'."
        ) from error
    return TelegramAdapter(await app.chat(), token, settings)
