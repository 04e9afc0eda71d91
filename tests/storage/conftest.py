"""A real storage in a folder of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.settings import StorageSettings
from storage.store import Storage


@pytest.fixture
def settings(tmp_path: Path) -> StorageSettings:
    return StorageSettings(data_folder=tmp_path / "data", busy_seconds=20)


@pytest.fixture
async def storage(settings: StorageSettings) -> AsyncIterator[Storage]:
    async with await Storage.open(settings) as opened:
        yield opened
