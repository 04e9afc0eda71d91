"""Looking at what is kept from outside: at the files and the rows themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine

from storage.conversations import conversation_id
from storage.settings import StorageSettings
from storage.store import Storage
from tests.services.s3 import ACCESS_KEY, REGION, SECRET_KEY


def files(settings: StorageSettings) -> set[str]:
    """All media files by their paths below the media folder, cut ones too."""
    if settings.media_url:
        client, bucket, prefix = remote(settings)
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/")
        found = {item["Key"] for page in pages for item in page.get("Contents", ())}
        return {key.removeprefix(f"{prefix}/") for key in found} - {"store-id"}
    folder = media_folder(settings)
    return {
        str(file.relative_to(folder))
        for file in folder.rglob("*")
        if file.is_file() and file.name != "store-id"
    }


def write_file(settings: StorageSettings, key: str, data: bytes) -> None:
    """Writes bytes behind the back of the storage."""
    if settings.media_url:
        client, bucket, prefix = remote(settings)
        client.put_object(Bucket=bucket, Key=f"{prefix}/{key}", Body=data)
        return
    file = media_folder(settings) / key
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


def remote(settings: StorageSettings) -> tuple[Any, str, str]:
    """A client of the S3 server, the bucket, and the prefix in it."""
    bucket, _, prefix = settings.media_url.removeprefix("s3://").partition("/")
    return _client(settings.s3_endpoint), bucket, prefix


@cache
def _client(endpoint: str) -> Any:
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
    )


@contextmanager
def connected(settings: StorageSettings) -> Iterator[Connection]:
    """A connection of its own to the database, whose work is kept."""
    url = settings.database
    engine = create_engine(url.set(drivername="sqlite") if "sqlite" in url.drivername else url)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def ask(settings: StorageSettings, sql: str) -> list[tuple[object, ...]]:
    """What the database says."""
    with connected(settings) as connection:
        result = connection.exec_driver_sql(sql)
        return [tuple(row) for row in result] if result.returns_rows else []


async def until(check: Callable[[], object]) -> None:
    """Waits until something is so; that it never is, the time limit of the test tells."""
    while not check():  # noqa: ASYNC110 - it happens elsewhere
        await asyncio.sleep(0.02)


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
