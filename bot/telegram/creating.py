"""A persona comes to be: one message that says what is being made, and becomes its card."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from contextlib import aclosing, suppress

from telegram import Message

from bot.chat.base import GoneError
from bot.chat.makings import Making, TakenError
from bot.telegram.actions import acting
from bot.telegram.cards import actions, introduction
from bot.telegram.formatting import Rich, harmless
from bot.telegram.visit import Visit
from engine.events import (
    CreationEvent,
    CreationFailed,
    PersonalityReady,
    PersonaReady,
    PortraitProgress,
    PortraitReady,
)
from personas.errors import ChatAnythingError, UnavailableError
from personas.persona import Persona

log = logging.getLogger(__name__)

_BAR = 10


def asked_in(visit: Visit) -> str:
    """The command, or the touch of a button, that asks for something: it may come twice."""
    if visit.touch is not None:
        return visit.touch.id
    return str(visit.message.message_id) if visit.message is not None else ""


def seed_of(visit: Visit) -> int:
    """The same for the same message: what is delivered twice makes one persona."""
    message = visit.message.message_id if visit.message is not None else 0
    told = f"{visit.spot.chat}:{message}".encode()
    return int.from_bytes(hashlib.sha256(told).digest()[:4]) >> 1


def showing(doing: str = "Thinking up who it is", *, settles: bool = False) -> dict[str, str]:
    """How something that is being made is shown.

    Args:
        doing: what is being done.
        settles: in a private chat, whoever it is lives there then.
    """
    return {"doing": doing, "settles": "yes" if settles else ""}


async def watch(visit: Visit, making: Making) -> None:
    """Shows how a persona comes to be, or why it does not.

    Args:
        visit: who asked, and where.
        making: of the chat, not begun; shown with what `showing` gives.

    Raises:
        ChatAnythingError: it may not be made; nothing was shown.
    """
    with suppress(TakenError):  # a message that came twice
        async with making:
            await _follow(_Progress(visit, making))


async def resume(visit: Visit, making: Making) -> None:
    """Goes on with what a process that has ended was making, in the same message."""
    async with making:
        await _follow(_Progress(visit, making))


async def _follow(progress: _Progress) -> None:
    visit, making = progress.visit, progress.making
    try:
        async with acting(visit.desk.bot, visit.spot, visit.desk.clock):
            await progress.begin()
            async with aclosing(making.events()) as events:
                async for event in events:
                    await progress.show(event)
    except asyncio.CancelledError:
        await asyncio.shield(progress.pause())
        raise
    except UnavailableError as error:
        log.info("Later: %s", error)
        making.postpone()
    except GoneError as error:
        log.info("Nobody sees %s any more: %s", making.id, error.__cause__ or error)
    persona = progress.persona
    if persona is not None and making.order.show.get("settles") and visit.place.private:
        # In a private chat the next message is for whoever was just made.
        rooms = visit.desk.chat.rooms
        for one in await rooms.here(visit.place, visit.person, inherited=False):
            await rooms.leave(visit.place, visit.person, one.persona)
        await rooms.settle(visit.place, visit.person, persona)


class _Progress:
    """The message, step by step."""

    def __init__(self, visit: Visit, making: Making) -> None:
        self.visit, self.making = visit, making
        self._message: Message | None = None
        self._who = Rich()
        self._pictured = False
        self.persona: Persona | None = None

    async def begin(self) -> None:
        """Says what is being done, in the message where that was said before."""
        known = self.making.order.message
        if known:
            self._message = self.visit.desk.message(self.visit.spot, int(known))
        await self._change(self._step(self.making.order.show.get("doing", "")))

    async def show(self, event: CreationEvent) -> None:
        """Shows what happened."""
        match event:
            case PersonalityReady(personality=personality):
                self._who = Rich().add(harmless(personality.name), "bold")
                if personality.tagline:
                    self._who.add("\n").add(harmless(personality.tagline), "italic")
                await self._change(self._step("Drawing the portrait"))
            case PortraitProgress(fraction=fraction, doing=doing):
                done = round(_BAR * min(1.0, max(0.0, fraction)))
                bar = "▰" * done + "▱" * (_BAR - done)
                await self._change(self._step(f"{bar} {doing}"), fleeting=True)
            case PortraitReady(image=image):
                if self._message is not None and image:
                    self._message = await self.visit.turn_into_picture(
                        self._message, image, self._step("Finding a voice")
                    )
                    self._pictured = True
            case PersonaReady(persona=persona):
                self.persona = persona
                await self._finish(persona)
            case CreationFailed(reason=reason):
                await self._change(Rich(harmless(reason)))

    async def pause(self) -> None:
        """Says that the program ends; never fails."""
        if self.persona is None and self._message is not None:
            off = Rich().join(self._who).add("\n\n" if self._who.text else "")
            off.add("I am being switched off. It goes on when I am back.", "italic")
            with suppress(ChatAnythingError):
                await self._change(off)

    def _step(self, doing: str) -> Rich:
        step = Rich().join(self._who)
        return step.add("\n\n" if self._who.text else "").add(f"{harmless(doing)} …", "italic")

    async def _change(self, text: Rich, *, fleeting: bool = False) -> None:
        if self._message is not None:
            await self.visit.change(self._message, text, fleeting=fleeting)
        elif not fleeting:
            self._message = await self.visit.say(text)
            await self._remember()

    async def _remember(self) -> None:
        if self._message is not None:
            await self.making.shown_in(str(self._message.message_id))

    async def _finish(self, persona: Persona) -> None:
        visit = self.visit
        card = introduction(persona)
        buttons = actions(persona, visit.spot, visit.desk.bot.username)
        if self._message is None:
            sent = await visit.show(persona, card, buttons)
        elif self._pictured:
            visit.remember(persona, self._message)
            await visit.change(self._message, card, buttons)
            sent = self._message
        else:
            picture = await visit.picture(persona)
            sent = await visit.turn_into_picture(self._message, picture, card, buttons)
            visit.remember(persona, sent)
        await visit.belongs_to(persona, sent)
