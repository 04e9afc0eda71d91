"""`chatanything storage`, as an operator types it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from storage.settings import StorageSettings
from storage.store import Storage
from tests.bot.conftest import Terminal
from tests.services.postgres import Postgres
from tests.services.s3 import S3
from tests.storage.examples import add

PASSWORD = "hunter2-secret"


@pytest.fixture
def filled(terminal: Terminal, tmp_path: Path) -> StorageSettings:
    settings = StorageSettings(data_folder=tmp_path / "data")

    async def fill() -> None:
        async with await Storage.open(settings) as storage:
            await add(storage, "a")
            await add(storage, "b")

    asyncio.run(fill())
    return settings


def test_where_everything_is(terminal: Terminal, filled: StorageSettings) -> None:
    told = terminal.data("storage", "status")
    assert told["database"] == str(filled.data_folder / "chatanything.sqlite3")
    assert told["media"] == str(filled.data_folder / "media")
    assert told["counts"]["personas"] == 2 and told["counts"]["media"] == 4
    assert told["processes"] == 1 and told["database_bytes"] > 0 and told["media_bytes"] > 0
    assert "personas" in terminal("storage", "status").output


def test_sweeping_removes_strays(terminal: Terminal, filled: StorageSettings) -> None:
    stray = filled.data_folder / "media" / "ab" / f"{'ab' * 32}.png"
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"stray")
    assert terminal.data("storage", "sweep") == {"media": 1, "clips": 0, "processes": 0}
    assert not stray.exists()


def test_moving_to_postgresql_and_s3(
    terminal: Terminal,
    filled: StorageSettings,
    postgres: Postgres,
    s3: S3,
    bucket: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values = s3.settings(bucket)
    media = values.pop("media_url")
    for name, value in values.items():
        monkeypatch.setenv(f"CHATANYTHING_STORAGE__{name.upper()}", value)
    url = postgres.libpq_url(postgres.create(empty=True))
    to = ("--to", url, "--media-to", media)
    moved = terminal.data("storage", "migrate", *to)
    assert moved["rows"]["persona"] == 2 and moved["media"] == 4 and moved["lost"] == []
    assert terminal.data("storage", "migrate", *to)["was_done"]
    monkeypatch.setenv("CHATANYTHING_STORAGE__DATABASE_URL", url)
    monkeypatch.setenv("CHATANYTHING_STORAGE__MEDIA_URL", media)
    told = terminal.data("storage", "status")
    assert told["media"] == media and told["counts"]["personas"] == 2


def test_wrong_targets_are_explained(
    terminal: Terminal, filled: StorageSettings, tmp_path: Path
) -> None:
    result = terminal("storage", "migrate")
    assert result.exit_code == 4 and "--to" in result.stderr
    own = filled.data_folder / "chatanything.sqlite3"
    result = terminal("storage", "migrate", "--to", f"sqlite:{own}")
    assert result.exit_code == 5 and "nothing to move" in result.stderr
    result = terminal("storage", "migrate", "--to", f"nonsense {PASSWORD}")
    assert result.exit_code == 5 and PASSWORD not in result.output + result.stderr
    result = terminal("storage", "migrate", "--to", f"mysql://u:{PASSWORD}@host/name")
    assert result.exit_code == 5 and "in a mysql database. Use PostgreSQL" in result.stderr
    assert PASSWORD not in result.output + result.stderr
    other = tmp_path / "other.sqlite3"
    assert terminal("storage", "migrate", "--to", f"sqlite:{other}").exit_code == 0
    assert other.exists()
