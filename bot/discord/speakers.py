"""Speaking in a channel: what all ways have in common, and the bot's own voice."""

from __future__ import annotations

import io
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Container
from dataclasses import dataclass
from typing import Any, Final, Protocol

import discord

from bot.discord.failures import Lost, persistently

log = logging.getLogger(__name__)

NOBODY: Final = discord.AllowedMentions.none()
MESSAGE_LIMIT: Final = 2_000
_LOOKED_AT: Final = 50


class VoiceLostError(Exception):
    """The webhook is gone; another way to speak must be found."""


@dataclass(frozen=True)
class Upload:
    """A file on its way up; the library's own kind can be read only once."""

    name: str
    data: bytes

    def file(self) -> discord.File:
        """For one request."""
        return discord.File(io.BytesIO(self.data), filename=self.name)


class Speaker(Protocol):
    """Writes, changes and deletes messages in one channel for one persona.

    All raise `GoneError` where nothing can be written any more, `TooLargeError` for files, and
    `VoiceLostError`.
    """

    @property
    def room(self) -> int:
        """Characters that a message has for text."""

    async def send(
        self, text: str, *, view: discord.ui.View | None = None, upload: Upload | None = None
    ) -> int:
        """Writes a message once and returns its id."""

    async def find(self, answer: str, known: Container[int], since: int | None) -> int | None:
        """A message of an answer that was posted by a process which died before it knew.

        Args:
            answer: stands in the ids of its buttons.
            known: messages that it is not.
            since: an older message.
        """

    async def edit(
        self,
        message_id: int,
        *,
        text: str | None = None,
        view: discord.ui.View | None = None,
        uploads: tuple[Upload, ...] | None = None,
    ) -> None:
        """Changes a message: its buttons to those of `view`; text and files where given."""

    async def delete(self, message_id: int) -> bool:
        """Deletes a message, if it can; whether it is gone. Never fails."""


class OwnSpeaker:
    """The bot's own voice: the persona's name above its words, and those in a quotation.

    Nothing ends a quotation that lasts to the end of the message, so no text can pretend to
    be the name of somebody else.

    Args:
        channel: where.
        header: name and face of the persona, in Discord's markup, made by us.
        reply_to: the message that is answered, if any.
    """

    def __init__(
        self,
        channel: discord.abc.MessageableChannel,
        header: str,
        reply_to: int | None = None,
    ) -> None:
        self._channel = channel
        self._header = header
        self._reply_to = reply_to

    @property
    def room(self) -> int:
        """Characters that a message has for text."""
        return MESSAGE_LIMIT - len(self._header) - len("\n>>> ")

    async def send(
        self, text: str, *, view: discord.ui.View | None = None, upload: Upload | None = None
    ) -> int:
        """Writes a message; its nonce lets Discord tell a repeated request from a new one."""
        options: dict[str, Any] = {"nonce": secrets.token_hex(12), "suppress_embeds": True}
        if view is not None:
            options["view"] = view
        if self._reply_to is not None:
            options["reference"] = discord.MessageReference(
                message_id=self._reply_to, channel_id=self._channel.id, fail_if_not_exists=False
            )

        async def send() -> discord.Message:
            if upload is not None:
                options["file"] = upload.file()
            return await self._channel.send(
                self._whole(text), allowed_mentions=NOBODY, mention_author=False, **options
            )

        return (await persistently(send)).id

    async def find(self, answer: str, known: Container[int], since: int | None) -> int | None:
        """A message of an answer that nobody knows of."""
        async for message in recent(self._channel, since):
            if message.id not in known and belongs_to(message, answer):
                return message.id
        return None

    async def edit(
        self,
        message_id: int,
        *,
        text: str | None = None,
        view: discord.ui.View | None = None,
        uploads: tuple[Upload, ...] | None = None,
    ) -> None:
        """Changes a message."""
        message = self._message(message_id)

        async def edit() -> object:
            options: dict[str, Any] = {}
            if text is not None:
                options["content"] = self._whole(text)
            if uploads is not None:
                options["attachments"] = [upload.file() for upload in uploads]
            return await message.edit(view=view, allowed_mentions=NOBODY, **options)

        await persistently(edit)

    async def delete(self, message_id: int) -> bool:
        """Deletes a message."""
        return await deleted(self._message(message_id).delete)

    def _whole(self, text: str) -> str:
        whole = f"{self._header}\n>>> {text}" if text else self._header
        return whole[:MESSAGE_LIMIT]

    def _message(self, message_id: int) -> discord.PartialMessage:
        return discord.PartialMessage(channel=self._channel, id=message_id)


async def deleted(delete: Callable[[], Awaitable[object]]) -> bool:
    """Deletes something, if it can; whether it is gone. Never fails."""
    try:
        await persistently(delete)
    except Exception as error:
        log.info("Not deleted: %s", error)
        return False
    return True


async def recent(channel: Any, since: int | None) -> AsyncIterator[discord.Message]:
    """The messages of a channel after another one, as far as they can be read."""
    after = discord.Object(since) if since is not None else None
    try:
        async for message in channel.history(limit=_LOOKED_AT, after=after, oldest_first=False):
            yield message
    except (discord.HTTPException, *Lost) as error:
        log.info("The channel's history cannot be read: %s", error)


def belongs_to(message: discord.Message, answer: str) -> bool:
    """Whether the buttons of a message say that it is of this answer."""
    rows = [row for row in message.components if isinstance(row, discord.ActionRow)]
    ids = [getattr(one, "custom_id", None) or "" for row in rows for one in row.children]
    return any(id.endswith(f":{answer}") for id in ids)
