"""DiscordOutlet: one answer of one persona as messages of a channel."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import discord

from bot.chat.base import Activity, Before, GoneError, TooLargeError
from bot.chat.calls import handing_over, to_its_end
from bot.discord.failures import Lost
from bot.discord.names import harmless
from bot.discord.speakers import OwnSpeaker, Speaker, Upload, VoiceLostError
from bot.discord.stage import Buttons, Stage
from bot.discord.voice_messages import FILE, send_voice_message
from engine.speech.base import Speech
from engine.speech.opus import opus_bytes
from engine.talkinghead.base import Clip
from personas.persona import Persona
from personas.text import shorten

log = logging.getLogger(__name__)

Tell = Callable[[str], Awaitable[None]]

INTERVAL: Final = 1.25
"""Seconds between two edits: Discord takes about five in five seconds in one channel."""
TEXT_LIMIT: Final = 1_800
"""Characters of a message: what is left beside the longest name in the bot's own voice."""
_TYPING_SECONDS: Final = 8.0
"""Discord shows for ten seconds that somebody is typing."""
_MULTIPART: Final = 16_384
"""Bytes of a request beside its file."""
_NOTHING: Final = Before()
_ID: Final = 16
"""Characters by which a message is found: an id of a button has a hundred."""


@dataclass
class _Shown:
    """A message of the answer.

    Attributes:
        id: on Discord.
        text: what people see of it so far, with what an earlier message of it shows.
        buttons: under it.
        skip: how many characters of the text an earlier message shows, which was lost.
        old: it is from an earlier answer, whose place this one takes.
        fixed: nothing can change it any more.
    """

    id: int
    text: str = ""
    buttons: Buttons = Buttons.NONE
    skip: int = 0
    old: bool = False
    fixed: bool = False


