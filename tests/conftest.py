"""What every test may use. Nothing here touches a person's own data or configuration."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from storage.settings import StorageSettings
from storage.store import Storage

if TYPE_CHECKING:
    from engine.models.store import ModelStore

pytest_plugins = ["tests.services.fixtures"]


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps a developer's configuration, keys, log and personas out of the tests, and safe."""
    for variable in ("CHATANYTHING_CONFIG", "OPENAI_API_KEY", "OPENAI_BASE_URL", "COLUMNS"):
        monkeypatch.delenv(variable, raising=False)
    # The cache folder stays the real one: models are fetched once, not once a test.
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / variable.lower()))


@pytest.fixture(scope="session")
def models() -> ModelStore:
    """The models that were fetched on this machine."""
    from engine.models.settings import ModelStoreSettings
    from engine.models.store import ModelStore

    return ModelStore.from_settings(ModelStoreSettings())


@pytest.fixture(scope="session")
def require_model(models: ModelStore) -> Callable[[str], Path]:
    """Gives the path of a fetched model, or skips the test and says how to get it."""

    def require(name: str) -> Path:
        if not models.has(name):
            pytest.skip(f"needs `chatanything models pull {name}`")
        return models.path(name)

    return require


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
    """A real storage, made once and copied for each test."""
    shutil.copytree(empty_data, tmp_path / "data")
    async with await Storage.open(StorageSettings(data_folder=tmp_path / "data")) as opened:
        yield opened
