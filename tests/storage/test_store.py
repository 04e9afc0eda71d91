"""Opening: new data, old data, damaged data, and two processes at once."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from pydantic import SecretStr

import storage.migrations
from personas.errors import UnavailableError
from personas.gallery import Policy, Who
from storage.failures import explain
from storage.settings import StorageSettings
from storage.store import Storage
from storage.tables import HEAD, metadata
from tests.services.postgres import Postgres
from tests.storage.examples import add
from tests.storage.looking import ask, connected, files
from tests.storage.passing import to_line

ROOT = Path(__file__).parents[2]


async def test_the_migrations_make_the_tables_that_the_program_uses(
    settings: StorageSettings, storage: Storage
) -> None:
    with connected(settings) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    config = Config()
    config.set_main_option("script_location", str(Path(storage_migrations())))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def storage_migrations() -> str:
    return str(Path(storage.migrations.__file__ or "").parent)


async def test_the_database_is_kept_safely(here: StorageSettings) -> None:
    async with await Storage.open(here) as storage, storage._database.reading() as connection:
        kept = {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 2, "busy_timeout": 20_000}
        for pragma, value in kept.items():
            assert (await connection.exec_driver_sql(f"PRAGMA {pragma}")).scalar() == value


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
async def test_only_the_owner_can_read_what_is_kept(tmp_path: Path) -> None:
    data, media = tmp_path / "data", tmp_path / "media"
    async with await Storage.open(StorageSettings(data_folder=data, media_url=media.as_uri())):
        assert [folder.stat().st_mode & 0o777 for folder in (data, media)] == [0o700, 0o700]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
async def test_a_folder_that_was_shared_stays_so(here: StorageSettings) -> None:
    here.data_folder.mkdir()
    here.data_folder.chmod(0o750)
    async with await Storage.open(here):
        assert here.data_folder.stat().st_mode & 0o777 == 0o750


async def test_data_of_a_newer_version_are_not_touched(settings: StorageSettings) -> None:
    async with await Storage.open(settings):
        pass
    ask(settings, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(UnavailableError, match="newer version"):
        await Storage.open(settings)


@pytest.mark.parametrize(
    "damage", [b"this is no database, but a letter" * 100, b"SQLite format 3\0"]
)
async def test_a_damaged_database_is_named(here: StorageSettings, damage: bytes) -> None:
    here.data_folder.mkdir()
    (here.data_folder / "chatanything.sqlite3").write_bytes(damage + os.urandom(4_000))
    with pytest.raises(UnavailableError, match=r"chatanything\.sqlite3") as raised:
        await Storage.open(here)
    assert "damaged" in str(raised.value)


async def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "file", tmp_path / "file" / "data"):
        with pytest.raises(UnavailableError, match=r"file"):
            await Storage.open(StorageSettings(data_folder=folder))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
async def test_a_folder_that_cannot_be_written(here: StorageSettings) -> None:
    here.data_folder.mkdir(mode=0o500)
    with pytest.raises(UnavailableError, match="writable"):
        await Storage.open(here)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(28, "No space left on device"), "no space left"),
        (sqlite3.OperationalError("database or disk is full"), "no space left"),
        (sqlite3.OperationalError("attempt to write a readonly database"), "cannot be written"),
        (PermissionError(13, "Permission denied"), "cannot be written"),
        (sqlite3.OperationalError("database is locked"), "Another process"),
        (sqlite3.DatabaseError("database disk image is malformed"), "damaged"),
        (RuntimeError("boom"), "cannot be used"),
    ],
)
def test_every_failure_has_a_sentence(error: Exception, sentence: str) -> None:
    assert sentence in str(explain(error, "/data"))
    assert isinstance(explain(error, "/data"), UnavailableError)


async def test_a_full_disk_breaks_nothing(
    settings: StorageSettings, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add(storage, "before")
    kept = files(settings)

    async def full(*_: object) -> None:
        raise explain(OSError(28, "No space left on device"), settings.data_folder)

    with monkeypatch.context() as patch:
        patch.setattr(storage.media._objects, "put", full)
        with pytest.raises(UnavailableError, match="no space"):
            await add(storage, "unlucky")
    assert files(settings) == kept
    assert (await add(storage, "after")).id == "after"


async def test_an_unknown_driver_is_named(tmp_path: Path) -> None:
    sentences = {
        "nosuch+driver://x": "Nothing can be kept in a nosuch database",
        "postgresql+nosuch://x": "not installed",
        "://": "database_url",
    }
    for url, sentence in sentences.items():
        with pytest.raises(UnavailableError, match=sentence):
            await Storage.open(StorageSettings(data_folder=tmp_path, database_url=url))


async def test_two_storages_of_one_folder_see_each_other(settings: StorageSettings) -> None:
    one, two = await asyncio.gather(Storage.open(settings), Storage.open(settings))
    async with one, two:
        await asyncio.gather(
            *(add(one, f"one-{n}") for n in range(5)), *(add(two, f"two-{n}") for n in range(5))
        )
        personas = await one.personas.list("terminal")
        assert len(personas) == 10 == len({persona.slug for persona in personas})
        await one.personas.delete("terminal", "two-0")
        assert await two.personas.by_id("two-0") is None


def test_processes_that_start_at_once_do_no_harm(
    settings: StorageSettings, postgres: Postgres
) -> None:
    if not settings.is_local:
        fresh = postgres.create(empty=True)
        settings = settings.model_copy(update={"database_url": SecretStr(postgres.url(fresh))})
    count = 10
    program = [sys.executable, "-m", "tests.storage.crashing"]
    line = f"start {count} 0 {to_line(settings)}\n"
    ran = subprocess.run(program, input=line, text=True, capture_output=True, cwd=ROOT, timeout=240)
    assert (ran.stdout, ran.returncode) == ("done\n", 0), ran.stderr
    total = 4 * count
    assert ask(settings, "SELECT count(*), count(DISTINCT slug) FROM persona") == [(total, total)]
    assert ask(settings, "SELECT count(*) FROM owner") == [(0,)]
    assert ask(settings, "SELECT count(*) FROM store") == [(1,)]


async def test_galleries_have_rules_of_their_own(storage: Storage) -> None:
    assert await storage.galleries.policy("discord:1") == Policy()
    strict = Policy(create=Who.MODERATORS, max_personas=3)
    await storage.galleries.set_policy("discord:1", strict)
    await storage.galleries.set_policy("discord:1", strict)
    await add(storage, "a", gallery="discord:1")
    await add(storage, "b", gallery="discord:2")
    assert await storage.galleries.policy("discord:1") == strict
    assert await storage.galleries.list() == ["discord:1", "discord:2"]
    await storage.galleries.delete("discord:1")
    assert await storage.galleries.policy("discord:1") == Policy()
    assert await storage.personas.by_id("a") is None
    assert await storage.personas.by_id("b") is not None


async def test_closing_twice(settings: StorageSettings) -> None:
    storage = await Storage.open(settings)
    await storage.aclose()
    await storage.aclose()
