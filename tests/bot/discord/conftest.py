"""Discord on the loopback and in the process, and personas to speak there."""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import discord
import pytest
from discord.http import Route
from simcord.env import Env

from bot.chat.chat import Chat
from bot.chat.settings import ChatSettings
from bot.discord import failures, outlet, webhook_speaker
from bot.discord.answers import open_stage
from bot.discord.client import PersonaBot
from bot.discord.context import Context
from bot.discord.settings import DiscordSettings
from engine.conversation import Conversations, ConversationSettings
from engine.creation import Creator
from engine.hearing.settings import HearingSettings
from engine.llm.base import Message
from engine.pictures import to_png
from personas.errors import ChatAnythingError
from personas.persona import Persona, PortraitBrief
from personas.styles import StyleCatalogue, load_styles
from personas.voices import VoiceCatalogue, load_voices
from storage.settings import StorageSettings
from storage.store import Storage
from tests.fakes.answers import ANSWER
from tests.fakes.discord_openapi import published
from tests.fakes.discord_server import DiscordServer
from tests.fakes.discord_simulation import know_own_webhooks, let_events_be_waited_for
from tests.fakes.head import StillHead, encode_frames
from tests.fakes.killing import KilledError
from tests.fakes.language_model import Script, ScriptedModel
from tests.fakes.portrait import DiscPortraits
from tests.fakes.speech import HummingSynthesizer
from tests.storage.examples import build

CLIP_BYTES = b"clip"


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DiscordServer]:
    """Discord on the loopback, with room for files of 64 KB; the library speaks to it."""
    async with DiscordServer(upload_limit=65_536).running() as running:
        monkeypatch.setattr(Route, "BASE", running.rest)
        yield running


@pytest.fixture(scope="session")
def empty_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with its tables and nothing in them, to be copied."""
    folder = tmp_path_factory.mktemp("discord") / "data"

    async def make() -> None:
        async with await Storage.open(StorageSettings(data_folder=folder)):
            pass

    asyncio.run(make())
    return folder


@pytest.fixture(scope="session")
def catalogues() -> tuple[StyleCatalogue, VoiceCatalogue]:
    """Looks and voices."""
    return load_styles(), load_voices()


@pytest.fixture
async def storage(tmp_path: Path, empty_data: Path) -> AsyncIterator[Storage]:
    shutil.copytree(empty_data, tmp_path / "data")
    settings = StorageSettings(data_folder=tmp_path / "data", busy_seconds=20)
    async with await Storage.open(settings) as opened:
        yield opened


@pytest.fixture
async def persona(storage: Storage) -> Persona:
    """Grumbel, with a portrait that is stored."""
    draft = DiscPortraits(size=512).generate(PortraitBrief(subject="lighthouse"), 7)
    image = await storage.media.put(to_png(draft.image), ".png")
    return await storage.personas.add(build("grumbel", image, gallery="discord:100"))


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits before it tries again, or shows more of a text, waits for nothing."""
    monkeypatch.setattr(webhook_speaker, "PAUSES", (0.0, 0.0, 0.0))
    monkeypatch.setattr(failures.persistently, "__defaults__", ((0.0, 0.0, 0.0),))
    monkeypatch.setattr(outlet, "INTERVAL", 0.0)


MakeChat = Callable[..., Chat]


@pytest.fixture
def make_chat(storage: Storage, catalogues: tuple[StyleCatalogue, VoiceCatalogue]) -> MakeChat:
    """A chat with real rules, storage and engine; words, voice, pictures and film are fakes."""

    def make(
        mode: str = "text",
        model: ScriptedModel | None = None,
        portraits: DiscPortraits | None = None,
        head: StillHead | None = None,
        settings: ChatSettings | None = None,
        hears: Any = None,
        encode: Any = encode_frames,
        kept: Storage | None = None,
    ) -> Chat:
        opened = kept or storage
        model, head = model or ScriptedModel(("Mind the rocks.",)), head or StillHead()
        conversation = ConversationSettings(mode=mode)
        return Chat(
            opened,
            Creator(model, portraits or DiscPortraits(), *catalogues, opened),
            Conversations(model, HummingSynthesizer(), head, encode, opened, conversation),
            *catalogues,
            hears,
            settings or ChatSettings(takeover_seconds=0),
            conversation,
            HearingSettings(),
        )

    return make


