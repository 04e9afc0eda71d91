"""TelegramAdapter: connected with Telegram, by polling or by a webhook."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from telegram import Update
from telegram.error import Conflict, InvalidToken, TelegramError
from telegram.ext import Application, TypeHandler

from bot.chat.succession import Succession
from bot.telegram.clock import Clock
from bot.telegram.creating import resume
from bot.telegram.desk import Desk
from bot.telegram.incoming import sound_of
from bot.telegram.limiter import ChatLimiter, NotNowError
from bot.telegram.menu import set_menu
from bot.telegram.order import InOrder
from bot.telegram.polling import PollingBot
from bot.telegram.request import CarefulRequest
from bot.telegram.router import UPDATES, Router
from bot.telegram.secrets import hide
from bot.telegram.settings import TelegramSettings
from bot.telegram.spots import spot_at
from bot.telegram.visit import Visit
from bot.telegram.webhook import WebhookWatch
from personas.errors import ChatAnythingError, UnavailableError

if TYPE_CHECKING:
    from telegram.request import BaseRequest

    from bot.chat.chat import Chat

log = logging.getLogger(__name__)

_POLL_SECONDS: Final = 30
_WAITING: Final = 100
"""Updates that are fetched before those before them were taken: few, should the power fail."""


class TelegramAdapter:
    """Connects the chat with Telegram; see `bot.adapters.Adapter`.

    Args:
        chat: decides everything.
        token: of the bot.
        settings: how it is connected.
        clock: what limits are counted by.
        requests: two ways to ask, one for everything and one for updates; over the network by
            default.
    """

    name = "Telegram"

    def __init__(
        self,
        chat: Chat,
        token: str,
        settings: TelegramSettings,
        *,
        clock: Clock | None = None,
        requests: tuple[BaseRequest, BaseRequest] | None = None,
    ) -> None:
        hide(token)  # first of all: the library logs addresses as soon as it knows them
        self._settings = settings
        clock = clock or Clock()
        proxy = settings.proxy or None
        usual, polling = requests or (
            CarefulRequest(proxy=proxy),
            CarefulRequest(connections=2, proxy=proxy),
        )
        server = settings.server.rstrip("/") or "https://api.telegram.org"
        self._bot = PollingBot(
            token,
            base_url=f"{server}/bot",
            base_file_url=f"{server}/file/bot",
            request=usual,
            get_updates_request=polling,
            rate_limiter=ChatLimiter(clock=clock),
        )
        self._desk = Desk.open(self._bot, chat, settings, clock)
        self._succession = Succession(self._take_over, chat.takeover_seconds)
        builder = Application.builder().bot(self._bot).concurrent_updates(InOrder())
        waiting: asyncio.Queue[Update | object] = asyncio.Queue(_WAITING)
        self._application: Application[Any, Any, Any, Any, Any, Any] = builder.update_queue(
            waiting
        ).build()
        self._router = Router(self._desk)
        self._application.add_handler(TypeHandler(Update, self._router.take))
        self._application.add_error_handler(_failed)
        self._webhook = WebhookWatch(self._bot, settings.webhook.url, clock)
        self._closing = asyncio.Event()
        self._connecting: asyncio.Task[Any] | None = None

    @property
    def obstacle(self) -> str:
        """Why no messages can come in at the moment; empty where they can."""
        updater = self._application.updater
        if not self._application.running or updater is None or not updater.running:
            return "It is not connected with Telegram."
        trouble = self._bot.trouble or self._webhook.trouble
        return f"Telegram gives no updates ({trouble})." if trouble else ""

    async def run(self) -> None:
        """Serves until it is closed.

        Raises:
            UnavailableError: Telegram does not let it in, or cannot be reached; says what to do.
        """
        self._connecting = asyncio.current_task()
        try:
            async with self._application:
                await self._menu()
                await self._listen()
                await self._application.start()
                self._connecting = None
                self._succession.begin()
                log.info("On Telegram as @%s", self._application.bot.username)
                try:
                    await self._closing.wait()
                finally:
                    await self._leave()
        except InvalidToken:
            # The library's own error tells the token.
            raise UnavailableError(
                "Telegram does not accept the token. Ask @BotFather for it: /mybots, API Token."
            ) from None
        except TelegramError as error:
            raise UnavailableError("Telegram cannot be reached. Try again later.") from error
        except asyncio.CancelledError:
            if not self._closing.is_set() or self._connecting is None:
                raise
            self._connecting.uncancel()  # it was closed before it was connected
        finally:
            self._connecting = None
            await self._webhook.end()
            # Where it was not let in, the library leaves its connections open.
            await self._desk.bot.shutdown()

    async def aclose(self) -> None:
        """Ends what goes on, and disconnects. Safe to call twice."""
        self._closing.set()
        if self._connecting is not None:
            self._connecting.cancel()

    async def _menu(self) -> None:
        """Sets the list of commands; a bot without one works all the same."""
        try:
            await set_menu(self._desk.bot)
        except TelegramError as error:
            if isinstance(error, InvalidToken):
                raise
            log.warning("The list of commands could not be set: %s", error)

    async def _listen(self) -> None:
        updater = self._application.updater
        assert updater is not None
        webhook = self._settings.webhook
        if not webhook.url:
            await updater.start_polling(
                timeout=_POLL_SECONDS,
                bootstrap_retries=-1,
                allowed_updates=UPDATES,
                error_callback=self._trouble,
            )
            return
        secret = webhook.secret.get_secret_value() or secrets.token_urlsafe(32)
        try:
            await updater.start_webhook(
                listen=webhook.listen,
                port=webhook.port,
                url_path=urlsplit(webhook.url).path.lstrip("/"),
                webhook_url=webhook.url,
                secret_token=secret,
                max_connections=webhook.connections,
                bootstrap_retries=-1,
                allowed_updates=UPDATES,
            )
        except (OSError, RuntimeError) as error:
            raise UnavailableError(
                f"Nothing can listen on {webhook.listen}:{webhook.port}. Is the port taken, or "
                "the extra telegram missing?"
            ) from error
        self._webhook.begin()

    async def _leave(self) -> None:
        """Takes no more updates, and lets what was begun come to its end."""
        await self._succession.end()
        updater = self._application.updater
        if updater is not None and updater.running:
            try:
                await updater.stop()
            except TelegramError as error:
                log.warning("No updates came any more: %s", error)
        await self._application.stop()
        self._router.finish()
        tasks = list(self._desk.tasks)
        if tasks:
            await asyncio.wait(tasks, timeout=self._settings.shutdown_seconds)
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _take_over(self) -> None:
        """Goes on with what processes that have ended were making and answering."""
        desk, chat = self._desk, self._desk.chat
        for pending in await chat.replies.take_over("telegram"):
            asked = pending.question
            spot, id = spot_at(asked.place), int(asked.message) if asked.message else None
            message = desk.message(spot, id) if id is not None else None
            visit = Visit(desk, spot, asked.place, asked.person, message)
            opener = desk.opener(spot, asked.place, asked.person, id)
            sound = None
            if asked.sound:
                sound = sound_of(desk.bot, asked.sound, asked.sound_seconds, asked.sound_size)
            visit.go_on(chat.replies.resume(pending, opener, sound))
        for making in await chat.makings.take_over("telegram"):
            place, person = making.order.place, making.order.person
            visit = Visit(desk, spot_at(place), place, person)
            visit.go_on(resume(visit, making))

    def _trouble(self, error: TelegramError) -> None:
        """Logs that no updates come; once, not each time it was tried."""
        if self._desk.notices.is_new(("polling", type(error).__name__), self._desk.clock.now()):
            if isinstance(error, Conflict):
                log.error("Another program fetches the updates of this bot. Stop one of the two.")
            else:
                log.warning("No updates from Telegram: %s", error)


async def _failed(_: object, context: Any) -> None:
    """What nobody caught: noted, and gone on from."""
    error = context.error
    if isinstance(error, NotNowError):
        return
    if isinstance(error, ChatAnythingError | TelegramError):
        log.warning("An update was not taken: %s", error)
    else:
        log.error("An update was not taken", exc_info=error)
