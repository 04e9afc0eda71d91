"""A chat with a scripted model and a platform in memory; rules, storage and engine are real."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.chat.base import IncomingMessage, Person, Place, Sound
from bot.chat.chat import Chat
from bot.chat.makings import Making
from bot.chat.settings import BudgetSettings, ChatSettings
from engine.conversation import Conversations, ConversationSettings
from engine.creation import Creator
from engine.events import CreationEvent, PersonaReady
from engine.hearing.settings import HearingSettings
from engine.llm.base import Message
from engine.observing import NOBODY, Observer
from personas.persona import Persona
from personas.styles import StyleCatalogue, load_styles
from personas.voices import VoiceCatalogue, load_voices
from storage.store import Storage
from tests.fakes.answers import ANSWER
from tests.fakes.head import StillHead, encode_frames
from tests.fakes.killing import KilledError
from tests.fakes.language_model import Script, ScriptedModel
from tests.fakes.outlet import Platform
from tests.fakes.portrait import DiscPortraits
from tests.fakes.speech import HummingSynthesizer

ANA = Person("1", "Ana")
BEN = Person("2", "Ben")
MOD = Person("9", "Mo", is_moderator=True)

HERE = Place("discord:100", "discord:11")
THREAD = Place("discord:100", "discord:12", parent="discord:11")
ELSEWHERE = Place("discord:200", "discord:21")
PRIVATE = Place("discord:1", "discord:31", private=True)


@dataclass
class World:
    """A chat, and what people do in it."""

    storage: Storage
    chat: Chat
    platform: Platform
    model: ScriptedModel
    speech: HummingSynthesizer
    head: StillHead
    names: list[str] = field(default_factory=lambda: ["Barnaby Beam"])

    def __post_init__(self) -> None:
        self._ids = itertools.count(1)
        self.answers: Callable[[str], str] | str = "Mind the rocks."

    def script(self, messages: Any) -> Script:
        asked: list[Message] = list(messages)
        if "JSON" in asked[0].content:
            name = self.names.pop(0) if len(self.names) > 1 else self.names[0]
            return json.dumps({**ANSWER, "name": name})
        return self.answers(asked[-1].content) if callable(self.answers) else self.answers

    async def make(
        self, place: Place = HERE, name: str = "", person: Person = ANA, **options: Any
    ) -> Persona:
        """A persona that somebody makes in a place."""
        if name:
            self.names = [name]
        making = self.chat.gallery.create(
            place, person, f"a lighthouse called {name}", seed=next(self._ids), **options
        )
        return await made(making)

    def message(
        self, text: str, person: Person = ANA, place: Place = HERE, **details: Any
    ) -> IncomingMessage:
        id = details.pop("id", "") or f"u{next(self._ids)}"
        return IncomingMessage(id, place, person, text, **details)

    async def say(
        self, text: str, person: Person = ANA, place: Place = HERE, **details: Any
    ) -> IncomingMessage:
        """Somebody says something, and whoever answers has answered."""
        message = self.message(text, person, place, **details)
        await self.chat.replies.receive(message, self.platform.open)
        return message


async def last(making: Making) -> CreationEvent:
    """How a making ends."""
    async with making:
        return [event async for event in making.events()][-1]


async def made(making: Making) -> Persona:
    """The persona that a making makes."""
    event = await last(making)
    assert isinstance(event, PersonaReady), event
    return event.persona


MakeWorld = Callable[..., World]


@pytest.fixture(scope="session")
def catalogues() -> tuple[StyleCatalogue, VoiceCatalogue]:
    """Looks and voices."""
    return load_styles(), load_voices()


@pytest.fixture
async def make_world(
    storage: Storage, catalogues: tuple[StyleCatalogue, VoiceCatalogue]
) -> AsyncIterator[MakeWorld]:
    made: list[World] = []

    def make(
        mode: str = "text",
        hears: Any = None,
        settings: ChatSettings | None = None,
        budget: BudgetSettings | None = None,
        observer: Observer = NOBODY,
        kept: Storage | None = None,
        **platform: Any,
    ) -> World:
        opened = kept or storage
        model = ScriptedModel((lambda messages: made[-1].script(messages),))
        speech, head = HummingSynthesizer(), StillHead()
        creator = Creator(model, DiscPortraits(), *catalogues, opened, observer=observer)
        conversation = ConversationSettings(mode=mode)
        conversations = Conversations(
            model, speech, head, encode_frames, opened, conversation, observer=observer
        )
        chat = Chat(
            opened,
            creator,
            conversations,
            *catalogues,
            hears,
            settings or ChatSettings(),
            conversation,
            HearingSettings(max_seconds=60),
            budget=budget,
            observer=observer,
        )
        made.append(World(opened, chat, Platform(**platform), model, speech, head))
        return made[-1]

    yield make
    for world in made:
        with suppress(KilledError):
            await world.chat.aclose(0)
    await asyncio.sleep(0)


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    return make_world()


def sound(data: bytes = b"ogg", seconds: float = 3.0) -> Sound:
    async def fetch() -> bytes:
        return data

    return Sound(seconds, len(data), fetch)


async def until(holds: Callable[[], bool]) -> None:
    """Waits for something that happens by itself soon."""
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