@dataclass
class World:
    """Two servers on two shards with the bot in them, and people who use it.

    Attributes:
        env: simcord.
        home: a server; `general` is its channel.
        abroad: another server, on the other shard.
        ana: a member of both; `anas` is she abroad.
        ben: another member at home.
        mo: manages the server at home.
        answers: what personas say: a text, or a function of the question.
    """

    storage: Storage
    model: ScriptedModel
    portraits: DiscPortraits
    head: StillHead
    chat: Chat
    settings: DiscordSettings
    names: list[str] = field(default_factory=lambda: ["Barnaby Beam"])
    answers: Callable[[str], str] | str = "Mind the rocks."

    def start(self) -> None:
        """The servers and their people."""
        env = self.env
        self.home = env.create_guild("Home", shard_id=0)
        self.abroad = env.create_guild("Abroad", shard_id=1)
        self.general = self.home.create_text_channel("general")
        self.square = self.abroad.create_text_channel("square")
        boss = self.home.create_role("Boss", permissions=discord.Permissions(manage_guild=True))
        ana, ben, mo = (env.create_user(name) for name in ("ana", "ben", "mo"))
        self.ana, self.ben = self.home.add_member(ana), self.home.add_member(ben)
        self.mo = self.home.add_member(mo, roles=[boss])
        self.anas = self.abroad.add_member(ana)
        self._ids = itertools.count(1)

    env: Env = field(init=False)

    @property
    def bot(self) -> PersonaBot:
        bot = self.env.bot
        assert isinstance(bot, PersonaBot)
        return bot

    @property
    def mention(self) -> str:
        return f"<@{self.env.backend.bot_user.id}>"

    def new_bot(self) -> PersonaBot:
        """A bot as after a start of the program."""
        bot = PersonaBot(self.settings, shard_count=2)
        stage = open_stage(bot, self.settings, self.storage.media)
        bot.context = Context(self.chat, stage)
        return bot

    def script(self, messages: Any) -> Script:
        asked: list[Message] = list(messages)
        if "JSON" in asked[0].content:
            name = self.names.pop(0) if len(self.names) > 1 else self.names[0]
            return json.dumps({**ANSWER, "name": name})
        return self.answers(asked[-1].content) if callable(self.answers) else self.answers

    async def create(self, who: Any = None, channel: Any = None, name: str = "") -> discord.Message:
        """Somebody makes a persona; returns its card."""
        self.names = [name or self.names[0]]
        channel = channel or self.general
        await (who or self.ana).slash(
            channel, "create", description=f"a lighthouse, number {next(self._ids)}"
        )
        card = channel.last_message
        assert card is not None
        return card

    async def persona(self, gallery: Any = None) -> Persona:
        """The newest persona of a server."""
        found = await self.storage.personas.list(
            f"discord:{(gallery or self.home).id}", newest_first=True
        )
        return found[0]

    async def until(self, holds: Callable[[], bool], step: float = 1_000) -> None:
        """Lets time pass, with breaks in which the storage, on a clock of its own, keeps up."""
        for _ in range(500):
            if holds():
                return
            await self.env.advance_time(step)
            await asyncio.to_thread(time.sleep, 0.01)
        raise AssertionError("it does not happen")

    def said(self, channel: Any = None) -> list[discord.Message]:
        """What personas said in a channel through its webhook."""
        return [one for one in (channel or self.general).history() if one.webhook_id]


MakeWorld = Callable[..., Any]


@pytest.fixture
async def make_world(
    storage: Storage, make_chat: MakeChat, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[MakeWorld]:
    """Starts a world; when it ends, nothing unexpected was raised and all requests were right."""
    know_own_webhooks(monkeypatch)
    made: list[World] = []

    async def make(
        mode: str = "text",
        chat_settings: ChatSettings | None = None,
        hears: Any = None,
        **settings: Any,
    ) -> World:
        model = ScriptedModel((lambda messages: made[-1].script(messages),))
        portraits, head = DiscPortraits(), StillHead()
        chat = make_chat(
            mode=mode,
            model=model,
            portraits=portraits,
            head=head,
            settings=chat_settings,
            hears=hears,
        )
        world = World(
            storage,
            model,
            portraits,
            head,
            chat,
            DiscordSettings(**{"message_content": True, **settings}),
        )
        made.append(world)
        # Typing and notices last longer than that; otherwise they would be waited for.
        monkeypatch.setattr(outlet, "_TYPING_SECONDS", 300.0)
        world.env = Env(world.new_bot(), check_errors=False, settle_timeout=15.0)
        let_events_be_waited_for(monkeypatch, world.env)
        await world.env.start()
        world.start()
        return world

    yield make
    for world in made:
        await world.chat.aclose(0)
        await world.env.shutdown()
        unexpected = [error for error in world.env.errors if not _explained(error)]
        assert not unexpected, unexpected
        api = published()
        faults = [
            fault
            for one in world.env.http_requests
            for fault in (api.faults(one.method, one.path, one.params, one.json) if api else ())
        ]
        assert not faults, faults


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    made: World = await make_world()
    return made


def _explained(error: BaseException) -> bool:
    """Whether it is an error whose sentence was shown to who caused it, or was meant to be."""
    return isinstance(getattr(error, "original", error), ChatAnythingError | KilledError)
