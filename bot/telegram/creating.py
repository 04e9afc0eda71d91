"""A persona comes to be: one message that says what is being made, and becomes its card."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator
from contextlib import aclosing

from telegram import Message

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
from personas.persona import Persona

_BAR = 10


def seed_of(visit: Visit) -> int:
    """The same for the same message: what is delivered twice makes one persona."""
    message = visit.message.message_id if visit.message is not None else 0
    told = f"{visit.spot.chat}:{message}".encode()
    return int.from_bytes(hashlib.sha256(told).digest()[:4]) >> 1


async def watch(
    visit: Visit, events: AsyncGenerator[CreationEvent], doing: str = "Thinking up who it is"
) -> Persona | None:
    """Shows how a persona comes to be; gives it, or None where that failed and was told.

    Raises:
        ChatAnythingError: it may not be made; nothing was shown.
    """
    async with aclosing(events) as stream, acting(visit.desk.bot, visit.spot, visit.desk.clock):
        # Who may not, gets no message that has to be taken back.
        first = await anext(stream, None)
        if first is None:
            return None
        message = await visit.say(Rich().add(f"{doing} …", "italic"))
        progress = _Progress(visit, message)
        await progress.show(first)
        async for event in stream:
            await progress.show(event)
    return progress.persona


class _Progress:
    """The message, step by step."""

    def __init__(self, visit: Visit, message: Message | None) -> None:
        self._visit, self._message = visit, message
        self._who = Rich()
        self._pictured = False
        self.persona: Persona | None = None

    async def show(self, event: CreationEvent) -> None:
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
                    self._message = await self._visit.turn_into_picture(
                        self._message, image, self._step("Finding a voice")
                    )
                    self._pictured = True
            case PersonaReady(persona=persona):
                self.persona = persona
                await self._finish(persona)
            case CreationFailed(reason=reason):
                await self._change(Rich(harmless(reason)))

    def _step(self, doing: str) -> Rich:
        step = Rich().join(self._who)
        return step.add("\n\n" if self._who.text else "").add(f"{harmless(doing)} …", "italic")

    async def _change(self, text: Rich, *, fleeting: bool = False) -> None:
        if self._message is not None:
            await self._visit.change(self._message, text, fleeting=fleeting)
        elif not fleeting:
            self._message = await self._visit.say(text)

    async def _finish(self, persona: Persona) -> None:
        visit = self._visit
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
