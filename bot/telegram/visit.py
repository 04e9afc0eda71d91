"""Visit: somebody wants something in some place, and is answered there."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from telegram import (
    InlineKeyboardMarkup,
    InputMediaPhoto,
    LinkPreviewOptions,
    Message,
    ReplyParameters,
)
from telegram.error import ChatMigrated, TelegramError

from bot.chat.base import GoneError, Person, Place
from bot.telegram.desk import UNEXPECTED, Desk
from bot.telegram.failures import is_picture, is_unchanged, may_have_arrived, translated
from bot.telegram.formatting import Rich, quiet, split
from bot.telegram.limiter import NotNowError, Urgency
from bot.telegram.spots import Spot
from bot.telegram.touch import Touch
from personas.errors import ChatAnythingError, UnavailableError
from personas.persona import Persona

log = logging.getLogger(__name__)

CAPTION_LIMIT: Final = 1024
_ALERT_LIMIT: Final = 200
_NO_PREVIEW: Final = LinkPreviewOptions(is_disabled=True)
Done = TypeVar("Done")


@dataclass(frozen=True)
class Visit:
    """One command, message or touch of a button.

    Attributes:
        desk: what all visits share.
        spot: where, for Telegram.
        place: where, for the chat.
        person: who.
        message: what they wrote; with `touch`, what the button stands under.
        touch: of the button, if it was one.
    """

    desk: Desk
    spot: Spot
    place: Place
    person: Person
    message: Message | None = None
    touch: Touch | None = None

    async def say(
        self,
        text: str | Rich,
        markup: InlineKeyboardMarkup | None = None,
    ) -> Message | None:
        """Says something; None where Telegram's answer was lost.

        Raises:
            GoneError: nothing can be written here any more.
            UnavailableError: Telegram cannot be reached.
        """
        shown = split(_rich(text))[0]
        return await self.send(
            lambda: self.desk.bot.send_message(
                self.spot.chat,
                shown.text,
                entities=shown.entities,
                message_thread_id=self.spot.topic,
                reply_parameters=self.quoting,
                reply_markup=markup,
                link_preview_options=_NO_PREVIEW,
            )
        )

    async def show(
        self, persona: Persona, caption: Rich, markup: InlineKeyboardMarkup | None = None
    ) -> Message | None:
        """Shows a persona's portrait with words below it.

        Raises:
            GoneError: nothing can be written here any more.
            UnavailableError: Telegram cannot be reached.
        """
        words = split(caption, CAPTION_LIMIT)[0]
        picture = await self.picture(persona)
        sent = await self.send(
            lambda: self.desk.bot.send_photo(
                self.spot.chat,
                picture,
                caption=words.text,
                caption_entities=words.entities,
                message_thread_id=self.spot.topic,
                reply_parameters=self.quoting,
                reply_markup=markup,
                filename="portrait.png",
            )
        )
        self.remember(persona, sent)
        await self.belongs_to(persona, sent)
        return sent

    async def picture(self, persona: Persona) -> str | bytes:
        """A portrait, by Telegram's own name for it where it has one."""
        known = self.desk.pictures.known.get(persona.portrait.image)
        return known or await self.desk.chat.gallery.portrait(persona)

    def remember(self, persona: Persona, sent: Message | bool | None) -> None:
        """Remembers what Telegram calls the portrait that was just sent."""
        if isinstance(sent, Message) and sent.photo:
            self.desk.pictures.remember(persona.portrait.image, sent.photo[-1].file_id)

    async def belongs_to(self, persona: Persona, sent: Message | None) -> None:
        """Lets a reply to this message be for this persona."""
        if sent is not None:
            await self.desk.chat.replies.posted(self.place, persona, [str(sent.message_id)])

    async def change(
        self,
        message: Message,
        text: str | Rich,
        markup: InlineKeyboardMarkup | None = None,
        *,
        fleeting: bool = False,
    ) -> None:
        """Changes the words of a message, whatever it is; a fleeting change may not happen.

        Raises:
            GoneError: the message is gone.
            UnavailableError: Telegram cannot be reached.
        """
        urgency = Urgency.FLEETING if fleeting else Urgency.WAITS
        shown = _rich(text)
        bot, chat, id = self.desk.bot, message.chat.id, message.message_id

        async def caption() -> Message | bool:
            words = split(shown, CAPTION_LIMIT)[0]
            return await bot.edit_message_caption(
                chat,
                id,
                caption=words.text,
                caption_entities=words.entities,
                reply_markup=markup,
                rate_limit_args=urgency,
            )

        async def words() -> Message | bool:
            words = split(shown)[0]
            try:
                return await bot.edit_message_text(
                    words.text,
                    chat,
                    id,
                    entities=words.entities,
                    reply_markup=markup,
                    link_preview_options=_NO_PREVIEW,
                    rate_limit_args=urgency,
                )
            except TelegramError as error:
                if is_picture(error):  # of a message of which only the id is known
                    return await caption()
                raise

        try:
            await self._edit(caption if message.photo else words)
        except UnavailableError:
            if not fleeting:
                raise

    async def turn_into_picture(
        self,
        message: Message,
        picture: str | bytes,
        caption: Rich,
        markup: InlineKeyboardMarkup | None = None,
    ) -> Message:
        """Puts a picture in a message's place; gives the message as it is then.

        Raises:
            GoneError: the message is gone.
            UnavailableError: Telegram cannot be reached.
        """
        words = split(caption, CAPTION_LIMIT)[0]
        media = InputMediaPhoto(
            picture, words.text, caption_entities=words.entities, filename="portrait.png"
        )
        changed = await self._edit(
            lambda: self.desk.bot.edit_message_media(
                media, message.chat.id, message.message_id, reply_markup=markup
            )
        )
        return changed if isinstance(changed, Message) else message

    async def _edit(self, edit: Callable[[], Awaitable[Message | bool]]) -> Message | bool:
        try:
            return await edit()
        except NotNowError:
            return True
        except TelegramError as error:
            if is_unchanged(error):
                return True
            raise translated(error) from error

    async def send(self, send: Callable[[], Awaitable[Done]]) -> Done | None:
        """Sends something, once; None where Telegram's answer was lost.

        Raises:
            GoneError: nothing can be written here any more.
            UnavailableError: Telegram cannot be reached.
        """
        try:
            return await send()
        except ChatMigrated as error:
            # Whoever asked is answered in the new group by what follows the move.
            raise GoneError("This group has moved.") from error
        except TelegramError as error:
            if may_have_arrived(error):
                log.warning("Telegram's answer to a message was lost: %s", error)
                return None
            raise translated(error) from error

    async def notice(self, text: str, *, loud: bool = True) -> None:
        """Tells who asked: on a button as a notice for them alone, else as a message.

        Never fails.
        """
        if self.touch is not None:
            short = text if len(text) <= _ALERT_LIMIT else f"{text[: _ALERT_LIMIT - 1]}…"
            if await self.touch.answer(short, loud=loud):
                return
        with suppress(TelegramError, ChatAnythingError):
            await self.say(text)

    @property
    def quoting(self) -> ReplyParameters | None:
        """Refers to what was asked, in groups."""
        if self.message is None or self.spot.private or self.touch is not None:
            return None
        return ReplyParameters(self.message.message_id, allow_sending_without_reply=True)

    @asynccontextmanager
    async def explained(self) -> AsyncIterator[None]:
        """Tells who asked what went wrong in the block."""
        try:
            yield
        except GoneError as error:
            log.info("In chat %d: %s", self.spot.chat, error.__cause__ or error)
        except ChatAnythingError as error:
            if error.__cause__ is not None:
                log.warning("%s", error, exc_info=error)
            about = (self.spot, self.person.id, str(error))
            if self.touch is not None or self.desk.notices.is_new(about, self.desk.clock.now()):
                await self.notice(str(error))
        except Exception:
            log.exception("A request on Telegram failed")
            await self.notice(UNEXPECTED)

    def go_on(self, work: Awaitable[None]) -> None:
        """Lets long work go on; what goes wrong is told all the same."""
        later = replace(self, touch=None)

        async def explained() -> None:
            async with later.explained():
                await work

        self.desk.go_on(explained())


def _rich(text: str | Rich) -> Rich:
    return text if isinstance(text, Rich) else Rich(quiet(text))
