"""Looking at what is kept from outside: at the files and the rows themselves."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from storage.conversations import conversation_id
from storage.settings import StorageSettings
from storage.store import Storage


def files(settings: StorageSettings) -> set[str]:
    """All media files by their paths below the media folder, cut ones too."""
    folder = settings.data_folder / "media"
    return {
        str(file.relative_to(folder))
        for file in folder.rglob("*")
        if file.is_file() and file.name != "store-id"
    }


def ask(settings: StorageSettings, sql: str) -> list[tuple[object, ...]]:
    """What the database file says."""
    connection = sqlite3.connect(settings.data_folder / "chatanything.sqlite3")
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


async def wanted(storage: Storage, gallery: str = "terminal") -> set[str]:
    """The keys of all media that personas and turns of a gallery refer to; each is readable."""
    keys: set[str] = set()
    for persona in await storage.personas.list(gallery, limit=10_000):
        portrait = persona.portrait
        keys.add(portrait.image)
        if portrait.layers is not None:
            keys |= {portrait.layers.background, portrait.layers.body}
        turns = await storage.conversations.history(conversation_id(persona.id, "one"))
        keys |= {turn.clip for turn in turns if turn.clip}
    for key in keys:
        assert await storage.media.get(key)
    return keys


def media_folder(settings: StorageSettings) -> Path:
    return settings.data_folder / "media"
