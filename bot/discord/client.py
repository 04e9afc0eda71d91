"""PersonaBot: what happens on Discord goes to the chat."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import Any, Final

import discord
from discord.ext import commands

from bot.chat.base import Place
from bot.chat.pending import Pending
from bot.chat.succession import Succession
from bot.discord.answers import AnswerButton
from bot.discord.cards import CardButton
from bot.discord.commands import Tree, add_commands
from bot.discord.commands.limits import LimitsButton
from bot.discord.commands.rules import ChannelMenu, RuleMenu
from bot.discord.context import UNEXPECTED, Context, whisper
from bot.discord.creating import resume
from bot.discord.failures import persistently
from bot.discord.gallery import Meet, PageButton
from bot.discord.invite import invite_url
from bot.discord.places import channel_id, channel_named, incoming, is_served_by
from bot.discord.settings import DiscordSettings
from bot.discord.speakers import NOBODY
from bot.output import say
from engine.observing import arriving
from personas.errors import ChatAnythingError, UnavailableError
from personas.gallery import gallery_id

log = logging.getLogger(__name__)

_UNHEARD: Final = (
    "I cannot read this reply. Press **Reply** under my words, mention {bot}, or use **/ask**."
)


def intents_of(settings: DiscordSettings) -> discord.Intents:
    """The least that is needed.

    Guilds: channels, threads and roles, to know what may be done where. Messages: mentions of the
    bot and private chats. Their content, beyond those, only where it was asked for.
    """
    return discord.Intents(
        guilds=True,
        guild_messages=True,
        dm_messages=True,
        message_content=settings.message_content,
    )


class PersonaBot(commands.AutoShardedBot):
    """The client of the library.

    Args:
        settings: how it is set up.
        options: for the library.

    Attributes:
        context: the chat and the stage; set before it logs in.
    """

    context: Context

    def __init__(self, settings: DiscordSettings, **options: Any) -> None:
        if settings.shard_count:
            options["shard_count"] = settings.shard_count
        if settings.shard_ids:
            options["shard_ids"] = list(settings.shard_ids)
        self._succession: Succession | None = None
        super().__init__(
            commands.when_mentioned,
            intents=intents_of(settings),
            help_command=None,
            tree_cls=Tree,
            allowed_mentions=NOBODY,
            **options,
        )
        self.settings = settings

    async def setup_hook(self) -> None:
        """Makes commands and buttons known, also those of messages from before a restart."""
        self.add_dynamic_items(
            AnswerButton, CardButton, PageButton, Meet, RuleMenu, ChannelMenu, LimitsButton
        )
        add_commands(self.tree)
        if self.settings.sync_commands and 0 in (self.settings.shard_ids or (0,)):
            await self._sync()

    async def _sync(self) -> None:
        if not self.settings.sync_guilds:
            await self.tree.sync()
            return
        for id in self.settings.sync_guilds:
            guild = discord.Object(id)
            self.tree.copy_global_to(guild=guild)
            await self.tree.sync(guild=guild)

    async def on_ready(self) -> None:
        """Says where it is, and how it gets to a server."""
        count = "1 server" if len(self.guilds) == 1 else f"{len(self.guilds)} servers"
        say(f"On Discord as {self.user}, in {count}.")
        if not self.guilds and self.application_id is not None:
            say(f"Invite it: {invite_url(self.application_id)}")
        if self._succession is None:
            self._succession = Succession(self._take_over, self.context.chat.takeover_seconds)
            self._succession.begin()

    async def _take_over(self) -> None:
        """Goes on with what processes that have ended were making and answering here."""
        takes = partial(is_served_by, self)
        for pending in await self.context.chat.replies.take_over("discord", takes):
            self.context.go_on(self._answer_on(pending))
        for making in await self.context.chat.makings.take_over("discord", takes):
            self.context.go_on(resume(self.context, making))

    async def _answer_on(self, pending: Pending) -> None:
        """Goes on with an answer, unless what it answers was deleted meanwhile."""
        asked, replies = pending.question, self.context.chat.replies
        try:
            channel: Any = await channel_named(self, asked.place.channel)
            message = await persistently(lambda: channel.fetch_message(int(asked.message)))
        except UnavailableError as error:
            log.info("Later: %s", error)
            await pending.leave()
        except ChatAnythingError as error:
            log.info("Nobody waits for answer %s any more: %s", pending.id, error)
            await pending.end(refund=not pending.is_begun)
        else:
            said = incoming(message, self.user) if self.user is not None else None
            sound = said.sound if said is not None else None
            work = replies.resume(pending, self._opener(message), sound)
            await self._received(message, work)

    async def on_message(self, message: discord.Message) -> None:
        """Lets the chat answer a message, if it is for somebody."""
        if self.user is None:
            return
        said = incoming(message, self.user)
        if said is None:
            return
        arriving(f"{said.place.channel}/{said.id}")
        if not said.text and said.sound is None and said.reply_to:
            await self._unheard(message)
            return
        self.context.go_on(
            self._received(message, self.context.chat.replies.receive(said, self._opener(message)))
        )

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        """Lets the chat answer anew what was changed while it is still the last word."""
        message, before = payload.message, payload.cached_message
        if self.user is None or message.edited_at is None:
            return  # a preview of a link came, and nobody changed anything
        if before is not None and before.content == message.content:
            return
        said = incoming(message, self.user)
        if said is not None and said.text:
            arriving(f"{said.place.channel}/{said.id}/edited")
            work = self.context.chat.replies.edited(said, self._opener(message))
            self.context.go_on(self._received(message, work))

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        """Nobody answers what was taken back, or remembers what a moderator has deleted."""
        self.context.go_on(self._deleted(payload, {payload.message_id}))

    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        """Likewise, for many messages at once."""
        self.context.go_on(self._deleted(payload, payload.message_ids))

    async def _deleted(
        self,
        payload: discord.RawMessageDeleteEvent | discord.RawBulkMessageDeleteEvent,
        messages: set[int],
    ) -> None:
        """The library knows no private chats and no archived threads: their ids have to do."""
        channel, replies = channel_id(payload.channel_id), self.context.chat.replies
        for message in messages:
            await replies.retract(channel, str(message))
            # In a private chat, only the bot itself deletes what it has said.
            if payload.guild_id is None or self.context.stage.posts.was_dropped(message):
                continue
            # What is gone is forgotten, whoever may read there.
            place = Place(gallery_id("discord", payload.guild_id), channel, adult=True)
            await replies.deleted(place, str(message))

    def _opener(self, message: discord.Message) -> Any:
        async def tell(sentence: str) -> None:
            await whisper(self.context, message, sentence)

        return self.context.opener(message.channel, tell, message.id)

    async def _received(self, message: discord.Message, work: Any) -> None:
        """Tells who wrote why there is no answer."""
        try:
            await work
        except ChatAnythingError as error:
            await whisper(self.context, message, str(error))
        except Exception:
            log.exception("A message could not be answered")
            await whisper(self.context, message, UNEXPECTED)

    async def _unheard(self, message: discord.Message) -> None:
        """Says how to be heard to who replies to a persona where replies cannot be read."""
        if self.settings.message_content or message.guild is None or self.user is None:
            return
        reference = message.reference
        if reference is None or not isinstance(reference.resolved, discord.Message):
            return
        webhook = reference.resolved.webhook_id
        if webhook is not None and self.context.stage.webhooks.is_ours(webhook):
            await whisper(self.context, message, _UNHEARD.format(bot=self.user.mention))

    async def finish(self, grace: float) -> None:
        """Ends what goes on: messages that are being taken, personas that are being made.

        What takes longer than `grace` seconds is broken off, and says so where it is seen.
        """
        if self._succession is not None:
            await self._succession.end()
        tasks = set(self.context.tasks)
        if tasks:
            await asyncio.wait(tasks, timeout=grace)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
