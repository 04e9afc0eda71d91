"""Stage: what is needed to let a persona speak in a channel of Discord."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

import discord

from bot.discord.failures import Lost, explained
from bot.discord.names import MARK, quotable, speaker_name
from bot.discord.speakers import OwnSpeaker, Speaker
from bot.discord.webhook_speaker import Posts, WebhookSpeaker
from bot.discord.webhooks import Webhooks

if TYPE_CHECKING:
    from bot.discord.faces import Faces
    from personas.persona import Persona

log = logging.getLogger(__name__)


class Buttons(StrEnum):
    """Which buttons a message of an answer has."""

    NONE = "none"
    WRITING = "writing"
    DONE = "done"


def _no_buttons(buttons: Buttons, answer: str) -> discord.ui.View | None:
    return None


@dataclass
class Stage:
    """Webhooks and faces, and which of them to use where.

    Attributes:
        client: logged in.
        webhooks: of all channels.
        faces: of all personas.
        as_persona: use webhooks where that is possible.
        reply_button: people need a button to reply to a webhook's message.
        buttons: makes the view of a message of an answer, by which that is found again.
        posts: what was posted of late.
    """

    client: discord.Client
    webhooks: Webhooks
    faces: Faces
    as_persona: bool = True
    reply_button: bool = False
    buttons: Callable[[Buttons, str], discord.ui.View | None] = _no_buttons
    posts: Posts = field(default_factory=Posts)

    async def speaker(
        self,
        channel: discord.abc.MessageableChannel,
        persona: Persona,
        reply_to: int | None = None,
    ) -> Speaker:
        """The best way for `persona` to speak in `channel` now.

        Raises:
            GoneError: the channel is gone.
        """
        hook = await self._hook(channel)
        if hook is not None and isinstance(
            channel,
            discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread,
        ):
            avatar = await self.faces.url(persona)
            name = speaker_name(persona.personality.name)
            return WebhookSpeaker(
                self.client, self.webhooks, self.posts, hook, channel, name, avatar
            )
        return await self.own_speaker(channel, persona, reply_to)

    async def own_speaker(
        self,
        channel: discord.abc.MessageableChannel,
        persona: Persona,
        reply_to: int | None = None,
    ) -> OwnSpeaker:
        """The bot's own voice, with the persona's name and face above its words."""
        face = await self.faces.emoji(persona)
        shown = f"**{quotable(persona.personality.name)}**{MARK}"
        return OwnSpeaker(channel, f"{face} {shown}" if face else shown, reply_to)

    async def remove(
        self, channel: discord.abc.MessageableChannel, message_id: int, *, own: bool = False
    ) -> bool:
        """Deletes a message as the bot, where it may; whether it is gone.

        Args:
            channel: where.
            message_id: which.
            own: it is the bot's own, so no permission is needed.
        """
        self.posts.drop(message_id)
        me = getattr(getattr(channel, "guild", None), "me", None)
        if not own and me is not None and not channel.permissions_for(me).manage_messages:
            return False
        try:
            await discord.PartialMessage(channel=channel, id=message_id).delete()
        except discord.NotFound:
            return True
        except (discord.HTTPException, *Lost) as error:
            log.info("Not deleted: %s", error)
            return False
        return True

    async def withdraw(
        self, channel: discord.abc.MessageableChannel, messages: Iterable[str]
    ) -> None:
        """Deletes messages of personas, whoever of the two sent them."""
        hook = await self._hook(channel)
        where = {"thread": channel} if isinstance(channel, discord.Thread) else {}
        for message in messages:
            if hook is not None:
                try:
                    await hook.delete_message(int(message), **where)
                    continue
                except (discord.HTTPException, *Lost) as error:
                    log.debug("Not the webhook's: %s", error)
            await self.remove(channel, int(message), own=True)

    async def _hook(self, channel: discord.abc.MessageableChannel) -> discord.Webhook | None:
        home = channel.parent if isinstance(channel, discord.Thread) else channel
        if not self.as_persona or not isinstance(
            home,
            discord.TextChannel
            | discord.VoiceChannel
            | discord.StageChannel
            | discord.ForumChannel,
        ):
            return None
        try:
            return await self.webhooks.get(home)
        except (discord.HTTPException, *Lost) as error:
            log.warning("No webhook for channel %s: %s", home.id, explained(error))
            return None
