"""What every command and button shares: the bot, the chat, and what is remembered of late."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from telegram import Chat, InlineKeyboardMarkup, Message

from bot.chat.base import Before, OpenOutlet, Outlet, Person, Place
from bot.telegram.clock import Clock
from bot.telegram.members import Members
from bot.telegram.outlet import TelegramOutlet
from bot.telegram.sender import Bot
from bot.telegram.settings import TelegramSettings
from bot.telegram.spots import Spot

if TYPE_CHECKING:
    from bot.chat.chat import Chat as Decisions
    from personas.persona import Persona

log = logging.getLogger(__name__)

_LONG_AGO: Final = datetime.fromtimestamp(0, UTC)
UNEXPECTED: Final = "Something went wrong in the program. The log says more."


class Recent:
    """Remembers the last few things of a kind."""

    def __init__(self, most: int = 4_096, seconds: float = float("inf")) -> None:
        self._most, self._seconds = most, seconds
        self._known: OrderedDict[object, float] = OrderedDict()

    def is_new(self, thing: object, now: float = 0.0) -> bool:
        """Whether this was not here of late; it is taken as here from now on."""
        last = self._known.get(thing)
        if last is not None and now - last < self._seconds:
            return False
        self._known[thing] = now
        self._known.move_to_end(thing)
        while len(self._known) > self._most:
            self._known.popitem(last=False)
        return True


@dataclass
class Pictures:
    """Portraits that Telegram has already, by media key: they need not be sent again."""

    most: int = 2_048
    known: OrderedDict[str, str] = field(default_factory=OrderedDict)

    def remember(self, key: str, file_id: str) -> None:
        """Remembers what Telegram calls a picture."""
        self.known[key] = file_id
        self.known.move_to_end(key)
        while len(self.known) > self.most:
            self.known.popitem(last=False)


@dataclass
class Desk:
    """The shared half of every visit.

    Attributes:
        bot: speaks to Telegram.
        chat: decides everything.
        settings: of the adapter.
        clock: what time it is.
        members: who manages a group.
        pictures: portraits that Telegram has.
        updates: updates that have come; some come twice.
        notices: what was told to whom of late.
        tasks: work that nobody waits for.
    """

    bot: Bot
    chat: Decisions
    settings: TelegramSettings
    clock: Clock
    members: Members
    pictures: Pictures = field(default_factory=Pictures)
    updates: Recent = field(default_factory=Recent)
    notices: Recent = field(default_factory=lambda: Recent(seconds=60.0))
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @classmethod
    def open(cls, bot: Bot, chat: Decisions, settings: TelegramSettings, clock: Clock) -> Desk:
        """A desk for this bot."""
        return cls(bot, chat, settings, clock, Members(bot, clock))

    def go_on(self, work: Coroutine[Any, Any, None]) -> None:
        """Lets work go on that nobody waits for."""
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def message(self, spot: Spot, id: int) -> Message:
        """A message of which nothing but its id is known."""
        kind = Chat.PRIVATE if spot.private else Chat.SUPERGROUP
        message = Message(id, _LONG_AGO, Chat(spot.chat, kind))
        message.set_bot(self.bot)
        return message

    def opener(
        self,
        spot: Spot,
        place: Place,
        person: Person,
        reply_to: int | None = None,
        markup: InlineKeyboardMarkup | None = None,
    ) -> OpenOutlet:
        """How the chat opens an outlet, once it knows who answers."""

        async def open_outlet(persona: Persona, before: Before) -> Outlet:
            form = await self.chat.rooms.form(place) or self.settings.clips
            return TelegramOutlet(
                self.bot,
                spot,
                reply_to=reply_to,
                name=await self.byline(place, person, persona),
                portrait=persona.portrait,
                notes=form != "video",
                markup=markup,
                before=before,
                file_limit=self.settings.file_limit,
                clock=self.clock,
            )

        return open_outlet

    async def byline(self, place: Place, person: Person, persona: Persona) -> str:
        """The name above a persona's words: where several could be meant."""
        if place.private:
            return ""
        page = await self.chat.gallery.page(place, person, size=1)
        return persona.personality.name if page.total > 1 else ""
