"""The one webhook in each channel through which personas speak there."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
from weakref import WeakValueDictionary

import aiohttp
import discord

log = logging.getLogger(__name__)

NAME: Final = "ChatAnything"
_CHANNELS: Final = 5_000
"""Channels whose webhook is remembered."""
_REST_SECONDS: Final = 60.0
"""How long a channel where there can be none is not asked again."""

HookChannel = discord.TextChannel | discord.VoiceChannel | discord.StageChannel
Hookable = HookChannel | discord.ForumChannel


class Webhooks:
    """Finds, makes and remembers the application's own webhooks.

    Args:
        client: logged in.
    """

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._known: OrderedDict[int, discord.Webhook] = OrderedDict()
        self._ids: OrderedDict[int, None] = OrderedDict()
        self._none_until: OrderedDict[int, float] = OrderedDict()
        self._looking: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def get(self, channel: Hookable) -> discord.Webhook | None:
        """The webhook of a channel; None where there may be none.

        Raises:
            discord.HTTPException: Discord does not answer.
        """
        lock = self._looking.get(channel.id)
        if lock is None:
            lock = self._looking[channel.id] = asyncio.Lock()
        async with lock:
            known = self._known.get(channel.id)
            if known is not None:
                self._known.move_to_end(channel.id)
                return known
            if not channel.permissions_for(channel.guild.me).manage_webhooks:
                return None
            if self._none_until.get(channel.id, -math.inf) > time.monotonic():
                return None
            try:
                found = await self._find(channel) or await channel.create_webhook(name=NAME)
            except discord.HTTPException as error:
                if error.status >= 500:
                    raise
                # Not allowed after all, or the channel has as many as it may have.
                log.info("No webhook in channel %s: %s", channel.id, error)
                self._none_until[channel.id] = time.monotonic() + _REST_SECONDS
                _bound(self._none_until)
                return None
            found.session = _OnceSession(found.session)  # type: ignore[assignment]
            self._known[channel.id], self._ids[found.id] = found, None
            _bound(self._known)
            _bound(self._ids)
            return found

    def forget(self, channel_id: int, hook: discord.Webhook | None = None) -> None:
        """The webhook of this channel is gone; the next look finds or makes another."""
        known = self._known.get(channel_id)
        if known is not None and (hook is None or known.id == hook.id):
            del self._known[channel_id]

    def is_ours(self, webhook_id: int) -> bool:
        """Whether this is a webhook that personas speak through, as far as is known."""
        return webhook_id in self._ids

    async def _find(self, channel: Hookable) -> discord.Webhook | None:
        me = self._client.user
        for hook in await channel.webhooks():
            ours = hook.user is not None and me is not None and hook.user.id == me.id
            if ours and hook.token and hook.type is discord.WebhookType.incoming:
                return hook
        return None


class _OnceSession:
    """A session that leaves it to us to repeat what was posted.

    The library posts again after a server error, although the message may be there already: a
    webhook's message has no nonce by which Discord would know. Failing at once lets the caller
    look first.
    """

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    @asynccontextmanager
    async def request(
        self, method: str, url: str, **options: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        async with self._session.request(method, url, **options) as response:
            if method == "POST" and response.status >= 500:
                raise UncertainError(0, f"{response.status} {response.reason}")
            yield response


class UncertainError(OSError):
    """Something was posted, and nobody knows whether it arrived."""


def _bound(kept: OrderedDict[int, Any]) -> None:
    while len(kept) > _CHANNELS:
        kept.popitem(last=False)
