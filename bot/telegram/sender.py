"""Sender: messages of one answer on their way to one chat, each sent once."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from telegram import InlineKeyboardMarkup, LinkPreviewOptions, Message, ReplyParameters
from telegram.error import ChatMigrated, TelegramError
from telegram.ext import ExtBot

from bot.telegram.failures import is_kind_forbidden, is_unchanged, may_have_arrived, translated
from bot.telegram.formatting import Rich
from bot.telegram.limiter import NotNowError, Urgency
from bot.telegram.spots import Spot

log = logging.getLogger(__name__)

Bot = ExtBot[Urgency]

_NO_PREVIEW: Final = LinkPreviewOptions(is_disabled=True)


class MovedError(Exception):
    """The group has another id now: what was written before is out of reach."""


class Sender:
    """Writes in one spot, and follows a group that moves.

    Args:
        bot: speaks to Telegram, with a `ChatLimiter`.
        spot: where.
        reply_to: the message that is answered.

    Attributes:
        bot: speaks to Telegram.
        spot: where; another one after a move.
        reply_to: the message that is answered; None after a move.
    """

    def __init__(self, bot: Bot, spot: Spot, reply_to: int | None = None) -> None:
        self.bot, self.spot, self.reply_to = bot, spot, reply_to

    def quoting(self, to: int | None, *, always: bool = False) -> ReplyParameters | None:
        """Refers to what is answered, where more than two talk."""
        if to is None or (self.spot.private and not always):
            return None
        return ReplyParameters(to, allow_sending_without_reply=True)

    async def text(
        self,
        message: Rich,
        replying: ReplyParameters | None = None,
        markup: InlineKeyboardMarkup | None = None,
        urgency: Urgency = Urgency.WAITS,
        *,
        silently: bool = False,
    ) -> Message | None:
        """Sends a text; None where Telegram's answer was lost and it may be there.

        Raises:
            NotNowError: it was fleeting, and did not happen.
            ChatAnythingError: it cannot be sent; see `once`.
        """
        return await self.once(
            lambda: self.bot.send_message(
                self.spot.chat,
                message.text,
                entities=message.entities,
                message_thread_id=self.spot.topic,
                reply_parameters=replying,
                reply_markup=markup,
                link_preview_options=_NO_PREVIEW,
                disable_notification=silently,
                rate_limit_args=urgency,
            )
        )

    async def once(
        self,
        send: Callable[[], Awaitable[Message]],
        instead: Callable[[], Awaitable[Message]] | None = None,
    ) -> Message | None:
        """Sends something new; None where Telegram's answer was lost and it may be there.

        Args:
            send: what is sent.
            instead: what is sent where this person or group takes nothing of that kind.

        Raises:
            NotNowError: it was fleeting, and did not happen.
            GoneError: nothing can be written here any more.
            TooLargeError: Telegram takes no file of this size.
            UnavailableError: Telegram cannot be reached, or refuses it.
        """
        try:
            return await send()
        except NotNowError:
            raise
        except ChatMigrated as error:
            self._move(error)
            return await self.once(send, instead)
        except TelegramError as error:
            if instead is not None and is_kind_forbidden(error):
                return await self.once(instead)
            if may_have_arrived(error):
                # To send it again could show it twice: Telegram has no way to ask.
                log.warning("Telegram's answer to a message was lost: %s", error)
                return None
            raise translated(error) from error

    async def edit(
        self,
        id: int,
        message: Rich,
        markup: InlineKeyboardMarkup | None = None,
        urgency: Urgency = Urgency.WAITS,
    ) -> bool:
        """Changes a text; False where that was fleeting and did not happen.

        Raises:
            MovedError: the message is in a group that has moved.
            GoneError: the message is gone.
            UnavailableError: Telegram cannot be reached, or refuses it.
        """
        passing = urgency is Urgency.FLEETING
        try:
            await self.bot.edit_message_text(
                message.text,
                chat_id=self.spot.chat,
                message_id=id,
                entities=message.entities,
                reply_markup=markup,
                link_preview_options=_NO_PREVIEW,
                rate_limit_args=urgency,
            )
        except NotNowError:
            return False
        except ChatMigrated as error:
            self._move(error)
            raise MovedError from error
        except TelegramError as error:
            if passing and may_have_arrived(error):
                return False
            if not is_unchanged(error):
                raise translated(error) from error
        return True

    async def delete(self, id: int | None) -> None:
        """Deletes a message; one that is gone, or may not be deleted, is no error."""
        if id is not None:
            with contextlib.suppress(TelegramError):
                await self.bot.delete_message(self.spot.chat, id)

    def _move(self, error: ChatMigrated) -> None:
        log.info("Chat %d has become %d", self.spot.chat, error.new_chat_id)
        self.spot = Spot(error.new_chat_id, self.spot.topic, self.spot.private)
        self.reply_to = None
