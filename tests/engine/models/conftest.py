"""A registry on loopback, and stores of small models that come from it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engine.models.catalogue import Catalogue, ModelEntry, Purpose
from engine.models.store import ModelStore
from engine.models.web import Patience
from tests.fakes.registries import Registry, serving


def body_of(size: int, seed: int = 1) -> bytes:
    """Bytes that do not compress and are the same each time."""
    blocks = (hashlib.sha256(f"{seed}/{n}".encode()).digest() for n in range(size // 32 + 1))
    return b"".join(blocks)[:size]


def file_of(path: str, body: bytes, *sources: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A file of the catalogue whose hash is right."""
    sha256 = hashlib.sha256(body).hexdigest()
    return {"path": path, "size": len(body), "sha256": sha256, "sources": sources, **more}


def entry_of(name: str, *files: dict[str, Any]) -> ModelEntry:
    """An entry of the catalogue."""
    return ModelEntry.model_validate(
        {
            "name": name,
            "purpose": Purpose.ART,
            "title": name,
            "author": "nobody",
            "licence": "CC0-1.0",
            "files": files,
        }
    )


@dataclass
class Shop:
    """Makes stores that buy at one registry."""

    registry: Registry
    folder: Path
    home: Path

    def store(self, *entries: ModelEntry, **options: Any) -> ModelStore:
        """A store that never pauses between attempts, unless told otherwise."""
        options.setdefault("patience", Patience(read=5, sleep=lambda _: None))
        options.setdefault("environment", self.registry.environment(str(self.home)))
        return ModelStore(self.folder, Catalogue(models=entries), **options)

    def url(self, path: str, body: bytes) -> dict[str, Any]:
        """A source that is a plain address, with something at it."""
        self.registry.files[path] = body
        return {"kind": "url", "url": f"{self.registry.url}{path}"}

    def leftovers(self) -> list[Path]:
        """Files in the store's folder that belong to no finished model."""
        hidden = [path for path in self.folder.glob(".*") if path.name != ".locks"]
        return [file for path in hidden for file in path.rglob("*") if file.is_file()]


@pytest.fixture
def registry() -> Iterator[Registry]:
    with serving() as registry:
        yield registry


@pytest.fixture
def shop(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "home"
    home.mkdir()
    return Shop(registry, tmp_path / "models", home)
