"""Where an answer goes on Telegram: text as it is written, then a round video note."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from telegram import (
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    Message,
    MessageEntity,
    ReplyParameters,
)
from telegram.constants import ChatAction
from telegram.error import ChatMigrated, TelegramError
from telegram.ext import ExtBot

from bot.chat.base import Activity, Before, TooLargeError
from bot.telegram.actions import acting
from bot.telegram.clock import Clock
from bot.telegram.failures import is_kind_forbidden, is_unchanged, may_have_arrived, translated
from bot.telegram.formatting import TEXT_LIMIT, Rich, harmless, rich, split
from bot.telegram.limiter import NotNowError, Urgency
from bot.telegram.spots import Spot
from engine.speech.base import Speech
from engine.talkinghead.base import Clip
from personas.errors import ChatAnythingError, InvalidInputError
from personas.persona import Portrait

log = logging.getLogger(__name__)

Bot = ExtBot[Urgency]
Done = TypeVar("Done")

FILE_LIMIT: Final = 50_000_000
NOTE_SECONDS: Final = 60.0
NOTE_SIZE: Final = 640
THUMBNAIL_SIZE: Final = 320
_DRAFT_INTERVAL: Final = 1.0
_EDIT_INTERVAL: Final = 3.0
_FIRST_LOOK: Final = 40
"""Characters worth a notification in a group."""
_NO_PREVIEW: Final = LinkPreviewOptions(is_disabled=True)


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
        self._bot, self._spot, self._reply_to = bot, spot, reply_to
        self._head = Rich().add(harmless(name), "bold").add("\n") if name else Rich()
        self._portrait, self._notes, self._markup = portrait, notes, markup
        self._file_limit, self._clock = file_limit, clock or Clock()
        self._drafts = spot.private
        self._draft = secrets.randbelow(2**31 - 1) + 1
        before = before or Before()
        self._shown = [_Shown(int(id), Rich()) for id in before.messages]
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
        return self._file_limit

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
        filming = ChatAction.RECORD_VIDEO_NOTE if self._notes else ChatAction.RECORD_VIDEO
        return self._acting(
            {
                Activity.WRITING: ChatAction.TYPING,
                Activity.SPEAKING: ChatAction.RECORD_VOICE,
                Activity.FILMING: filming,
            }[doing]
        )

    def _acting(self, action: ChatAction) -> AbstractAsyncContextManager[None]:
        return acting(self._bot, self._spot, self._clock, action)

    # -- text

    async def heard(self, text: str) -> None:
        """Shows, quoted, what was understood of a voice message.

        Raises:
            GoneError: there is nowhere to show it any more.
            UnavailableError: Telegram could not be reached for minutes.
        """
        quoted = Rich().add(harmless(text) or "…", MessageEntity.EXPANDABLE_BLOCKQUOTE)
        await _to_its_end(self._quote(split(quoted)[0]))

    async def _quote(self, message: Rich) -> None:
        async with self._working:
            replying = self._quoting(self._reply_to, always=True)
            await self._send(lambda: self._message(message, replying, silently=True))

    async def show(self, pieces: Sequence[str], *, final: bool) -> None:
        """Shows the text so far, whole.

        Raises:
            GoneError: there is nowhere to show it any more.
            UnavailableError: Telegram could not be reached for minutes, or refuses the message.
        """
        await _to_its_end(self._show(pieces, final))

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
                await self._delete(surplus.id)
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
                await self._bot.send_message_draft(
                    self._spot.chat,
                    self._draft,
                    message.text,
                    message_thread_id=self._spot.topic,
                    entities=message.entities,
                )
            except NotNowError:
                pass
            except TelegramError as error:
                # A server of one's own may be too old for drafts.
                log.info("No drafts in this chat: %s", error)
                self._drafts = False
        elif not first or not self._is_short(message):
            with contextlib.suppress(NotNowError):
                await self._say(message, urgency=Urgency.FLEETING)

    def _is_short(self, message: Rich) -> bool:
        return message.units - self._head.units < _FIRST_LOOK

    async def _say(
        self, message: Rich, *, is_end: bool = False, urgency: Urgency = Urgency.WAITS
    ) -> None:
        replying = self._quoting(self._reply_to) if not self._shown else None
        markup = self._markup if is_end else None
        sent = await self._send(lambda: self._message(message, replying, markup, urgency))
        self._shown.append(_Shown(sent.message_id if sent else None, message))

    async def _change(self, index: int, message: Rich, *, passing: bool, is_end: bool) -> None:
        shown = self._shown[index]
        markup = self._markup if is_end else None
        same = shown.message == message and markup is None
        if shown.id is None or same or (passing and self._is_short(message)):
            return
        try:
            await self._bot.edit_message_text(
                message.text,
                chat_id=self._spot.chat,
                message_id=shown.id,
                entities=message.entities,
                reply_markup=markup,
                link_preview_options=_NO_PREVIEW,
                rate_limit_args=Urgency.FLEETING if passing else Urgency.WAITS,
            )
        except NotNowError:
            return
        except ChatMigrated as error:
            # Messages of before are out of reach for it; the text goes on in the new group.
            self._move(error)
            del self._shown[index:]
            await self._say(message, is_end=is_end)
            return
        except TelegramError as error:
            if not is_unchanged(error) and not (passing and may_have_arrived(error)):
                raise translated(error) from error
        shown.message = message

    def _message(
        self,
        message: Rich,
        replying: ReplyParameters | None,
        markup: InlineKeyboardMarkup | None = None,
        urgency: Urgency = Urgency.WAITS,
        *,
        silently: bool = False,
    ) -> Awaitable[Message]:
        return self._bot.send_message(
            self._spot.chat,
            message.text,
            entities=message.entities,
            message_thread_id=self._spot.topic,
            reply_parameters=replying,
            reply_markup=markup,
            link_preview_options=_NO_PREVIEW,
            disable_notification=silently,
            rate_limit_args=urgency,
        )

    async def _delete(self, id: int | None) -> None:
        if id is not None:
            with contextlib.suppress(TelegramError):
                await self._bot.delete_message(self._spot.chat, id)

    async def _clear(self) -> None:
        """Takes away the clip of an earlier answer."""
        while self._outdated:
            await self._delete(self._outdated.pop())

    # -- clip and voice

    async def send_clip(self, clip: Clip) -> None:
        """Sends the clip: a round video note of up to a minute, else a video.

        Raises:
            TooLargeError: not of this size; nothing was sent.
            GoneError: there is nowhere to show it any more.
            UnavailableError: Telegram could not be reached for minutes, or refuses the clip.
        """
        self._check_size(len(clip.data))
        from engine.talkinghead.clips import thumbnail

        is_round = self._notes and clip.duration <= NOTE_SECONDS and clip.size <= NOTE_SIZE
        if is_round:
            clip = await self._rounded(clip)
        picture = None
        with contextlib.suppress(InvalidInputError):
            picture = await asyncio.to_thread(thumbnail, clip, THUMBNAIL_SIZE)
        seconds = max(1, math.ceil(clip.duration))

        def note() -> Awaitable[Message]:
            return self._bot.send_video_note(
                self._spot.chat,
                clip.data,
                duration=min(seconds, int(NOTE_SECONDS)),
                length=clip.size,
                thumbnail=picture,
                filename="persona.mp4",
                **self._beside_text(),
            )

        def video() -> Awaitable[Message]:
            return self._bot.send_video(
                self._spot.chat,
                clip.data,
                duration=seconds,
                width=clip.size,
                height=clip.size,
                thumbnail=picture,
                supports_streaming=True,
                filename="persona.mp4",
                **self._beside_text(),
            )

        if is_round:
            await self._send_file(note, video, ChatAction.UPLOAD_VIDEO_NOTE)
        else:
            await self._send_file(video, None, ChatAction.UPLOAD_VIDEO)

    async def _rounded(self, clip: Clip) -> Clip:
        from bot.telegram.notes import note_of

        if self._portrait is not None:
            # A clip that cannot be brought nearer is shown as it is.
            with contextlib.suppress(ChatAnythingError):
                nearer = await asyncio.to_thread(note_of, clip, self._portrait)
                return nearer if len(nearer.data) <= self._file_limit else clip
        return clip

    async def send_voice(self, speech: Speech) -> None:
        """Sends the sound alone, as a voice note.

        Raises:
            TooLargeError: not of this size; nothing was sent.
            GoneError: there is nowhere to show it any more.
            UnavailableError: Telegram could not be reached for minutes, or refuses it.
        """
        from engine.speech.opus import LEAST_BITRATE, opus_bytes

        data = await asyncio.to_thread(opus_bytes, speech)
        if len(data) > self._file_limit:
            data = await asyncio.to_thread(opus_bytes, speech, bitrate=LEAST_BITRATE)
        self._check_size(len(data))
        seconds = max(1, round(speech.duration))

        def voice() -> Awaitable[Message]:
            return self._bot.send_voice(
                self._spot.chat,
                data,
                duration=seconds,
                filename="voice.ogg",
                **self._beside_text(),
            )

        def audio() -> Awaitable[Message]:
            return self._bot.send_audio(
                self._spot.chat,
                data,
                duration=seconds,
                filename="voice.ogg",
                **self._beside_text(),
            )

        await self._send_file(voice, audio, ChatAction.UPLOAD_VOICE)

    def _check_size(self, size: int) -> None:
        if size > self._file_limit:
            raise TooLargeError(
                f"Telegram takes files of up to {self._file_limit // 1_000_000} MB."
            )

    def _beside_text(self) -> dict[str, Any]:
        """A file says whose it is by answering the text that it belongs to."""
        text = self._shown[0].id if self._shown else None
        return {
            "message_thread_id": self._spot.topic,
            "reply_parameters": self._quoting(text or self._reply_to),
        }

    async def _send_file(
        self,
        first: Callable[[], Awaitable[Message]],
        instead: Callable[[], Awaitable[Message]] | None,
        action: ChatAction,
    ) -> None:
        await _to_its_end(self._put(first, instead, action))

    async def _put(
        self,
        first: Callable[[], Awaitable[Message]],
        instead: Callable[[], Awaitable[Message]] | None,
        action: ChatAction,
    ) -> None:
        async with self._working, self._acting(action):
            sent = await self._send(first, instead)
            if sent is not None:
                self._files.append(sent.message_id)

    # -- all messages

    async def tell(self, reason: str) -> None:
        """Tells who asked a sentence. Never fails."""
        try:
            message = Rich(harmless(reason)[:TEXT_LIMIT])
            replying = self._quoting(self._reply_to)
            await self._send(lambda: self._message(message, replying, silently=True))
        except Exception as error:
            log.info("Nobody could be told %r: %s", reason, error)

    def _quoting(self, to: int | None, *, always: bool = False) -> ReplyParameters | None:
        """Refers to what is answered, where more than two talk."""
        if to is None or (self._spot.private and not always):
            return None
        return ReplyParameters(to, allow_sending_without_reply=True)

    async def _send(
        self,
        send: Callable[[], Awaitable[Message]],
        instead: Callable[[], Awaitable[Message]] | None = None,
    ) -> Message | None:
        """Sends something new; None where Telegram's answer was lost and it may be there."""
        try:
            return await send()
        except NotNowError:
            raise
        except ChatMigrated as error:
            self._move(error)
            return await self._send(send, instead)
        except TelegramError as error:
            if instead is not None and is_kind_forbidden(error):
                return await self._send(instead)
            if may_have_arrived(error):
                # To send it again could show it twice: Telegram has no way to ask.
                log.warning("Telegram's answer to a message was lost: %s", error)
                return None
            raise translated(error) from error

    def _move(self, error: ChatMigrated) -> None:
        log.info("Chat %d has become %d", self._spot.chat, error.new_chat_id)
        self._spot = Spot(error.new_chat_id, self._spot.topic, self._spot.private)
        self._reply_to = None


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Does what must not be broken off: a message that was sent has to be known.

    Who waits for it may be cancelled all the same; what comes next waits for it.
    """
    task = asyncio.ensure_future(work)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    await asyncio.shield(task)
