"""A real storage for the engine's tests, made once and copied for each."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from storage.settings import StorageSettings
from storage.store import Storage


@pytest.fixture(scope="session")
def empty_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with its tables, and nothing in them: migrating takes longer than copying."""
    folder = tmp_path_factory.mktemp("empty") / "data"

    async def make() -> None:
        await (await Storage.open(StorageSettings(data_folder=folder))).aclose()

    asyncio.run(make())
    return folder


@pytest.fixture
async def storage(tmp_path: Path, empty_data: Path) -> AsyncIterator[Storage]:
    shutil.copytree(empty_data, tmp_path / "data")
    async with await Storage.open(StorageSettings(data_folder=tmp_path / "data")) as opened:
        yield opened


@pytest.fixture
def media(tmp_path: Path) -> Callable[[], set[str]]:
    """Tells the names of the files in the media folder."""
    folder = tmp_path / "data" / "media"
    return lambda: {path.name for path in folder.rglob("*.*") if path.is_file()}
