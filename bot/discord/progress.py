"""Somebody is being born: one public message that grows into a persona's card."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import discord

from bot.discord.buttons import forgotten
from bot.discord.cards import WARM, card_view, portrait_file, portrait_of
from bot.discord.context import UNEXPECTED
from bot.discord.failures import Lost, persistently
from bot.discord.names import quotable
from bot.discord.speakers import NOBODY
from engine.events import (
    CreationEvent,
    CreationFailed,
    PersonalityReady,
    PersonaReady,
    PortraitProgress,
    PortraitReady,
)
from personas.errors import ChatAnythingError, UnavailableError
from personas.persona import Persona, Personality
from personas.text import shorten

log = logging.getLogger(__name__)

INTERVAL: Final = 1.5
"""Seconds between two looks of the progress."""
_STEPS: Final = 8
_LOOKED_AT: Final = 50
_DOUBT: Final = timedelta(seconds=30)
"""How much older than our clock says a message may be that was just posted."""


class Birth:
    """The message in which a persona comes to be.

    It is a message of its own, not the answer to the interaction, whose token would be void
    after a quarter of an hour. However it ends, it says so; and where the program ends first, the
    next one goes on with the same message.

    Args:
        channel: where it is shown.
        id: of what is being made, the same after a restart.
        title: what is being done.
        wanted: what was asked for, in the words of who asked.

    Attributes:
        unseen: the last change has not reached Discord, and may do so later.
    """

    def __init__(
        self, channel: discord.abc.MessageableChannel, id: str, title: str, wanted: str = ""
    ) -> None:
        self._channel = channel
        self._nonce = id[:24]
        self._title = title
        self._wanted = quotable(shorten(wanted, 500))
        self._message: discord.Message | discord.PartialMessage | None = None
        self._paused = False
        self.unseen = False
        self._personality: Personality | None = None
        self._fraction = 0.0
        self._portrait: bytes | None = None
        self._shown_at = 0.0

    @property
    def url(self) -> str:
        """Where the message is."""
        return self._message.jump_url if self._message is not None else ""

    @property
    def message_id(self) -> str:
        """Its id; empty where it could not be posted."""
        return str(self._message.id) if self._message is not None else ""

    async def begin(self) -> None:
        """Posts the message; its nonce lets Discord tell a repeated request from a new one.

        Raises:
            GoneError: nothing can be posted there.
        """
        view = self._view()
        self._message = await persistently(
            lambda: self._channel.send(view=view, allowed_mentions=NOBODY, nonce=self._nonce)
        )
        self._shown_at = time.monotonic()

    async def take_up(self, message_id: str, since: datetime) -> None:
        """Goes on with the message of a process that has ended; it is posted if there is none.

        Args:
            message_id: of the message; empty where that was not known yet.
            since: it is not older than that.

        Raises:
            GoneError: it is gone, or nothing can be posted there any more.
            UnavailableError: Discord does not answer.
        """
        found = int(message_id) if message_id else await self._posted(since)
        if found is None:
            await self.begin()
            return
        message = discord.PartialMessage(channel=self._channel, id=found)
        view = self._view()
        await persistently(lambda: message.edit(view=view, attachments=[], allowed_mentions=NOBODY))
        self._message = message
        self._shown_at = time.monotonic()

    async def _posted(self, since: datetime) -> int | None:
        """The message, if it was posted by a process that died before it could tell."""
        if isinstance(self._channel, discord.PartialMessageable):
            return None
        mine = words_of(one.to_component_dict() for one in self._view().children)
        try:
            async for message in self._channel.history(limit=_LOOKED_AT, after=since - _DOUBT):
                shown = words_of(one.to_dict() for one in message.components)
                if message.author.bot and shown == mine:
                    return message.id
        except (discord.HTTPException, *Lost) as error:
            log.info("The channel's history cannot be read: %s", error)
        return None

    async def follow(self, events: AsyncGenerator[CreationEvent]) -> Persona | None:
        """Shows what happens until the persona is there, or why it is not."""
        born: Persona | None = None
        failed = False
        try:
            async with contextlib.aclosing(events):
                async for event in events:
                    match event:
                        case PersonalityReady(personality=personality):
                            self._personality = personality
                            await self._show()
                        case PortraitProgress(fraction=fraction):
                            self._fraction = fraction
                            if time.monotonic() - self._shown_at >= INTERVAL:
                                await self._show()
                        case PortraitReady(image=image):
                            self._portrait = image
                            await self._show(attach=True)
                        case PersonaReady(persona=persona):
                            born = persona
                        case CreationFailed(reason=reason):
                            failed = True
                            await self.fail(reason)
            if born is None and not failed:
                await self.fail(UNEXPECTED)
        except asyncio.CancelledError:
            self._paused = True
            await asyncio.shield(self._show())
            raise
        except ChatAnythingError as error:
            await self.fail(str(error))
        except Exception:
            log.exception("A persona could not be shown")
            await self.fail(UNEXPECTED)
        return born

    async def end(self, persona: Persona, image: bytes) -> None:
        """Makes the message the persona's card."""
        await self._edit(card_view(persona), image)

    async def fail(self, reason: str) -> None:
        """Says why there is nobody. Never fails."""
        container: discord.ui.Container[Any] = discord.ui.Container(
            accent_colour=discord.Colour.dark_grey()
        )
        lines = ["### Nobody came", reason]
        if self._wanted:
            lines.append(f"-# {self._wanted}")
        container.add_item(discord.ui.TextDisplay("\n".join(lines)))
        view = discord.ui.LayoutView(timeout=None)
        view.add_item(container)
        await self._edit(forgotten(view), b"")

    async def _show(self, *, attach: bool = False) -> None:
        self._shown_at = time.monotonic()
        await self._edit(self._view(), self._portrait if attach else None)

    async def _edit(self, view: discord.ui.LayoutView, image: bytes | None) -> None:
        """Changes the message; without it the persona is born all the same.

        Args:
            view: what is shown.
            image: the portrait to show with it; empty for none, None to keep what is there.
        """
        if self._message is None:
            return
        message = self._message

        async def edit() -> object:
            options: dict[str, Any] = {}
            if image is not None:
                options["attachments"] = [portrait_file(image)] if image else []
            return await message.edit(view=view, allowed_mentions=NOBODY, **options)

        self.unseen = False
        try:
            await persistently(edit)
        except UnavailableError as error:
            self.unseen = True
            log.info("The progress is not shown: %s", error)
        except (ChatAnythingError, discord.HTTPException, *Lost) as error:
            log.info("The progress is not shown: %s", error)

    def _view(self) -> discord.ui.LayoutView:
        container: discord.ui.Container[Any] = discord.ui.Container(accent_colour=WARM)
        if self._portrait is not None:
            name = self._personality.name if self._personality is not None else ""
            container.add_item(portrait_of(name))
        lines = [f"### {self._title}"]
        if self._wanted:
            lines.append(f"> {self._wanted}")
        who = self._personality
        if self._paused:
            lines.append("⏸️ I am being switched off. It goes on when I am back.")
        elif who is None:
            lines.append("💭 Imagining who it is …")
        else:
            lines.append(f"✅ **{quotable(who.name)}**, {quotable(who.kind)}")
            if self._portrait is None:
                done = round(self._fraction * _STEPS)
                lines.append(f"🎨 Portrait {'▰' * done}{'▱' * (_STEPS - done)}")
            else:
                lines.append("✅ Portrait")
                lines.append("🔊 Finding its voice …")
        container.add_item(discord.ui.TextDisplay("\n".join(lines)))
        view = discord.ui.LayoutView(timeout=None)
        view.add_item(container)
        return forgotten(view)


def words_of(components: Iterable[Mapping[str, Any]]) -> str:
    """The words that components show."""
    texts = []
    for one in components:
        texts.append(str(one.get("content", "")))
        texts.append(words_of(one.get("components", ())))
    return "\n".join(text for text in texts if text)
