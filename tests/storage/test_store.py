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
from sqlalchemy import create_engine
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

import storage.migrations
from personas.errors import UnavailableError
from personas.gallery import Policy, Who
from storage.failures import explain
from storage.settings import StorageSettings
from storage.store import Storage
from storage.tables import HEAD, metadata
from tests.storage.examples import add
from tests.storage.looking import ask, files


def database(settings: StorageSettings) -> Path:
    return settings.data_folder / "chatanything.sqlite3"


async def test_the_migrations_make_the_tables_that_the_program_uses(
    settings: StorageSettings, storage: Storage
) -> None:
    engine = create_engine(f"sqlite:///{database(settings)}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()
    config = Config()
    config.set_main_option("script_location", str(Path(storage_migrations())))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def storage_migrations() -> str:
    return str(Path(storage.migrations.__file__ or "").parent)


def test_the_tables_can_be_made_on_postgresql() -> None:
    for table in metadata.sorted_tables:
        assert str(CreateTable(table).compile(dialect=postgresql.dialect()))


async def test_the_database_is_kept_safely(settings: StorageSettings, storage: Storage) -> None:
    assert ask(settings, "PRAGMA journal_mode") == [("wal",)]
    async with storage._database.reading() as connection:
        for pragma, value in {"foreign_keys": 1, "synchronous": 2, "busy_timeout": 20_000}.items():
            assert (await connection.exec_driver_sql(f"PRAGMA {pragma}")).scalar() == value


async def test_data_of_a_newer_version_are_not_touched(settings: StorageSettings) -> None:
    async with await Storage.open(settings):
        pass
    connection = sqlite3.connect(database(settings))
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    with pytest.raises(UnavailableError, match="newer version"):
        await Storage.open(settings)


@pytest.mark.parametrize(
    "damage", [b"this is no database, but a letter" * 100, b"SQLite format 3\0"]
)
async def test_a_damaged_database_is_named(settings: StorageSettings, damage: bytes) -> None:
    settings.data_folder.mkdir()
    database(settings).write_bytes(damage + os.urandom(4_000))
    with pytest.raises(UnavailableError, match=r"chatanything\.sqlite3") as raised:
        await Storage.open(settings)
    assert "damaged" in str(raised.value)


async def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "file", tmp_path / "file" / "data"):
        with pytest.raises(UnavailableError, match=r"file"):
            await Storage.open(StorageSettings(data_folder=folder))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
async def test_a_folder_that_cannot_be_written(settings: StorageSettings) -> None:
    settings.data_folder.mkdir(mode=0o500)
    with pytest.raises(UnavailableError, match="writable"):
        await Storage.open(settings)


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
    for url, sentence in {"nosuch+driver://x": "not installed", "://": "database_url"}.items():
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


def test_processes_that_start_at_once_do_no_harm(settings: StorageSettings) -> None:
    program = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from storage.settings import StorageSettings\n"
        "from storage.store import Storage\n"
        "from tests.storage.examples import add\n"
        "async def main():\n"
        "    settings = StorageSettings(data_folder=Path(sys.argv[1]))\n"
        "    async with await Storage.open(settings) as storage:\n"
        "        await asyncio.gather(*(add(storage, sys.argv[2] + str(n)) for n in range(4)))\n"
        "asyncio.run(main())\n"
    )
    command = [sys.executable, "-c", program, str(settings.data_folder)]
    root = Path(__file__).parents[2]
    started = [subprocess.Popen([*command, name], cwd=root) for name in "ab"]
    assert [process.wait(120) for process in started] == [0, 0]
    assert ask(settings, "SELECT count(*), count(DISTINCT slug) FROM persona") == [(8, 8)]
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
