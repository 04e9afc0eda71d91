"""Media in S3: what fails now and then is never seen; what fails for good has a sentence."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta
from typing import Any

import pytest

from personas.errors import UnavailableError
from storage import objects as module
from storage.failures import explain
from storage.media import key_of
from storage.objects import Objects
from storage.settings import StorageSettings
from storage.store import Storage
from tests.services.s3 import S3
from tests.storage.examples import add
from tests.storage.looking import files, wanted, write_file


@pytest.fixture
def settings(away: StorageSettings) -> StorageSettings:
    return away


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """An outage is told after a moment instead of after half a minute."""
    monkeypatch.setattr(module, "_PAUSES", (0.01,))
    shortly = {"max_retries": 1, "retry_timeout": timedelta(seconds=1)}
    monkeypatch.setattr(module, "_RETRY", {**module._RETRY, **shortly})


@pytest.mark.parametrize("late", [0.0, 1.0])
async def test_one_request_in_twenty_fails_and_nobody_sees_it(
    storage: Storage, settings: StorageSettings, s3: S3, late: float
) -> None:
    failed = s3.failures
    with s3.failing(0.05, late=late, seed=7):
        for n in range(20):
            await asyncio.gather(*(add(storage, f"p{n}-{part}") for part in range(3)))
        kept = await wanted(storage)
        for n in range(10):
            await storage.personas.delete("terminal", f"p{n}-0")
        assert (await storage.sweep()).media == 0
    assert s3.failures > failed + 5
    assert files(settings) == await wanted(storage) < kept


async def test_a_request_that_is_answered_late_is_asked_again(
    settings: StorageSettings, s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = {**module._CLIENT, "read_timeout": timedelta(seconds=0.2)}
    monkeypatch.setattr(module, "_CLIENT", client)
    objects = Objects(settings)
    key = key_of(b"slow", ".png")

    async def recover() -> None:
        await asyncio.sleep(0.5)
        s3._delay = 0.0

    with s3.failing(0.0, delay=1.0):
        await asyncio.gather(objects.put(key, b"slow"), recover())
    assert await objects.get(key) == b"slow"


@pytest.mark.usefixtures("impatient")
async def test_an_outage_is_told_and_breaks_nothing(
    storage: Storage, settings: StorageSettings, s3: S3
) -> None:
    persona = await add(storage, "before")
    kept = files(settings)
    with s3.failing(1.0, late=0.0):
        with pytest.raises(UnavailableError, match="does not answer"):
            await add(storage, "unlucky")
        with pytest.raises(UnavailableError, match="does not answer"):
            await storage.media.get(persona.portrait.image)
        # What cannot be removed now is no error of who deletes.
        await storage.personas.delete("terminal", "before")
    assert files(settings) == kept
    assert await storage.personas.count("terminal") == 0
    assert (await storage.sweep()).media >= 2  # the unlucky one's, too
    assert files(settings) == set()


@pytest.mark.usefixtures("impatient")
async def test_a_bucket_that_is_not_there_is_named(settings: StorageSettings) -> None:
    nowhere = settings.model_copy(update={"media_url": "s3://nosuch/media"})
    with pytest.raises(UnavailableError, match="no s3://nosuch/media"):
        await Storage.open(nowhere)


@pytest.mark.parametrize("url", ["s3://", "s4://bucket", "nonsense"])
async def test_a_url_that_leads_nowhere_is_named(settings: StorageSettings, url: str) -> None:
    with pytest.raises(UnavailableError, match=r"like s3://bucket/prefix"):
        await Storage.open(settings.model_copy(update={"media_url": url}))


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("403 Forbidden: <Code>SignatureDoesNotMatch</Code>", "does not let us in"),
        ("<Code>NoSuchBucket</Code>", "There is no s3://b/p"),
        ("error sending request: connection refused", "does not answer"),
        ("503 SlowDown", "does not answer"),
        ("something else", "cannot be used just now"),
    ],
)
def test_what_a_service_says_becomes_a_sentence(said: str, sentence: str) -> None:
    assert sentence in str(explain(RuntimeError(said), "s3://b/p"))


async def test_two_prefixes_of_a_bucket_do_not_see_each_other(
    storage: Storage, settings: StorageSettings, postgres: Any
) -> None:
    kept = await add(storage, "a")
    other = settings.model_copy(
        update={
            "media_url": settings.media_url + "-2",
            "database_url": type(settings.database_url)(postgres.url(postgres.create())),
        }
    )
    async with await Storage.open(other) as second:
        write_file(other, f"{hashlib.sha256(b'x').hexdigest()[:2]}/{'ab' * 32}.png", b"stray")
        await second.sweep()
    assert await storage.media.get(kept.portrait.image)


def test_keys_are_secrets(settings: StorageSettings) -> None:
    assert "testing-secret" not in repr(settings)
    assert "testing-secret" not in settings.model_dump_json()
