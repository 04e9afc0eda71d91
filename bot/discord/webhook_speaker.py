"""A persona's own voice: through the webhook of a channel, with its name and face."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Container
from datetime import timedelta
from typing import Any, Final
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
from bot.discord.speakers import (
    MESSAGE_LIMIT,
    NOBODY,
    Upload,
    VoiceLostError,
    belongs_to,
    deleted,
    recent,
)
from bot.discord.webhooks import Hookable, Webhooks

log = logging.getLogger(__name__)

_RECENT: Final = 512
_DOUBT: Final = timedelta(seconds=30)
"""How much older than our clock says a message may be that was just posted."""


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

    async def find(self, answer: str, known: Container[int], since: int | None) -> int | None:
        """A message of an answer that nobody knows of.

        Without the message-content intent buttons are seen only by asking the webhook itself.
        """
        async for message in recent(self._channel, since):
            if message.webhook_id != self._hook.id or message.id in known:
                continue
            whole: discord.Message = message
            if not message.components:
                try:
                    whole = await self._hook.fetch_message(message.id, **self._where)
                except (discord.HTTPException, *Lost) as error:
                    log.info("A message cannot be read: %s", error)
                    continue
            if belongs_to(whole, answer):
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
        return await deleted(lambda: self._hook.delete_message(message_id, **self._where))

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
