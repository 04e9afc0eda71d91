"""kill -9 at random points while personas are created and answer: the store stays whole."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import random
import time
from multiprocessing.synchronize import Event
from pathlib import Path

from engine.conversation import Conversations, ConversationSettings
from engine.creation import CreationRequest, Creator
from engine.events import PersonaReady
from personas.styles import load_styles
from personas.voices import load_voices
from storage.personas import media_of
from storage.settings import StorageSettings
from storage.store import Storage
from tests.fakes.answers import ANSWER
from tests.fakes.head import StillHead, encode_frames
from tests.fakes.language_model import ScriptedModel
from tests.fakes.portrait import DiscPortraits
from tests.fakes.speech import HummingSynthesizer

KILLS = 50


def creator(storage: Storage) -> Creator:
    model = ScriptedModel((json.dumps(ANSWER),))
    return Creator(model, DiscPortraits(size=96), load_styles(), load_voices(), storage)


def create_for_ever(folder: Path, first_seed: int, started: Event) -> None:
    """Creates one persona after the other, and says something to each."""

    async def work() -> None:
        async with await Storage.open(StorageSettings(data_folder=folder)) as storage:
            conversations = Conversations(
                ScriptedModel(("I am here.",)),
                HummingSynthesizer(),
                StillHead(),
                encode_frames,
                storage,
                ConversationSettings(),
            )
            making = creator(storage)
            started.set()
            for seed in range(first_seed, first_seed + 10_000):
                request = CreationRequest(f"a lighthouse, number {seed}", seed=seed)
                async for event in making.create(request):
                    if isinstance(event, PersonaReady):
                        async for _ in conversations.reply(event.persona, "here", "Hello?"):
                            pass

    asyncio.run(work())


async def look(folder: Path) -> int:
    """Opens the store after a crash; every persona that is there is whole. Gives their number."""
    async with await Storage.open(StorageSettings(data_folder=folder)) as storage:
        found = await storage.personas.list("terminal", limit=100_000)
        referenced: set[str] = set()
        for persona in found:
            referenced |= media_of(persona)
            conversation = await storage.conversations.open(persona, "here")
            turns = await storage.conversations.history(conversation.id)
            referenced |= {turn.clip for turn in turns if turn.clip}
        for key in referenced:
            assert await storage.media.get(key)
        kept = (folder / "media").rglob("*.*")
        files = {path.name for path in kept if path.is_file() and not path.name.startswith(".")}
        assert files == {key.rsplit("/", 1)[-1] for key in referenced}
        return len(found)


async def use(folder: Path, seed: int) -> None:
    """The store works on: one more persona, and gone again."""
    async with await Storage.open(StorageSettings(data_folder=folder)) as storage:
        request = CreationRequest("a teapot", seed=seed)
        last = [event async for event in creator(storage).create(request)][-1]
        assert isinstance(last, PersonaReady)
        await storage.personas.delete("terminal", last.persona.id)


def test_killed_fifty_times_while_creating(tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    chance = random.Random(7)
    seen = 0
    for kill in range(KILLS):
        started = context.Event()
        child = context.Process(target=create_for_ever, args=(tmp_path, kill * 10_000, started))
        child.start()
        assert started.wait(60)
        time.sleep(chance.uniform(0.0, 0.5))
        child.kill()
        child.join()
        found = asyncio.run(look(tmp_path))
        assert found >= seen
        seen = found
        if kill % 10 == 0:
            asyncio.run(use(tmp_path, seed=2_000_000 + kill))
    assert seen >= KILLS / 5, "the child was killed before it did anything worth looking at"
