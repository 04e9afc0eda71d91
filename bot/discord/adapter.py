"""The Discord adapter, as the program runs it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from personas.errors import UnavailableError

if TYPE_CHECKING:
    from bot.app import App
    from bot.discord.client import PersonaBot
    from bot.discord.settings import DiscordSettings

TOKEN_VARIABLE = "DISCORD_TOKEN"


def token_of(settings: DiscordSettings) -> str:
    """The bot's token, from the configuration or the environment; empty where there is none."""
    return settings.token.get_secret_value() or os.environ.get(TOKEN_VARIABLE, "")


class DiscordAdapter:
    """Connects the chat with Discord; see `bot.adapters.Adapter`.

    Args:
        bot: with its context.
        token: of the bot.
        grace: seconds that unfinished work gets at the end.
    """

    name = "Discord"

    def __init__(self, bot: PersonaBot, token: str, grace: float) -> None:
        self._bot = bot
        self._token = token
        self._grace = grace

    @property
    def obstacle(self) -> str:
        """Why no messages can come in at the moment; empty where they can."""
        if self._bot.is_closed() or not self._bot.is_ready():
            return "It is not connected with Discord."
        lost = [id for id, shard in self._bot.shards.items() if shard.is_closed()]
        return f"Not connected: shards {', '.join(map(str, lost))}." if lost else ""

    async def run(self) -> None:
        """Serves until it is closed.

        Raises:
            UnavailableError: Discord does not let it in; says what to do.
        """
        import aiohttp
        import discord

        try:
            async with self._bot:
                await self._bot.start(self._token)
        except discord.LoginFailure as error:
            raise UnavailableError(
                "Discord does not accept the token. Copy it anew from the page Bot of your "
                "application in the developer portal."
            ) from error
        except discord.PrivilegedIntentsRequired as error:
            raise UnavailableError(
                "Discord does not give the content of messages to this application. Switch on "
                "Message Content Intent on its page Bot, or set discord.message_content = false."
            ) from error
        except (discord.GatewayNotFound, discord.HTTPException, aiohttp.ClientError) as error:
            raise UnavailableError("Discord cannot be reached. Try again later.") from error

    async def aclose(self) -> None:
        """Ends what goes on, and disconnects."""
        if not self._bot.is_closed():
            await self._bot.finish(self._grace)
            await self._bot.close()


async def open_adapter(app: App) -> DiscordAdapter:
    """Puts the adapter together.

    Raises:
        UnavailableError: the library is not installed, or there is no token.
    """
    settings = app.settings.discord
    token = token_of(settings)
    if not token:
        raise UnavailableError(
            f"There is no token for Discord. Set discord.token or {TOKEN_VARIABLE}; the README "
            "says where to get one."
        )
    try:
        from bot.discord.answers import open_stage
        from bot.discord.client import PersonaBot
        from bot.discord.context import Context
    except ModuleNotFoundError as error:
        raise UnavailableError(
            "Discord needs the extra discord: pip install 'chatanything[discord]'."
        ) from error
    storage, chat = await app.storage(), await app.chat()
    bot = PersonaBot(settings)
    bot.context = Context(chat, open_stage(bot, settings, storage.media))
    return DiscordAdapter(bot, token, settings.shutdown_seconds)
