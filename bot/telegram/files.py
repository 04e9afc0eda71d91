"""Clips and voices as Telegram takes them: round notes, videos, voice notes, sounds."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Awaitable
from typing import Any, Final

from telegram import Message
from telegram.constants import ChatAction

from bot.chat.base import TooLargeError
from bot.telegram.actions import acting
from bot.telegram.clock import Clock
from bot.telegram.sender import Sender
from engine.speech.base import Speech
from engine.talkinghead.base import Clip
from personas.errors import ChatAnythingError, InvalidInputError
from personas.persona import Portrait

FILE_LIMIT: Final = 50_000_000
NOTE_SECONDS: Final = 60.0
NOTE_SIZE: Final = 640
THUMBNAIL_SIZE: Final = 320


class Files:
    """Sends files of one answer.

    Args:
        sender: on whose way they go.
        portrait: of the persona: where its face is in a clip.
        notes: whether clips are round; False sends videos.
        limit: bytes of a file.
        clock: what time it is.
    """

    def __init__(
        self,
        sender: Sender,
        *,
        portrait: Portrait | None,
        notes: bool,
        limit: int,
        clock: Clock,
    ) -> None:
        self._sender, self._portrait, self._notes = sender, portrait, notes
        self.limit, self._clock = limit, clock

    @property
    def filming(self) -> ChatAction:
        """What people see while a clip is made."""
        return ChatAction.RECORD_VIDEO_NOTE if self._notes else ChatAction.RECORD_VIDEO

    def check(self, size: int) -> None:
        """Checks that a file may be so large.

        Raises:
            TooLargeError: it may not.
        """
        if size > self.limit:
            raise TooLargeError(f"Telegram takes files of up to {self.limit / 1_000_000:.0f} MB.")

    async def clip(self, clip: Clip, beside: int | None) -> int | None:
        """Sends a clip: round, of up to a minute, else a video.

        Args:
            clip: what is sent.
            beside: the message that it refers to.

        Returns:
            The id of its message; None where Telegram's answer was lost.

        Raises:
            ChatAnythingError: it cannot be sent; see `Sender.once`.
        """
        from engine.talkinghead.clips import thumbnail

        is_round = self._notes and clip.duration <= NOTE_SECONDS and clip.size <= NOTE_SIZE
        if is_round:
            clip = await self._rounded(clip)
        picture = None
        with contextlib.suppress(InvalidInputError):
            picture = await asyncio.to_thread(thumbnail, clip, THUMBNAIL_SIZE)
        sender, seconds = self._sender, max(1, math.ceil(clip.duration))
        shape: dict[str, Any] = {"thumbnail": picture, "filename": "persona.mp4"}

        def note() -> Awaitable[Message]:
            return sender.bot.send_video_note(
                sender.spot.chat,
                clip.data,
                duration=min(seconds, int(NOTE_SECONDS)),
                length=clip.size,
                **shape,
                **self._place(beside),
            )

        def video() -> Awaitable[Message]:
            return sender.bot.send_video(
                sender.spot.chat,
                clip.data,
                duration=seconds,
                width=clip.size,
                height=clip.size,
                supports_streaming=True,
                **shape,
                **self._place(beside),
            )

        action = ChatAction.UPLOAD_VIDEO_NOTE if is_round else ChatAction.UPLOAD_VIDEO
        async with acting(sender.bot, sender.spot, self._clock, action):
            sent = await sender.once(note, video) if is_round else await sender.once(video)
        return sent.message_id if sent is not None else None

    async def _rounded(self, clip: Clip) -> Clip:
        from bot.telegram.notes import note_of

        if self._portrait is not None:
            # A clip that cannot be brought nearer is shown as it is.
            with contextlib.suppress(ChatAnythingError):
                nearer = await asyncio.to_thread(note_of, clip, self._portrait)
                return nearer if len(nearer.data) <= self.limit else clip
        return clip

    async def encoded(self, speech: Speech) -> bytes:
        """A speech as OGG with Opus, as small as need be.

        Raises:
            TooLargeError: it is longer than a file may be.
        """
        from engine.speech.opus import LEAST_BITRATE, opus_bytes

        data = await asyncio.to_thread(opus_bytes, speech)
        if len(data) > self.limit:
            data = await asyncio.to_thread(opus_bytes, speech, bitrate=LEAST_BITRATE)
        self.check(len(data))
        return data

    async def voice(self, data: bytes, seconds: float, beside: int | None) -> int | None:
        """Sends a voice note; to who takes none, a sound.

        Args:
            data: OGG with Opus.
            seconds: its length.
            beside: the message that it refers to.

        Returns:
            The id of its message; None where Telegram's answer was lost.

        Raises:
            ChatAnythingError: it cannot be sent; see `Sender.once`.
        """
        sender = self._sender
        shape: dict[str, Any] = {"duration": max(1, round(seconds)), "filename": "voice.ogg"}

        def voice() -> Awaitable[Message]:
            return sender.bot.send_voice(sender.spot.chat, data, **shape, **self._place(beside))

        def audio() -> Awaitable[Message]:
            return sender.bot.send_audio(sender.spot.chat, data, **shape, **self._place(beside))

        async with acting(sender.bot, sender.spot, self._clock, ChatAction.UPLOAD_VOICE):
            sent = await sender.once(voice, audio)
        return sent.message_id if sent is not None else None

    def _place(self, beside: int | None) -> dict[str, Any]:
        """A file says whose it is by answering the text that it belongs to."""
        sender = self._sender
        return {
            "message_thread_id": sender.spot.topic,
            "reply_parameters": sender.quoting(beside or sender.reply_to),
        }
