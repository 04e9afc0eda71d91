"""A real storage of its own: in a folder, and on PostgreSQL with S3, far from any folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.settings import StorageSettings
from storage.store import Storage
from tests.services.s3 import S3


@pytest.fixture
def here(tmp_path: Path) -> StorageSettings:
    """All of it in a folder."""
    return StorageSettings(data_folder=tmp_path / "data", busy_seconds=20)


@pytest.fixture
def away(tmp_path: Path, postgres_url: str, s3: S3, bucket: str) -> StorageSettings:
    """None of it on this machine; the data folder must not even be made."""
    values = {**s3.settings(bucket), "database_url": postgres_url}
    return StorageSettings(data_folder=tmp_path / "none", busy_seconds=20, **values)


@pytest.fixture(params=["here", "away"])
def settings(request: pytest.FixtureRequest) -> StorageSettings:
    """Where things are kept: everything is tested in both places."""
    found: StorageSettings = request.getfixturevalue(request.param)
    return found


@pytest.fixture
async def storage(settings: StorageSettings) -> AsyncIterator[Storage]:
    async with await Storage.open(settings) as opened:
        yield opened
    assert settings.is_local or not settings.data_folder.exists()
