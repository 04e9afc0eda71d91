"""kill -9 at any point of an answer: the next process brings it to its end, once."""

from __future__ import annotations

import asyncio
import copy
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.chat.base import IncomingMessage
from bot.chat.pending import Pending
from bot.chat.pieces import pieces
from bot.chat.settings import ChatSettings
from personas.errors import ChatAnythingError, UnavailableError
from personas.persona import Persona
from storage import tables as t
from storage.conversations import conversation_id
from storage.settings import StorageSettings
from storage.store import Storage
from tests.bot.chat.conftest import ANA, HERE, MakeWorld, World, sound, until
from tests.fakes.hearing import FakeRecognizer
from tests.fakes.killing import Fuse, KilledError, swept_away
from tests.fakes.outlet import Platform
from tests.storage.looking import ask

WORDS = "Mind the rocks. They are older than you, and wetter than me, and they never move."
OFTEN = ChatSettings(takeover_seconds=0, messages_each=0)


class Process:
    """A process of the program, on a platform and data that it shares with others."""

    def __init__(self, world: World, platform: Platform, points: int = 0) -> None:
        self.world = world
        self.fuse = Fuse(world.storage, points)
        self.platform = copy.copy(platform)
        self.platform.call = self._call  # type: ignore[method-assign]
        self.platform.arrived = self._arrived  # type: ignore[method-assign]
        world.platform = self.platform
        world.answers = WORDS

    def _call(self) -> None:
        self.fuse.burn()

    async def _arrived(self) -> None:
        self.fuse.burn()

    async def say(self, message: IncomingMessage) -> None:
        """It sees a message; killed or not, it has ended then."""
        with suppress(KilledError, ChatAnythingError):
            await self.world.chat.replies.receive(message, self.platform.open)

    async def go_on(self) -> list[Pending]:
        """It goes on with what others have left."""
        replies = self.world.chat.replies
        taken = await replies.take_over("discord")
        for pending in taken:
            heard = sound() if pending.question.sound else None
            await replies.resume(pending, self.platform.open, heard)
        return taken

    async def die(self) -> None:
        """Killed, with all that it does."""
        if not self.fuse.is_dead:
            self.fuse.kill()
        works = self.world.chat._works._working
        await swept_away([work.task for work in works if work.task is not None])

    @property
    def settings(self) -> StorageSettings:
        return StorageSettings(data_folder=self.world.storage.owners._folder.parent)

    async def close(self) -> None:
        await self.die()
        self.fuse.bury()
        await self.world.storage.aclose()


@dataclass
class City:
    """Processes that share a platform and data."""

    platform: Platform
    folder: Path
    make: MakeWorld
    options: dict[str, Any]
    processes: list[Process] = field(default_factory=list)

    async def start(self, points: int = 0) -> Process:
        settings = StorageSettings(data_folder=self.folder, busy_seconds=20)
        world = self.make(kept=await Storage.open(settings), settings=OFTEN, **self.options)
        self.processes.append(Process(world, self.platform, points))
        return self.processes[-1]

    def rows(self, query: str) -> object:
        [[value]] = ask(StorageSettings(data_folder=self.folder), query)
        return value

    @property
    def unfinished(self) -> object:
        return self.rows("SELECT count(*) FROM unfinished")


MakeCity = Callable[..., City]


@pytest.fixture
async def make_city(make_world: MakeWorld, storage: Storage) -> AsyncIterator[MakeCity]:
    made: list[City] = []

    def make(platform: Platform | None = None, **options: Any) -> City:
        folder = storage.owners._folder.parent
        made.append(City(platform or Platform(), folder, make_world, options))
        return made[-1]

    yield make
    for city in made:
        for process in city.processes:
            await process.close()


@pytest.fixture
async def persona(make_world: MakeWorld) -> Persona:
    return await make_world().make()


def asked(number: int = 1, **more: Any) -> IncomingMessage:
    """A question in a channel of its own."""
    place = replace(HERE, channel=f"discord:{1_000 + number}")
    return IncomingMessage(f"q{number}", place, ANA, "Hello?", mentioned=True, **more)


async def told(process: Process, persona: Persona, message: IncomingMessage) -> list[str]:
    """Who has said what in the memory of a persona, the greeting aside."""
    id = conversation_id(persona.id, message.place.channel)
    turns = await process.world.storage.conversations.history(id)
    return [turn.role for turn in turns[1:]]