class DiscordOutlet:
    """Shows one answer; see `bot.chat.base.Outlet`.

    Args:
        stage: how personas speak here.
        channel: where.
        persona: who speaks.
        tell: says something to who asked.
        reply_to: the message that is answered, if any.
        before: the messages of an earlier answer, which this one replaces.
    """

    def __init__(
        self,
        stage: Stage,
        channel: discord.abc.MessageableChannel,
        persona: Persona,
        tell: Tell,
        *,
        reply_to: int | None = None,
        before: Before = _NOTHING,
    ) -> None:
        self._stage = stage
        self._channel = channel
        self._persona = persona
        self._tell = tell
        self._reply_to = reply_to
        self._messages = [_Shown(int(id), old=True) for id in before.messages if id]
        self._answer, self._journal = before.answer[:_ID], before.journal
        self._in_doubt = before.again
        self._old_files = [int(id) for id in before.files]
        self._lost: list[int] = []
        self._files: list[int] = []
        self._speaker: Speaker | None = None
        self._working = asyncio.Lock()

    @property
    def text_limit(self) -> int:
        """Characters that one message may have."""
        return TEXT_LIMIT

    @property
    def interval(self) -> float:
        """Seconds between two looks of a text that is being written."""
        return INTERVAL

    @property
    def file_limit(self) -> int:
        """Bytes that one file may have here."""
        guild = getattr(self._channel, "guild", None)
        limit = (
            guild.filesize_limit
            if isinstance(guild, discord.Guild)
            else discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES
        )
        return limit - _MULTIPART

    @property
    def message_ids(self) -> tuple[str, ...]:
        """The messages that the text has become so far, in order."""
        shown = [message.id for message in self._messages if not message.old]
        return tuple(str(id) for id in (*self._lost, *shown))

    @property
    def file_ids(self) -> tuple[str, ...]:
        """The messages that hold a clip or a sound and no text, so far."""
        return tuple(str(id) for id in self._files)

    async def heard(self, text: str) -> None:
        """Shows, quoted, what was understood of a voice message.

        Raises:
            GoneError: there is nowhere to show it any more.
        """
        await to_its_end(self._quote(text))

    @contextlib.asynccontextmanager
    async def activity(self, doing: Activity) -> AsyncIterator[None]:
        """Shows that the bot is typing; Discord knows no other way to be busy."""
        typing = asyncio.create_task(self._keep_typing())
        try:
            yield
        finally:
            typing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await typing

    async def show(self, pieces: Sequence[str], *, final: bool) -> None:
        """Shows the text so far.

        Raises:
            GoneError: there is nowhere to show it any more.
        """
        await to_its_end(self._show(pieces, final))

    async def send_clip(self, clip: Clip) -> None:
        """Puts the clip on the last message of the text, or right after it.

        Raises:
            TooLargeError: not of this size; nothing was sent.
            GoneError: there is nowhere to show it any more.
        """
        upload = self._upload(f"{self._persona.slug}.mp4", clip.data)
        await to_its_end(self._attach(upload))

    async def send_voice(self, speech: Speech) -> None:
        """Sends a voice message, or where that is not allowed a sound file with the text.

        Raises:
            TooLargeError: not of this size; nothing was sent.
            GoneError: there is nowhere to show it any more.
        """
        data = await asyncio.to_thread(opus_bytes, speech)
        await to_its_end(self._say(speech, self._upload(FILE, data)))

    async def tell(self, reason: str) -> None:
        """Tells who asked."""
        try:
            await self._tell(reason)
        except Exception as error:
            log.info("Nobody could be told %r: %s", reason, error)

    def _upload(self, name: str, data: bytes) -> Upload:
        if len(data) > self.file_limit:
            raise TooLargeError("Discord takes no file of this size here.")
        return Upload(name, data)

    async def _show(self, pieces: Sequence[str], final: bool) -> None:
        async with self._working:
            # A message is found again by its buttons, so each has some until it is known.
            for _ in range(2):
                for place, text in enumerate(pieces):
                    buttons = Buttons.NONE
                    if place == len(pieces) - 1:
                        buttons = Buttons.DONE if final else Buttons.WRITING
                    await self._put(place, harmless(text), buttons)
            if final:
                await self._drop([message.id for message in self._messages[len(pieces) :]])
                del self._messages[len(pieces) :]
                # What was said before is not what is said now.
                await self._drop(self._old_files)
                self._old_files.clear()

    async def _quote(self, text: str) -> None:
        """Answers with what was heard, in the bot's own voice: no persona says it."""
        speaker = OwnSpeaker(self._channel, "🎙️", self._reply_to)
        await speaker.send(harmless(shorten(text, TEXT_LIMIT)))

    async def _say(self, speech: Speech, upload: Upload) -> None:
        async with self._working:
            last = self._messages[-1].id if self._messages else self._reply_to
            if self._may_send_voice_messages():
                try:
                    async with handing_over(self._journal, "file"):
                        sent = await send_voice_message(
                            self._stage.client, self._channel.id, speech, upload, last
                        )
                except GoneError as error:
                    log.info("No voice message: %s", error.__cause__ or error)
                else:
                    self._files.append(sent)
                    if self._journal is not None:
                        await self._journal.sent("file", str(sent))
                    return
        await self._attach(Upload(f"{self._persona.slug}.ogg", upload.data))

    async def _put(self, place: int, text: str, buttons: Buttons) -> None:
        """Makes the message at `place` say `text`."""
        if place >= len(self._messages):
            lost = await self._find()
            if lost is None:
                first = Buttons.WRITING if self._answer and buttons is Buttons.NONE else buttons
                self._messages.append(_Shown(await self._send(text, first), text, first))
                return
            self._messages.append(_Shown(lost, old=True))
        message = self._messages[place]
        if message.fixed or (message.text, message.buttons, message.old) == (text, buttons, False):
            return
        shown = text[message.skip :]
        speaker = await self._voice()
        try:
            await speaker.edit(
                message.id,
                text=shown if text != message.text else None,
                view=self._stage.buttons(buttons, self._answer),
                uploads=() if message.old else None,
            )
        except VoiceLostError:
            self._speaker = None
            await self._go_on(message, text, buttons)
        except GoneError:
            if not message.old:
                raise
            # What the earlier answer was on is gone, or was said in another voice.
            await self._drop([message.id])
            message.id = await self._send(text, buttons)
        message.text, message.buttons, message.old = text, buttons, False

    async def _find(self) -> int | None:
        """The message that a killed process has posted and could not tell of."""
        if not self._in_doubt:
            return None
        self._in_doubt = False
        known = {message.id for message in self._messages}
        speaker = await self._voice()
        found = await speaker.find(self._answer, known, self._reply_to)
        if found is not None and self._journal is not None:
            await self._journal.sent("text", str(found))
        return found

    async def _go_on(self, message: _Shown, text: str, buttons: Buttons) -> None:
        """Writes anew what a lost webhook wrote, or what it did not write any more."""
        if message.old or await self._stage.remove(self._channel, message.id):
            message.skip = 0
        else:
            self._lost.append(message.id)
            message.skip = len(message.text) if text.startswith(message.text) else 0
        rest = text[message.skip :]
        if rest.strip():
            message.id = await self._send(rest, buttons)
        else:
            message.fixed = True

    async def _send(
        self, text: str, buttons: Buttons = Buttons.NONE, upload: Upload | None = None
    ) -> int:
        id = await self._send_once(text, self._stage.buttons(buttons, self._answer), upload)
        if self._journal is not None:
            await self._journal.sent("text" if upload is None else "file", str(id))
        return id

    async def _send_once(
        self, text: str, view: discord.ui.View | None, upload: Upload | None
    ) -> int:
        for _ in range(2):
            speaker = await self._voice()
            try:
                return await speaker.send(text, view=view, upload=upload)
            except VoiceLostError:
                self._speaker = None
        # Somebody deletes the webhooks as fast as they are made.
        self._speaker = await self._stage.own_speaker(self._channel, self._persona, self._reply_to)
        return await self._speaker.send(text, view=view, upload=upload)

    async def _attach(self, upload: Upload) -> None:
        """Puts a file on the last message, or on one of its own."""
        async with self._working:
            last = self._messages[-1] if self._messages else None
            if last is not None and not last.fixed:
                speaker = await self._voice()
                try:
                    await speaker.edit(
                        last.id,
                        view=self._stage.buttons(last.buttons, self._answer),
                        uploads=(upload,),
                    )
                    return
                except VoiceLostError:
                    self._speaker = None
            async with handing_over(self._journal, "file"):
                self._files.append(await self._send("", upload=upload))

    async def _drop(self, messages: Sequence[int]) -> None:
        if messages:
            speaker = await self._voice()
            for message in messages:
                self._stage.posts.drop(message)
                # A voice message was sent by the bot, not by the webhook.
                if not await speaker.delete(message):
                    await self._stage.remove(self._channel, message, own=True)

    async def _voice(self) -> Speaker:
        if self._speaker is None:
            self._speaker = await self._stage.speaker(self._channel, self._persona, self._reply_to)
        return self._speaker

    def _may_send_voice_messages(self) -> bool:
        guild = getattr(self._channel, "guild", None)
        if not isinstance(guild, discord.Guild):
            return True
        return self._channel.permissions_for(guild.me).send_voice_messages

    async def _keep_typing(self) -> None:
        with contextlib.suppress(discord.HTTPException, *Lost):
            while True:
                await self._stage.client.http.send_typing(self._channel.id)
                await asyncio.sleep(_TYPING_SECONDS)
