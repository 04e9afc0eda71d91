"""A database server: restarted, cut off, misconfigured. What is retried, and what people read."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
import traceback
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select, text

from personas.errors import UnavailableError
from storage import tables as t
from storage.database import Database
from storage.failures import explain
from storage.outages import CutOffError, retried
from storage.settings import StorageSettings, database_from
from storage.store import Storage
from tests.services.postgres import Postgres
from tests.storage.examples import add

PASSWORD = "hunter2-secret"


@pytest.fixture
def settings(away: StorageSettings) -> StorageSettings:
    return away


async def test_a_restart_between_two_uses_is_not_noticed(
    storage: Storage, postgres: Postgres
) -> None:
    await add(storage, "a")
    postgres.restart()
    assert (await add(storage, "b")).id == "b"
    assert await storage.personas.count("terminal") == 2


async def test_who_comes_while_the_server_is_down_waits(
    storage: Storage, postgres: Postgres
) -> None:
    postgres.stop()
    try:
        asked = asyncio.create_task(add(storage, "a"))
        await asyncio.sleep(0.3)
        assert not asked.done()
    finally:
        await asyncio.to_thread(postgres.start)
    assert (await asked).id == "a"


async def test_cut_connections_lose_nothing_and_double_nothing(
    storage: Storage, postgres: Postgres, postgres_database: str
) -> None:
    adding = [asyncio.create_task(add(storage, f"p{n}", name=f"N{n}")) for n in range(24)]
    cut = 0
    for _ in range(4):  # fewer than the tries of one transaction
        await asyncio.sleep(0.05)
        cut += await asyncio.to_thread(postgres.disconnect, postgres_database)
    told = await asyncio.gather(*adding, return_exceptions=True)
    assert cut > 0
    # Where a commit was cut, nobody knows; then that is said, and it is stored whole or not.
    for error in (one for one in told if isinstance(one, BaseException)):
        assert isinstance(error, UnavailableError) and "not known" in str(error)
    sure = {one.id for one in told if not isinstance(one, BaseException)}
    stored = [persona.id for persona in await storage.personas.list("terminal")]
    assert sure <= set(stored) and len(stored) == len(set(stored))


async def test_a_transaction_that_was_cut_off_has_not_happened(
    storage: Storage, postgres: Postgres, postgres_database: str
) -> None:
    database = storage._database
    row = {"id": "g", "policy": {}, "created_at": "2026-01-01T00:00:00+00:00"}
    with pytest.raises(CutOffError):
        async with database.writing() as connection:
            await connection.execute(text("INSERT INTO gallery VALUES (:id, '{}', now())"), row)
            await asyncio.to_thread(postgres.disconnect, postgres_database)
            await connection.execute(text("SELECT 1"))
    assert await storage.galleries.list() == []


async def test_a_commit_that_was_cut_off_is_not_done_again(
    storage: Storage, postgres: Postgres, postgres_database: str
) -> None:
    tries = 0

    @retried
    async def write() -> None:
        nonlocal tries
        tries += 1
        async with storage._database.writing() as connection:
            await connection.execute(text("INSERT INTO gallery VALUES ('g', '{}', now())"))
            await asyncio.to_thread(postgres.disconnect, postgres_database)

    with pytest.raises(UnavailableError, match="not known"):
        await write()
    assert tries == 1


async def test_of_two_that_wait_for_each_other_both_get_through(storage: Storage) -> None:
    for id in "ab":
        await storage.channels.set_mode(id, "text")
    meeting = asyncio.Barrier(2)
    met: set[str] = set()

    @retried
    async def both(first: str, second: str) -> None:
        async with storage._database.writing() as connection:
            lock = select(t.channel.c.id).with_for_update()
            await connection.execute(lock.where(t.channel.c.id == first))
            if first not in met:
                met.add(first)
                await meeting.wait()
            await connection.execute(lock.where(t.channel.c.id == second))

    await asyncio.gather(both("a", "b"), both("b", "a"))
    assert met == {"a", "b"}


async def test_reading_is_one_view_whoever_writes(storage: Storage) -> None:
    async with storage._database.reading() as connection:
        assert (await connection.execute(select(t.channel.c.id))).all() == []
        await storage.channels.set_mode("discord:1", "text")
        assert (await connection.execute(select(t.channel.c.id))).all() == []
    assert await storage.channels.mode("discord:1") == "text"


async def test_moments_are_in_utc_wherever_the_server_is(
    storage: Storage, settings: StorageSettings, postgres: Postgres, postgres_database: str
) -> None:
    added = await add(storage, "a")
    postgres.execute(f"ALTER DATABASE {postgres_database} SET timezone = 'Asia/Tokyo'")
    async with await Storage.open(settings) as other:
        conversation = await other.conversations.open(added, "here")
        assert conversation.created_at.utcoffset() is not None
        again = await storage.conversations.open(added, "here")
        assert again.created_at == conversation.created_at


async def test_a_statement_that_takes_too_long_is_stopped(settings: StorageSettings) -> None:
    database = Database(settings.model_copy(update={"statement_seconds": 0.05}))
    with pytest.raises(UnavailableError, match="took too long"):
        async with database.reading() as connection:
            await connection.execute(text("SELECT pg_sleep(60)"))
    await database.aclose()


async def test_a_wrong_password_is_named_and_never_shown(
    settings: StorageSettings,
    postgres: Postgres,
    postgres_database: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    postgres.protect("guarded", "right")
    caplog.set_level(logging.DEBUG)
    url = SecretStr(postgres.url(postgres_database, "guarded", PASSWORD))
    with pytest.raises(UnavailableError, match="user name or password") as raised:
        await Storage.open(settings.model_copy(update={"database_url": url}))
    assert PASSWORD not in "".join(traceback.format_exception(raised.value)) + caplog.text


async def test_a_database_that_is_not_there_is_named(
    settings: StorageSettings, postgres: Postgres
) -> None:
    url = SecretStr(postgres.url("nosuch"))
    with pytest.raises(UnavailableError, match="no database of the name"):
        await Storage.open(settings.model_copy(update={"database_url": url}))


async def test_a_server_that_does_not_answer_is_waited_for_and_then_named(
    settings: StorageSettings, tmp_path: Any
) -> None:
    url = SecretStr(f"postgresql://somebody:{PASSWORD}@/x?host={tmp_path}")
    away = settings.model_copy(update={"database_url": url, "busy_seconds": 0.3})
    began = time.monotonic()
    with pytest.raises(UnavailableError, match="does not answer") as raised:
        await Storage.open(away)
    assert time.monotonic() - began >= 0.3
    assert PASSWORD not in "".join(traceback.format_exception(raised.value))


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(UnavailableError, match=r"chatanything\[scale\]"):
        database_from("postgresql://somebody@localhost/x")


def test_a_url_that_is_none_tells_no_password() -> None:
    with pytest.raises(UnavailableError) as raised:
        database_from(f"postgresql://u:{PASSWORD}:x@h:{PASSWORD}/x")
    assert PASSWORD not in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize(
    ("given", "driver", "database"),
    [
        ("postgres://u@h/name", "postgresql+psycopg", "name"),
        ("postgresql://u@h/name", "postgresql+psycopg", "name"),
        ("postgresql+psycopg://u@h/name", "postgresql+psycopg", "name"),
        ("sqlite:/data/x.sqlite3", "sqlite+aiosqlite", "/data/x.sqlite3"),
        ("sqlite:////data/x.sqlite3", "sqlite+aiosqlite", "/data/x.sqlite3"),
    ],
)
def test_urls_as_people_write_them(given: str, driver: str, database: str) -> None:
    url = database_from(given)
    assert (url.drivername, url.database) == (driver, database)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("failed to resolve host 'nosuch'", "cannot be found"),
        ("FATAL: sorry, too many clients already", "does not answer"),
        ("connection timeout expired", "does not answer"),
        ("cannot execute INSERT in a read-only transaction", "only be read"),
        ("permission denied for table persona", "may not write"),
        ("could not extend file: No space left on device", "no space left"),
        ("canceling statement due to lock timeout", "Another process"),
        ("something else", "cannot be used just now"),
    ],
)
def test_what_a_server_says_becomes_a_sentence(said: str, sentence: str) -> None:
    assert sentence in str(explain(RuntimeError(said), "The database"))