@pytest.mark.parametrize(
    ("mode", "limit"),
    [("text", 40), ("clip", 2_000), ("voice", 40)],
    ids=["text, several messages", "clip", "voice, several messages"],
)
@pytest.mark.parametrize("finds", [True, False], ids=["like Discord", "like Telegram"])
async def test_killed_at_any_point_of_an_answer(
    make_city: MakeCity, persona: Persona, mode: str, limit: int, *, finds: bool
) -> None:
    city = make_city(Platform(finds=finds, text_limit=limit), mode=mode)
    whole = pieces(WORDS, limit)
    lost_text = lost_files = 0
    for points in itertools.count(1):
        city.platform.messages.clear()
        city.platform.files.clear()
        message = asked(points)
        first = await city.start(points)
        await first.say(message)
        is_over = not first.fuse.is_dead
        await first.die()
        second = await city.start()
        await second.go_on()
        await second.say(message)  # it sees it, too
        assert city.unfinished == 0
        said = city.platform.said
        if finds or said == whole:
            assert said == whole
        else:
            # Handed over, and never known to have come: not sent again.
            assert len(said) == len(whole) - 1 or set(said) & set(whole)
            lost_text += 1
        expected = 0 if mode == "text" else 1
        assert len(city.platform.files) <= expected
        lost_files += len(city.platform.files) < expected
        assert await told(second, persona, message) == ["user", "persona"]
        gallery = message.place.gallery
        assert await second.world.storage.usage.used(gallery, "message") == points
        if is_over:
            break
    assert points > 10
    assert lost_files <= 2
    assert lost_text <= 2 * len(whole)


async def begun(city: City, message: IncomingMessage, when: Callable[[Process], bool]) -> Process:
    """A process that is killed in the middle of an answer."""
    process = await city.start()
    process.world.model.pause = 0.01
    answering = asyncio.create_task(process.say(message))
    await until(lambda: when(process))
    process.fuse.kill()
    await process.die()
    await answering
    return process


def shows_something(process: Process) -> bool:
    rows = ask(process.settings, "SELECT body FROM unfinished")
    return bool(rows) and '"messages": ["' in str(rows[0][0])


def has_text(process: Process) -> bool:
    return '"turn": ' in str(ask(process.settings, "SELECT body FROM unfinished"))


async def test_half_a_text_is_brought_to_its_end_in_the_same_message(
    make_city: MakeCity, persona: Persona
) -> None:
    city = make_city(mode="text")
    await begun(city, asked(), shows_something)
    [(message, half)] = city.platform.messages.items()
    assert half and half != WORDS
    second = await city.start()
    assert len(await second.go_on()) == 1
    assert city.platform.messages == {message: WORDS}
    post = await second.world.storage.channels.post("discord:1001", message)
    assert post is not None and post.persona_id == persona.id and post.question == "q1"
    assert city.unfinished == 0


async def test_of_several_processes_one_goes_on(make_city: MakeCity, persona: Persona) -> None:
    city = make_city(mode="text")
    await begun(city, asked(), shows_something)
    others = [await city.start() for _ in range(3)]
    taken = await asyncio.gather(*(one.go_on() for one in others))
    assert sum(map(len, taken)) == 1
    assert city.platform.said == [WORDS]


async def test_two_that_see_the_same_message_answer_once(
    make_city: MakeCity, persona: Persona
) -> None:
    city = make_city(mode="text")
    both = [await city.start() for _ in range(2)]
    await asyncio.gather(*(one.say(asked()) for one in both))
    assert city.platform.said == [WORDS]


async def test_what_was_spoken_is_quoted_once(make_city: MakeCity, persona: Persona) -> None:
    hears = FakeRecognizer()
    city = make_city(mode="text", hears=hears)
    message = replace(asked(), text="", sound=replace(sound(), name="file-7"))
    await begun(city, message, shows_something)
    second = await city.start()
    await second.go_on()
    assert city.platform.quoted == [hears.text]
    assert city.platform.said == [WORDS]
    assert len(hears.heard) == 1


async def test_a_recording_that_nobody_has_heard_is_listened_to(
    make_city: MakeCity, persona: Persona
) -> None:
    hears = FakeRecognizer()
    city = make_city(mode="text", hears=hears)
    city.platform.lets_in.clear()
    message = replace(asked(), text="", sound=replace(sound(), name="file-7"))
    await begun(city, message, lambda process: process.platform.opened == 1)
    city.platform.lets_in.set()
    second = await city.start()
    [pending] = await second.go_on()
    assert pending.question.sound == "file-7"
    assert city.platform.quoted == [hears.text]
    assert city.platform.said == [WORDS]


async def aged(process: Process, **age: float) -> None:
    """As if what is unfinished had been begun so long ago."""
    then = datetime.now(UTC) - timedelta(**age)
    async with process.world.storage._database.writing() as connection:
        await connection.execute(t.unfinished.update().values(created_at=then))


