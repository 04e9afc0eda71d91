"""The adapter at work: the real library, chat and storage; fakes for all that is slow."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from bot.chat.chat import Chat
from bot.chat.settings import ChatSettings
from bot.telegram.clock import Clock
from bot.telegram.service import TelegramAdapter
from bot.telegram.settings import TelegramSettings
from engine.conversation import Conversations, ConversationSettings
from engine.creation import Creator
from engine.hearing.base import Transcript
from engine.hearing.settings import HearingSettings
from engine.pictures import to_png
from engine.speaking import Encode
from personas.persona import Persona, PortraitBrief
from personas.styles import load_styles
from personas.voices import load_voices
from storage.store import Storage
from tests.fakes.head import StillHead, encode_frames
from tests.fakes.language_model import ScriptedModel
from tests.fakes.portrait import DiscPortraits
from tests.fakes.speech import HummingSynthesizer
from tests.fakes.telegram_request import BASE, TelegramRequest
from tests.fakes.telegram_rooms import TOKEN, Json, Room
from tests.fakes.telegram_service import Telegram

WORDS = "I am the one who keeps the ships from sleeping on the rocks."
ADA, BOB, EVE = 7, 8, 9
GROUP = -1001


class Listener:
    """A recognizer that understands one thing."""

    name = "listener"
    online = False

    def transcribe(self, data: bytes, *_: Any) -> Transcript:
        return Transcript(data.decode(), "en", (), 1.0)


@dataclass
class House:
    """Telegram, people in it, and the bot."""

    telegram: Telegram
    clock: Clock
    storage: Storage
    model: ScriptedModel
    settings: TelegramSettings = field(default_factory=lambda: TelegramSettings(server=BASE))
    speech: HummingSynthesizer = field(default_factory=HummingSynthesizer)
    head: StillHead = field(default_factory=StillHead)
    portraits: DiscPortraits = field(default_factory=DiscPortraits)
    encode: Encode = encode_frames
    wired: bool = False
    token: str = TOKEN
    limits: ChatSettings = field(default_factory=lambda: ChatSettings(at_once=8))

    async def start(self) -> None:
        """Starts the program, for the first time or again."""
        voices, styles = load_voices(), load_styles()
        creator = Creator(self.model, self.portraits, styles, voices, self.storage)
        how = ConversationSettings(mode="clip", clips_at_once=8)
        conversations = Conversations(
            self.model, self.speech, self.head, self.encode, self.storage, how
        )
        self.chat = Chat(
            self.storage,
            creator,
            conversations,
            styles,
            voices,
            Listener(),
            self.limits,
            how,
            HearingSettings(),
        )
        doubles = TelegramRequest(self.telegram), TelegramRequest(self.telegram)
        self.adapter = TelegramAdapter(
            self.chat,
            self.token,
            self.settings,
            clock=self.clock,
            requests=None if self.wired else doubles,
        )
        self.running = asyncio.create_task(self.adapter.run())

    async def stop(self) -> None:
        """Ends it, as `chatanything telegram` does."""
        await self.chat.aclose(5.0)
        await self.adapter.aclose()
        await self.running

    @property
    def ada(self) -> Room:
        """Ada's private chat."""
        return self.telegram.private(ADA)

    def group(self, *, forum: bool = False) -> Room:
        """A group that Eve manages."""
        room = self.telegram.group(GROUP, admins=(EVE,), forum=forum)
        room.members |= {ADA, BOB, EVE}
        return room

    async def said(self, room: Room, words: str) -> Json:
        """The newest message of the bot with these words, once it is there."""

        def found() -> Json | None:
            for message in reversed(room.from_bot):
                if words in str(message.get("text", message.get("caption", ""))):
                    return message
            return None

        message: Json = await self.telegram.until(found)
        return message

    async def has(self, room: Room, kind: str, count: int = 1) -> Json:
        """The newest message of a kind, once there are so many of them."""

        def found() -> Json | None:
            kinds = [message for message in room.from_bot if kind in message]
            return kinds[-1] if len(kinds) >= count else None

        message: Json = await self.telegram.until(found)
        return message

    async def card(self, room: Room, name: str = "Barnaby Beam") -> Json:
        """A persona's card, once its buttons are there."""

        def found() -> Json | None:
            for message in reversed(room.from_bot):
                shown = str(message.get("caption", "")).startswith(name)
                if shown and "reply_markup" in message and "photo" in message:
                    return message
            return None

        message: Json = await self.telegram.until(found)
        return message

    async def create(
        self, room: Room, description: str = "a grumpy lighthouse", *, by: int | None = None
    ) -> Persona:
        """Makes the next persona; gives it when its card is there."""
        asked = self.telegram.say(room, f"/create {description}", by=by)

        def made() -> Json | None:
            for message in room.from_bot:
                finished = "photo" in message and "reply_markup" in message
                if finished and message["message_id"] > asked["message_id"]:
                    return message
            return None

        card: Json = await self.telegram.until(made)
        await self.quiet()
        name = str(card["caption"]).partition("\n")[0]
        return await self.storage.personas.get(f"telegram:{room.id}", name, loosely=True)

    async def another_picture(self) -> str:
        """A picture that nobody has shown yet, kept; gives its key."""
        draft = self.portraits.generate(PortraitBrief(subject="something else"), 99)
        return await self.storage.media.put(to_png(draft.image), ".png")

    async def quiet(self) -> None:
        """Waits until nothing goes on any more."""
        while tasks := self.adapter._desk.tasks:
            await asyncio.wait(set(tasks))
