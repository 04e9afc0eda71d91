"""The services as fixtures: each server starts once a session, when it is first asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.services.postgres import Postgres
    from tests.services.s3 import S3


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL."""
    from tests.services.postgres import Postgres

    with Postgres() as server:
        yield server


@pytest.fixture
def postgres_database(postgres: Postgres) -> Iterator[str]:
    """The name of a fresh database with the tables of the storage, for one test."""
    name = postgres.create()
    yield name
    postgres.drop(name)


@pytest.fixture
def postgres_url(postgres: Postgres, postgres_database: str) -> str:
    """The SQLAlchemy URL of a fresh database, as `StorageSettings.database_url` takes it."""
    return postgres.url(postgres_database)


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    """A real S3 server on loopback."""
    from tests.services.s3 import S3

    with S3() as server:
        yield server


@pytest.fixture
def bucket(s3: S3) -> str:
    """The name of a fresh bucket; `s3.settings(bucket)` leads a storage there."""
    return s3.create_bucket()
