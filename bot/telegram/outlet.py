"""Where an answer goes on Telegram: text as it is written, then a round video note."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final

from telegram import InlineKeyboardMarkup, MessageEntity
from telegram.constants import ChatAction
from telegram.error import TelegramError

from bot.chat.base import Activity, Before
from bot.chat.calls import handing_over, to_its_end
from bot.telegram.actions import acting
from bot.telegram.clock import Clock
from bot.telegram.failures import may_have_arrived
from bot.telegram.files import FILE_LIMIT, Files
from bot.telegram.formatting import TEXT_LIMIT, Rich, harmless, quiet, rich, split
from bot.telegram.limiter import NotNowError, Urgency
from bot.telegram.sender import Bot, MovedError, Sender
from bot.telegram.spots import Spot
from engine.speech.base import Speech
from engine.talkinghead.base import Clip
from personas.persona import Portrait

log = logging.getLogger(__name__)

_DRAFT_INTERVAL: Final = 1.0
_EDIT_INTERVAL: Final = 3.0
_FIRST_LOOK: Final = 40
"""Characters worth a notification in a group."""


@dataclass
class _Shown:
    """A message as people see it; without an id where Telegram's answer was lost."""

    id: int | None
    message: Rich


class TelegramOutlet:
    """An `Outlet`.

    In a private chat the text is streamed as a draft, elsewhere by edits, and only where the
    limits have room for that. A clip of up to a minute is a round video note.

    Args:
        bot: speaks to Telegram, with a `ChatLimiter`.
        spot: where.
        reply_to: the message that is answered; quoted in groups.
        name: of the persona, to be shown where several are in the chat.
        portrait: of the persona: where its face is in a clip.
        notes: whether clips are round; False sends videos.
        markup: buttons below the finished text.
        before: messages of an earlier answer, whose place this one takes.
        file_limit: bytes of a file; a server of one's own takes more.
        clock: what time it is.
    """

    def __init__(
        self,
        bot: Bot,
        spot: Spot,
        *,
        reply_to: int | None = None,
        name: str = "",
        portrait: Portrait | None = None,
        notes: bool = True,
        markup: InlineKeyboardMarkup | None = None,
        before: Before | None = None,
        file_limit: int = FILE_LIMIT,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock or Clock()
        self._sender = Sender(bot, spot, reply_to)
        self._sending = Files(
            self._sender, portrait=portrait, notes=notes, limit=file_limit, clock=self._clock
        )
        self._head = Rich().add(harmless(name), "bold").add("\n") if name else Rich()
        self._markup = markup
        self._drafts, self._looks = spot.private, True
        self._draft = secrets.randbelow(2**31 - 1) + 1
        before = before or Before()
        self._shown = [_Shown(int(id) if id else None, Rich()) for id in before.messages]
        self._journal = before.journal
        self._outdated = [int(id) for id in before.files]
        self._files: list[int] = []
        self._working = asyncio.Lock()

    @property
    def text_limit(self) -> int:
        """Characters that one message may have, below the persona's name."""
        return TEXT_LIMIT - self._head.units

    @property
    def interval(self) -> float:
        """Seconds between two looks of a text that is being written."""
        return _DRAFT_INTERVAL if self._drafts else _EDIT_INTERVAL

    @property
    def file_limit(self) -> int:
        """Bytes that one file may have here."""
        return self._sending.limit

    @property
    def message_ids(self) -> tuple[str, ...]:
        """The messages that the text has become so far, in order."""
        return tuple(str(shown.id) for shown in self._shown if shown.id is not None)

    @property
    def file_ids(self) -> tuple[str, ...]:
        """The messages that hold a clip or a sound, so far."""
        return tuple(str(id) for id in self._files)

    # -- what it is doing

    def activity(self, doing: Activity) -> AbstractAsyncContextManager[None]:
        """Shows what the persona is doing for as long as the context lasts; never fails."""
        action = {
            Activity.WRITING: ChatAction.TYPING,
            Activity.SPEAKING: ChatAction.RECORD_VOICE,
            Activity.FILMING: self._sending.filming,
        }[doing]
        return acting(self._sender.bot, self._sender.spot, self._clock, action)

    # -- text

    async def heard(self, text: str) -> None:
        """Shows, quoted, what was understood of a voice message.

        Raises:
            GoneError: there is nowhere to show it any more.
            UnavailableError: Telegram could not be reached for minutes.
        """
        quoted = Rich().add(harmless(text) or "…", MessageEntity.EXPANDABLE_BLOCKQUOTE)
        await to_its_end(self._quote(split(quoted)[0]))

    async def _quote(self, message: Rich) -> None:
        async with self._working:
            replying = self._sender.quoting(self._sender.reply_to, always=True)
            await self._sender.text(message, replying, silently=True)

    async def show(self, pieces: Sequence[str], *, final: bool) -> None:
        """Shows the text so far, whole.

        Raises:
            GoneError: there is nowhere to show it any more.
            UnavailableError: Telegram could not be reached for minutes, or refuses the message.
        """
        await to_its_end(self._show(pieces, final))

    async def _show(self, pieces: Sequence[str], final: bool) -> None:
        async with self._working:
            await self._write(pieces, final)

    async def _write(self, pieces: Sequence[str], final: bool) -> None:
        messages = self._messages(pieces)
        for index, message in enumerate(messages):
            is_last = index + 1 == len(messages)
            passing = is_last and not final
            if index < len(self._shown):
                await self._change(index, message, passing=passing, is_end=is_last and final)
            elif passing:
                await self._preview(message, first=index == 0)
            else:
                await self._say(message, is_end=is_last and final)
        if final:
            for surplus in self._shown[len(messages) :]:
                await self._sender.delete(surplus.id)
            del self._shown[len(messages) :]
            await self._clear()

    def _messages(self, pieces: Sequence[str]) -> list[Rich]:
        messages = []
        for index, piece in enumerate(pieces):
            body = rich(piece)
            if not body.text.strip():
                body = Rich(harmless(piece))
            whole = Rich().join(self._head).join(body) if index == 0 else body
            messages += [part for part in split(whole) if part.text.strip()]
        return messages

    async def _preview(self, message: Rich, *, first: bool) -> None:
        """A look that nobody will miss."""
        if self._drafts:
            try:
                await self._sender.bot.send_message_draft(
                    self._sender.spot.chat,
                    self._draft,
                    message.text,
                    message_thread_id=self._sender.spot.topic,
                    entities=message.entities,
                )
            except NotNowError:
                pass
            except TelegramError as error:
                if not may_have_arrived(error):
                    # A server of one's own may be too old for drafts.
                    log.info("No drafts in this chat: %s", error)
                    self._drafts = False
        elif self._looks and (not first or not self._is_short(message)):
            with contextlib.suppress(NotNowError):
                await self._say(message, urgency=Urgency.FLEETING)

    def _is_short(self, message: Rich) -> bool:
        return message.units - self._head.units < _FIRST_LOOK

    async def _say(
        self, message: Rich, *, is_end: bool = False, urgency: Urgency = Urgency.WAITS
    ) -> None:
        replying = self._sender.quoting(self._sender.reply_to) if not self._shown else None
        markup = self._markup if is_end else None
        if urgency is Urgency.FLEETING:
            sent = await self._sender.text(message, replying, markup, urgency)
            if sent is None:
                self._looks = False  # whatever became of this look, the whole text will be sent
                return
        else:
            async with handing_over(self._journal, "text"):
                sent = await self._sender.text(message, replying, markup, urgency)
        self._shown.append(_Shown(sent.message_id if sent else None, message))
        if self._journal is not None:
            await self._journal.sent("text", str(sent.message_id) if sent else "")

    async def _change(self, index: int, message: Rich, *, passing: bool, is_end: bool) -> None:
        shown = self._shown[index]
        markup = self._markup if is_end else None
        same = shown.message == message and markup is None
        if shown.id is None or same or (passing and self._is_short(message)):
            return
        urgency = Urgency.FLEETING if passing else Urgency.WAITS
        try:
            if await self._sender.edit(shown.id, message, markup, urgency):
                shown.message = message
        except MovedError:
            # The text goes on in the new group.
            del self._shown[index:]
            await self._say(message, is_end=is_end)

    async def _clear(self) -> None:
        """Takes away the clip of an earlier answer."""
        while self._outdated:
            await self._sender.delete(self._outdated.pop())

    # -- clip and voice

    async def send_clip(self, clip: Clip) -> None:
        """Sends the clip: a round video note of up to a minute, else a video.

        Raises:
            TooLargeError: not of this size; nothing was sent.
            GoneError: there is nowhere to show it any more.
            UnavailableError: Telegram could not be reached for minutes, or refuses the clip.
        """
        self._sending.check(len(clip.data))
        await to_its_end(self._put_clip(clip))

    async def _put_clip(self, clip: Clip) -> None:
        async with self._working:
            async with handing_over(self._journal, "file"):
                id = await self._sending.clip(clip, self._first)
            await self._keep(id)

    async def send_voice(self, speech: Speech) -> None:
        """Sends the sound alone, as a voice note.

        Raises:
            TooLargeError: not of this size; nothing was sent.
            GoneError: there is nowhere to show it any more.
            UnavailableError: Telegram could not be reached for minutes, or refuses it.
        """
        data = await self._sending.encoded(speech)
        await to_its_end(self._put_voice(data, speech.duration))

    async def _put_voice(self, data: bytes, seconds: float) -> None:
        async with self._working:
            async with handing_over(self._journal, "file"):
                id = await self._sending.voice(data, seconds, self._first)
            await self._keep(id)

    @property
    def _first(self) -> int | None:
        """The message with the beginning of the text."""
        return self._shown[0].id if self._shown else None

    async def _keep(self, id: int | None) -> None:
        if id is not None:
            self._files.append(id)
        if self._journal is not None:
            await self._journal.sent("file", str(id or ""))

    async def tell(self, reason: str) -> None:
        """Tells who asked a sentence. Never fails."""
        sender = self._sender
        try:
            message = Rich(quiet(reason)[:TEXT_LIMIT])
            await sender.text(message, sender.quoting(sender.reply_to), silently=True)
        except Exception as error:
            log.info("Nobody could be told %r: %s", reason, error)