async def test_who_was_not_answered_for_long_is_told(make_city: MakeCity, persona: Persona) -> None:
    city = make_city(mode="text")
    city.platform.lets_in.clear()
    await begun(city, asked(), lambda process: process.platform.opened == 1)
    city.platform.lets_in.set()
    second = await city.start()
    await aged(second, minutes=11)
    await second.go_on()
    assert city.platform.said == []
    [sentence] = city.platform.told
    assert "Say it again" in sentence
    assert city.unfinished == 0
    assert await second.world.storage.usage.used(HERE.gallery, "message") == 0


async def test_half_a_text_is_finished_late_but_without_a_clip(
    make_city: MakeCity, persona: Persona
) -> None:
    city = make_city(mode="clip")
    await begun(city, asked(), shows_something)
    second = await city.start()
    await aged(second, hours=1)
    await second.go_on()
    assert city.platform.said == [WORDS]
    assert city.platform.files == {} and city.platform.told == []
    assert city.unfinished == 0


async def test_what_is_a_day_old_is_let_be(make_city: MakeCity, persona: Persona) -> None:
    city = make_city(mode="clip")
    await begun(city, asked(), shows_something)
    half = dict(city.platform.messages)
    second = await city.start()
    await aged(second, hours=25)
    await second.go_on()
    assert city.platform.messages == half and city.platform.told == []
    assert city.unfinished == 0


async def test_a_message_that_kills_each_process_is_given_up(
    make_city: MakeCity, persona: Persona
) -> None:
    city = make_city(mode="text")
    await begun(city, asked(), shows_something)
    for _ in range(2):
        process = await city.start()
        assert len(await process.world.chat.replies.take_over("discord")) == 1
        await process.die()
    last = await city.start()
    assert len(await last.go_on()) == 1
    assert city.unfinished == 0
    assert city.platform.said != [WORDS]


async def test_a_persona_that_was_deleted_answers_nobody(
    make_city: MakeCity, persona: Persona
) -> None:
    city = make_city(mode="text")
    city.platform.lets_in.clear()
    await begun(city, asked(), lambda process: process.platform.opened == 1)
    second = await city.start()
    await second.world.storage.personas.delete(persona.gallery, persona.id)
    await second.go_on()
    assert city.platform.said == [] and city.unfinished == 0
    assert await second.world.storage.usage.used(HERE.gallery, "message") == 0


async def test_what_waits_when_the_program_ends_is_answered_by_the_next(
    make_city: MakeCity, persona: Persona
) -> None:
    city = make_city(mode="text")
    city.platform.lets_in.clear()
    first = await city.start()
    first.world.chat._works._texts._free = 0  # everybody else comes first
    answering = asyncio.create_task(first.say(asked()))
    await until(lambda: city.unfinished == 1)
    await until(lambda: first.world.chat.in_flight == 1)
    await first.world.chat.aclose(0.0)
    await answering
    city.platform.lets_in.set()
    second = await city.start()
    assert len(await second.go_on()) == 1
    assert city.platform.said == [WORDS]
    assert city.unfinished == 0
    assert await second.world.storage.usage.used(HERE.gallery, "message") == 1


async def test_what_is_said_while_the_program_ends_is_answered_by_the_next(
    make_city: MakeCity, persona: Persona
) -> None:
    city = make_city(mode="text")
    first = await city.start()
    await first.world.chat.aclose(0.0)
    await first.say(asked())
    assert city.platform.said == []
    second = await city.start()
    await second.go_on()
    await second.say(asked())  # it sees it, too
    assert city.platform.said == [WORDS]
    assert city.unfinished == 0
    assert await second.world.storage.usage.used(HERE.gallery, "message") == 1


async def test_who_was_taken_for_dead_posts_nothing_more(
    make_city: MakeCity, persona: Persona
) -> None:
    city = make_city(Platform(text_limit=40), mode="text")
    slow = await city.start()
    slow.world.model.pause = 0.05
    answering = asyncio.create_task(slow.say(asked()))
    await until(lambda: shows_something(slow))
    slow.world.storage.owners._lock.release()  # it hangs, and others think that it is dead
    second = await city.start()
    await second.go_on()
    await answering
    assert len(city.platform.said) == len(pieces(WORDS, 40))
    assert await told(second, persona, asked()) == ["user", "persona"]
    assert await second.world.storage.usage.used(HERE.gallery, "message") == 1


async def test_the_clip_comes_later_where_the_database_was_away_after_the_text(
    make_city: MakeCity, persona: Persona, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_: Any) -> None:
        raise UnavailableError("The database does not answer.")

    city = make_city(mode="clip")
    process = await city.start()
    with monkeypatch.context() as patch:
        patch.setattr(process.world.storage.channels, "posted", away)
        await process.say(asked())
    assert city.platform.said == [WORDS]
    assert city.platform.files == {}
    assert city.unfinished == 1
    assert len(await process.go_on()) == 1
    assert city.platform.said == [WORDS]
    assert len(city.platform.files) == 1
    assert city.unfinished == 0
