"""Two ways to speak in a channel: through its webhook as the persona, or as the bot itself."""

from __future__ import annotations

import asyncio
import io
import logging
import secrets
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Protocol
from weakref import WeakValueDictionary

import discord

from bot.discord.failures import (
    PAUSES,
    UNKNOWN_WEBHOOK,
    Lost,
    explained,
    is_passing,
    persistently,
)
from bot.discord.webhooks import Hookable, Webhooks

log = logging.getLogger(__name__)

NOBODY: Final = discord.AllowedMentions.none()
MESSAGE_LIMIT: Final = 2_000
_RECENT: Final = 512
_DOUBT: Final = timedelta(seconds=30)


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
        return await _deleted(self._message(message_id).delete)

    def _whole(self, text: str) -> str:
        whole = f"{self._header}\n>>> {text}" if text else self._header
        return whole[:MESSAGE_LIMIT]

    def _message(self, message_id: int) -> discord.PartialMessage:
        return discord.PartialMessage(channel=self._channel, id=message_id)


class Posts:
    """What was posted of late, what was deleted by us, and that one thing is posted at a time.

    A message of a webhook that is there and unknown must be the one that was just posted; and one
    that is gone although we did not delete it was deleted by somebody.
    """

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._recent: deque[int] = deque(maxlen=_RECENT)
        self._dropped: deque[int] = deque(maxlen=_RECENT)

    def lock(self, hook_id: int) -> asyncio.Lock:
        """Held while something is posted."""
        lock = self._locks.get(hook_id)
        if lock is None:
            lock = self._locks[hook_id] = asyncio.Lock()
        return lock

    def add(self, message_id: int) -> None:
        """This message is known."""
        self._recent.append(message_id)

    def __contains__(self, message_id: int) -> bool:
        return message_id in self._recent

    def drop(self, message_id: int) -> None:
        """This message is going to be deleted by us."""
        self._dropped.append(message_id)

    def was_dropped(self, message_id: int) -> bool:
        """Whether it was us who deleted this message."""
        return message_id in self._dropped


class WebhookSpeaker:
    """A persona's own voice: its name and face on each message.

    Args:
        client: sees the messages that arrive.
        webhooks: knows the webhook.
        posts: what was posted of late; one for all.
        hook: the webhook.
        channel: where: the webhook's channel or a thread in it.
        username: as Discord takes it.
        avatar: the address of its face.
    """

    def __init__(
        self,
        client: discord.Client,
        webhooks: Webhooks,
        posts: Posts,
        hook: discord.Webhook,
        channel: Hookable | discord.Thread,
        username: str,
        avatar: str | None,
    ) -> None:
        self._client = client
        self._webhooks = webhooks
        self._posts = posts
        self._hook = hook
        self._channel = channel
        self._who: dict[str, Any] = {"username": username}
        if avatar is not None:
            self._who["avatar_url"] = avatar
        self._where: dict[str, Any] = {}
        if isinstance(channel, discord.Thread):
            self._where["thread"] = channel

    @property
    def room(self) -> int:
        """Characters that a message has for text."""
        return MESSAGE_LIMIT

    async def send(
        self, text: str, *, view: discord.ui.View | None = None, upload: Upload | None = None
    ) -> int:
        """Writes a message; where it may have arrived, looks before it is written again."""
        options: dict[str, Any] = dict(self._where)
        if view is not None:
            options["view"] = view
        async with self._posts.lock(self._hook.id):
            since = discord.utils.time_snowflake(discord.utils.utcnow() - _DOUBT)
            for pause in (*PAUSES, None):
                if upload is not None:
                    options["file"] = upload.file()
                try:
                    sent = await self._hook.send(
                        text or discord.utils.MISSING,
                        wait=True,
                        allowed_mentions=NOBODY,
                        suppress_embeds=True,
                        **self._who,
                        **options,
                    )
                except (discord.HTTPException, *Lost) as error:
                    if pause is None or not is_passing(error):
                        raise self._explained(error) from error
                    log.info("Webhook: %s; looking again in %.1f s", error, pause)
                    await asyncio.sleep(pause)
                    found = await self._arrived(text, since)
                    if found is None:
                        continue
                    self._posts.add(found)
                    return found
                self._posts.add(sent.id)
                return sent.id
        raise AssertionError("unreachable")

    async def edit(
        self,
        message_id: int,
        *,
        text: str | None = None,
        view: discord.ui.View | None = None,
        uploads: tuple[Upload, ...] | None = None,
    ) -> None:
        """Changes a message."""

        async def edit() -> object:
            options: dict[str, Any] = dict(self._where)
            if text is not None:
                options["content"] = text
            if uploads is not None:
                options["attachments"] = [upload.file() for upload in uploads]
            try:
                return await self._hook.edit_message(
                    message_id, view=view, allowed_mentions=NOBODY, **options
                )
            except discord.HTTPException as error:
                if error.code == UNKNOWN_WEBHOOK:
                    raise self._explained(error) from error
                raise

        await persistently(edit)

    async def delete(self, message_id: int) -> bool:
        """Deletes a message."""
        return await _deleted(lambda: self._hook.delete_message(message_id, **self._where))

    def _explained(self, error: BaseException) -> Exception:
        if isinstance(error, discord.HTTPException) and error.code == UNKNOWN_WEBHOOK:
            self._webhooks.forget(self._hook.channel_id or 0, self._hook)
            return VoiceLostError("The webhook was deleted.")
        return explained(error)

    async def _arrived(self, text: str, since: int) -> int | None:
        """The id of what was just posted, if it is there after all.

        Without the message-content intent texts are not seen; then the name must do.
        """

        def is_it(message: discord.Message) -> bool:
            return (
                message.webhook_id == self._hook.id
                and message.channel.id == self._channel.id
                and message.id > since
                and message.id not in self._posts
                and message.author.name == self._who["username"]
                and message.content in ("", text)
            )

        seen = next((message for message in self._client.cached_messages if is_it(message)), None)
        if seen is not None:
            return seen.id
        if isinstance(self._channel, discord.ForumChannel):
            return None
        try:
            async for message in self._channel.history(limit=25):
                if is_it(message):
                    return message.id
        except (discord.HTTPException, *Lost) as error:
            log.info("The channel's history cannot be read: %s", error)
        return None


async def _deleted(delete: Callable[[], Awaitable[object]]) -> bool:
    try:
        await persistently(delete)
    except Exception as error:
        log.info("Not deleted: %s", error)
        return False
    return True
