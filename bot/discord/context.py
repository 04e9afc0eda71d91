"""What every command and button needs, and how they answer the person who used them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import discord

from bot.chat.base import Before, OpenOutlet, Outlet
from bot.discord.failures import Lost
from bot.discord.outlet import DiscordOutlet, Tell
from bot.discord.speakers import NOBODY
from bot.discord.stage import Stage
from engine.observing import arriving
from personas.errors import ChatAnythingError

if TYPE_CHECKING:
    from bot.chat.chat import Chat
    from personas.persona import Persona

log = logging.getLogger(__name__)

UNEXPECTED: Final = "Something went wrong in the program. The log says more."
MUTE: Final = "I may not write in this channel. Ask me in another one."
NOTICE_SECONDS: Final = 20.0
"""How long a notice stays where Discord cannot show it to one person alone."""
_REPEAT_SECONDS: Final = 60.0
_REMEMBERED: Final = 2_000


@dataclass
class Notices:
    """Which sentence was told to whom of late: a flood of messages brings no flood of notices."""

    told: OrderedDict[tuple[int, int, str], float] = field(default_factory=OrderedDict)

    def is_news(self, channel: int, person: int, sentence: str) -> bool:
        """Whether this is to be told now; it is taken as told."""
        key, now = (channel, person, sentence), time.monotonic()
        last = self.told.pop(key, None)
        self.told[key] = now if last is None or now - last > _REPEAT_SECONDS else last
        while len(self.told) > _REMEMBERED:
            self.told.popitem(last=False)
        return last is None or now - last > _REPEAT_SECONDS


@dataclass
class Context:
    """The chat, and how personas speak on Discord.

    Attributes:
        chat: decides everything.
        stage: lets personas speak.
        notices: what was told of late.
        tasks: work that is finished before the program ends: taking a message, making a persona.
    """

    chat: Chat
    stage: Stage
    notices: Notices = field(default_factory=Notices)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def go_on(self, work: Coroutine[Any, Any, None]) -> None:
        """Lets work go on that nobody waits for."""
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def opener(
        self, channel: discord.abc.MessageableChannel, tell: Tell, reply_to: int | None = None
    ) -> OpenOutlet:
        """How the chat opens an outlet in a channel, once it knows who answers."""

        async def open_outlet(persona: Persona, before: Before) -> Outlet:
            return DiscordOutlet(
                self.stage, channel, persona, tell, reply_to=reply_to, before=before
            )

        return open_outlet


def context_of(interaction: discord.Interaction[Any]) -> Context:
    """The context of the client that got the interaction."""
    context = interaction.client.context
    assert isinstance(context, Context)
    return context


def named(interaction: discord.Interaction[Any]) -> None:
    """Names the request that all which this task does belongs to."""
    arriving(f"discord:{interaction.channel_id or 0}/i{interaction.id}")


async def say(interaction: discord.Interaction[Any], text: str, **options: Any) -> None:
    """Tells who acts, and nobody else. Never fails: an interaction may be over by now."""
    options = {"ephemeral": True, "allowed_mentions": NOBODY, **options}
    try:
        if interaction.response.is_done():
            await interaction.followup.send(text[:2_000], **options)
        else:
            await interaction.response.send_message(text[:2_000], **options)
    except (discord.HTTPException, discord.InteractionResponded, *Lost) as error:
        log.info("Nobody could be told %r: %s", text, error)


async def whisper(context: Context, message: discord.Message, sentence: str) -> None:
    """Tells who wrote a message, as quietly as Discord can: a reply that goes away."""
    if not context.notices.is_news(message.channel.id, message.author.id, sentence):
        return
    stays: dict[str, Any] = {} if message.guild is None else {"delete_after": NOTICE_SECONDS}
    with contextlib.suppress(discord.HTTPException, *Lost):
        await message.reply(sentence, mention_author=False, allowed_mentions=NOBODY, **stays)


@contextlib.asynccontextmanager
async def explained(interaction: discord.Interaction[Any]) -> AsyncIterator[None]:
    """Tells who acts what went wrong in the block, which is a request of theirs."""
    named(interaction)
    try:
        yield
    except Exception as error:
        await explain(interaction, error)


async def explain(interaction: discord.Interaction[Any], error: BaseException) -> None:
    """Tells who acts why it did not work."""
    if isinstance(error, ChatAnythingError):
        if error.__cause__ is not None:
            log.warning("%s", error, exc_info=error)
        await say(interaction, str(error))
        return
    if isinstance(error, discord.NotFound | discord.Forbidden):
        log.info("Discord: %s", error)
        await say(interaction, "What this was about is gone, or I may not do it here.")
        return
    log.error("An interaction failed", exc_info=error)
    await say(interaction, UNEXPECTED)
