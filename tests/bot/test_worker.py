"""`chatanything worker` and `chatanything queue`: heavy work is done elsewhere, and looked at."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.app import App
from bot.commands import worker
from bot.settings import Settings
from engine.conversation import Mode
from engine.creation import CreationRequest
from engine.events import ClipFailed, ClipReady, CreationEvent, PersonaReady, SpeechReady
from engine.jobs.base import Job, JobDone, JobState, JobView, Priority
from engine.jobs.settings import JobSettings
from engine.jobs.works import SpeechWork
from engine.talkinghead.settings import TalkingHeadSettings
from personas.errors import InvalidInputError, UnavailableError
from personas.persona import Persona
from personas.voices import load_voices
from storage.jobs import RecordedJob
from storage.settings import StorageSettings
from storage.store import Storage
from tests.bot.conftest import Fakes, Terminal

LONG = 60.0
OpenApp = Callable[..., App]


@pytest.fixture
async def open_app(fakes: Fakes, tmp_path: Path, postgres_url: str) -> AsyncIterator[OpenApp]:
    """Apps of several processes, as it were: they share a database and a folder of media."""
    apps: list[App] = []

    def make(size: int = 512) -> App:
        url = SecretStr(postgres_url)
        settings = Settings(
            storage=StorageSettings(data_folder=tmp_path / "data", database_url=url),
            jobs=JobSettings(backend="saq"),
            talking_head=TalkingHeadSettings(size=size),
        )
        apps.append(App(settings))
        return apps[-1]

    yield make
    for app in apps:
        await app.__aexit__(None, None, None)


async def create(app: App) -> Persona:
    creator = await app.creator()
    events: list[CreationEvent] = [
        event async for event in creator.create(CreationRequest("a lighthouse", seed=3))
    ]
    assert isinstance(events[-1], PersonaReady), events[-1]
    return events[-1].persona


async def until_working(app: App) -> None:
    queue = await app.queue()
    async with asyncio.timeout(LONG):
        while not await queue.workers():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def reply(app: App, persona: Persona, mode: Mode = "clip") -> list[object]:
    talk = await app.conversations()
    async with asyncio.timeout(LONG):
        return [event async for event in talk.reply(persona, "here", "Hello?", mode=mode)]


async def test_a_worker_makes_what_bots_ask_for_and_drains(open_app: OpenApp, fakes: Fakes) -> None:
    bot = open_app()
    await bot.studio()
    working = asyncio.create_task(
        worker.work(open_app(), stages="portrait, clip,speech", device="", concurrency=2)
    )
    await until_working(bot)
    persona = await create(bot)
    events = await reply(bot, persona)
    kinds = [type(event) for event in events]
    assert kinds[-2:] == [SpeechReady, ClipReady], events[-1]
    clip = events[-1]
    assert isinstance(clip, ClipReady)
    other = open_app()  # any process can use what a worker has made
    storage = await other.storage()
    assert await storage.media.get(clip.key) == clip.clip.data
    assert isinstance((await reply(other, persona))[-1], ClipReady)
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(working, LONG)
    assert await (await bot.queue()).workers() == []


async def test_speech_comes_without_waiting_for_those_who_film(
    open_app: OpenApp, fakes: Fakes
) -> None:
    bot = open_app()
    persona_working = asyncio.create_task(
        worker.work(open_app(), stages="portrait,speech", device="cpu", concurrency=1)
    )
    await until_working(bot)
    persona = await create(bot)
    talk = await bot.conversations()
    async with asyncio.timeout(LONG):
        async for event in talk.reply(persona, "here", "Hello?"):
            if isinstance(event, SpeechReady):
                break
    waiting = await (await bot.queue()).jobs()
    assert [view.kind for view in waiting] in (["clip"], [])
    persona_working.cancel()
    await asyncio.gather(persona_working, return_exceptions=True)


async def test_what_fails_on_a_worker_is_told_where_it_was_asked_for(
    open_app: OpenApp, fakes: Fakes
) -> None:
    bot = open_app()
    working = asyncio.create_task(worker.work(open_app(), stages="", device="", concurrency=1))
    await until_working(bot)
    persona = await create(bot)
    fakes.speech.failures += [InvalidInputError("There is nothing in it that can be said.")]
    last = (await reply(bot, persona, "voice"))[-1]
    assert last == ClipFailed("There is nothing in it that can be said.")
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def test_a_worker_that_makes_other_things_does_not_start(open_app: OpenApp) -> None:
    await open_app().studio()
    with pytest.raises(UnavailableError, match="clip size: here 256, there 512"):
        await worker.work(open_app(size=256), stages="", device="", concurrency=1)


async def test_a_worker_ends_when_bots_of_another_version_have_come(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_LOOKS_EVERY", 0.1)
    bot = open_app()
    await bot.studio()
    working = asyncio.create_task(worker.work(open_app(), stages="", device="", concurrency=1))
    await until_working(bot)
    await open_app(size=256).studio()
    with pytest.raises(UnavailableError, match="clip size: here 512, there 256"):
        await asyncio.wait_for(working, LONG)
    assert await (await bot.queue()).workers() == []


@pytest.mark.parametrize(
    ("stages", "device", "message"),
    [("clip,potrait", "", "no stage potrait"), ("", "gpu", "no device"), ("", "cuda:x", "device")],
)
async def test_a_mistake_is_explained(
    open_app: OpenApp, stages: str, device: str, message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        await worker.work(open_app(), stages=stages, device=device, concurrency=1)


def test_a_worker_needs_a_queue_of_many_processes(terminal: Terminal) -> None:
    result = terminal("worker")
    assert result.exit_code == 4 and 'backend = "saq"' in result.stderr


def test_the_queue_of_many_processes_needs_postgresql(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHATANYTHING_JOBS__BACKEND", "saq")
    result = terminal("queue", "status")
    assert result.exit_code == 5 and "needs PostgreSQL" in result.stderr


def test_the_queue_of_one_process_is_looked_at(terminal: Terminal) -> None:
    assert terminal.data("queue", "list") == []
    assert terminal.data("queue", "status") == {"kinds": [], "workers": []}
    assert terminal("queue", "show", "abc").exit_code == 3
    assert terminal("queue", "list", "--state", "lost").exit_code == 4


def test_what_another_process_has_in_hand_is_left_to_it(terminal: Terminal, tmp_path: Path) -> None:
    portrait = RecordedJob(
        id=64 * "a", kind="portrait", community="a", priority=Priority.PORTRAIT, body={}
    )

    async def set_aside(storage: Storage) -> None:
        await storage.jobs.set_aside(portrait.id, "It is left alone.")

    with asyncio.Runner() as other:
        storage = other.run(Storage.open(StorageSettings(data_folder=tmp_path / "data")))
        other.run(storage.jobs.record(portrait))
        refused = terminal("queue", "cancel", "aaaa")
        assert refused.exit_code == 5 and "Another process has this portrait" in refused.stderr
        (listed,) = terminal.data("queue", "list")
        assert listed["worker"] == "another process"
        other.run(set_aside(storage))
        assert "next start" in terminal("queue", "retry", "aaaa").stderr
        other.run(storage.aclose())
    assert terminal("queue", "cancel", "aaaa").exit_code == 0
    assert terminal.data("queue", "list") == []


def test_no_job_is_left_out_in_silence(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        """A queue in which very much was set aside."""

        async def jobs(self, state: JobState, kind: str, limit: int) -> list[JobView]:
            now = datetime.now(UTC)
            view = JobView("a", "clip", state, "discord:1", 1, 3, now, 0.0, 0.0, "", "no", {})
            return [view] * min(limit, 120)

    async def queue(_: App) -> Full:
        return Full()

    monkeypatch.setattr(App, "queue", queue)
    few = terminal("queue", "poison", "--json")
    assert len(json.loads(few.stdout)) == 50
    assert "... and more: --limit shows them." in few.stderr
    assert len(terminal.data("queue", "poison", "--limit", "120")) == 120
    assert "more" not in terminal("queue", "poison", "--limit", "120").stderr


def test_operators_look_at_the_queue_and_interfere(
    terminal: Terminal, open_app: OpenApp, monkeypatch: pytest.MonkeyPatch, postgres_url: str
) -> None:
    monkeypatch.setenv("CHATANYTHING_JOBS__BACKEND", "saq")
    monkeypatch.setenv("CHATANYTHING_STORAGE__DATABASE_URL", postgres_url)

    async def submit() -> str:
        async with open_app() as app:
            queue = (await app.studio()).queue
            job = Job("clip", {"text": "a secret \x1b[2J"})
            return await queue.submit(job, community="discord:1", priority=Priority.CLIP)

    id = asyncio.run(submit())
    (listed,) = terminal.data("queue", "list")
    assert (listed["id"], listed["state"]) == (id, "waiting")
    assert "secret" not in terminal("queue", "list").stdout
    shown = terminal("queue", "show", id[:8])
    assert "a secret" in shown.stdout and "\x1b[2J" not in shown.stdout
    assert terminal.data("queue", "show", id[:8])["payload"] == {"text": "a secret \x1b[2J"}
    assert terminal("queue", "retry", id[:8]).exit_code == 4
    status = terminal.data("queue", "status")
    assert status["kinds"][0]["waiting"] == 1 and status["workers"] == []
    assert "Nobody works" in terminal("queue", "status").stderr
    assert terminal.data("queue", "poison") == []
    assert terminal("queue", "cancel", id[:8]).exit_code == 0
    assert terminal.data("queue", "list") == []


async def test_a_worker_in_a_process_of_its_own(tmp_path: Path, postgres_url: str) -> None:
    settings = {
        "CHATANYTHING_JOBS__BACKEND": "saq",
        "CHATANYTHING_STORAGE__DATABASE_URL": postgres_url,
        "CHATANYTHING_STORAGE__DATA_FOLDER": str(tmp_path / "data"),
    }
    command = [sys.executable, "-P", "-m", "bot", "worker", "--stages", "speech"]
    process = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **settings}, stderr=subprocess.PIPE
    )
    storage = StorageSettings(data_folder=tmp_path / "data", database_url=SecretStr(postgres_url))
    async with App(Settings(storage=storage, jobs=JobSettings(backend="saq"))) as app:
        queue = (await app.studio()).queue
        work = SpeechWork(text="Hello.", voice=load_voices().cast("captain", 7))
        id = await queue.submit(work.job(), community="a", priority=Priority.SPEECH)
        async with asyncio.timeout(2 * LONG):
            end = [event async for event in queue.events(id)][-1]
        assert isinstance(end, JobDone)
        assert await (await app.storage()).media.get(end.media[0])
    process.send_signal(signal.SIGTERM)
    _, told = await asyncio.wait_for(process.communicate(), LONG)
    assert process.returncode == 0 and b"Goodbye" in told
