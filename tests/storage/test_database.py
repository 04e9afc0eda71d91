"""Work that is broken off leaves the database as usable as it was."""

from __future__ import annotations

import asyncio
import gc
import random
import traceback
from datetime import UTC, datetime

import pytest
from sqlalchemy import insert

from personas.errors import ChatAnythingError, UnavailableError
from storage import tables as t
from storage.conversations import Turn
from storage.settings import StorageSettings
from storage.store import Storage
from tests.storage.examples import add
from tests.storage.looking import ask

SECRET = "I have told nobody."


async def test_who_is_cancelled_while_writing_leaves_no_lock(here: StorageSettings) -> None:
    today, chance = datetime.now(UTC).date(), random.Random(1)
    async with await Storage.open(here.model_copy(update={"busy_seconds": 2.0})) as storage:
        for _ in range(60):
            work = asyncio.create_task(storage.usage.spend("discord:1", "1", "message", today))
            await asyncio.sleep(chance.uniform(0, 0.006))
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            await storage.usage.spend("discord:1", "2", "message", today)
        assert await storage.usage.used("discord:1", "message", today, "2") == 60


@pytest.mark.parametrize("patience", [20.0, 0.01], ids=["waited for", "too slow to wait for"])
async def test_what_is_under_way_at_the_end_is_finished_and_leaves_no_connection(
    settings: StorageSettings, patience: float
) -> None:
    storage = await Storage.open(settings)
    database = storage._database
    database._patience = patience
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def write() -> None:
        async with database.writing() as connection:
            begun.set()
            await go_on.wait()
            row = {"id": "discord:1", "policy": {}, "created_at": datetime.now(UTC)}
            await connection.execute(insert(t.gallery).values(row))

    work = asyncio.create_task(write())
    await begun.wait()
    closing = asyncio.create_task(database.aclose())
    await asyncio.sleep(0.1)
    assert closing.done() == (patience < 1)
    go_on.set()
    await asyncio.gather(work, closing)
    del work, closing
    gc.collect()  # a connection that nobody has closed complains here
    async with await Storage.open(settings) as again:
        assert await again.galleries.list() == ["discord:1"]
    await storage.aclose()


async def test_nothing_is_read_or_written_behind_a_closed_door(settings: StorageSettings) -> None:
    storage = await Storage.open(settings)
    await storage.aclose()
    with pytest.raises(UnavailableError, match="ending"):
        await storage.galleries.list()
    with pytest.raises(UnavailableError, match="ending"):
        await add(storage, "a")


async def test_an_error_does_not_quote_what_people_said(
    storage: Storage, settings: StorageSettings, caplog: pytest.LogCaptureFixture
) -> None:
    conversation = await storage.conversations.open(await add(storage, "a"), "here")
    if settings.is_local:
        refusing = "CREATE TRIGGER t BEFORE INSERT ON turn BEGIN SELECT RAISE(ABORT, 'no'); END"
    else:
        refusing = "ALTER TABLE turn ADD CHECK (text = '')"
    ask(settings, refusing)
    with pytest.raises(ChatAnythingError) as raised:
        await storage.conversations.append(conversation.id, Turn(role="user", text=SECRET))
    told = caplog.text + "".join(traceback.format_exception(raised.value))
    assert "IntegrityError" in told and SECRET not in told
