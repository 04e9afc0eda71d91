"""The services that tests use: real, fresh for each test, and able to fail."""

from __future__ import annotations

import psycopg
import pytest
from obstore.store import S3Store

from tests.services.postgres import Postgres
from tests.services.s3 import ACCESS_KEY, REGION, S3, SECRET_KEY


def test_a_fresh_database_has_the_tables_and_nothing_in_them(
    postgres: Postgres, postgres_database: str
) -> None:
    assert postgres.execute("SELECT count(*) FROM persona", postgres_database) == [(0,)]
    postgres.execute("CREATE TABLE mine ()", postgres_database)
    other = postgres.create()
    with pytest.raises(psycopg.errors.UndefinedTable):
        postgres.execute("SELECT * FROM mine", other)
    postgres.drop(other)


def test_what_was_written_outlives_a_restart(postgres: Postgres, postgres_database: str) -> None:
    with psycopg.connect(postgres.libpq_url(postgres_database), autocommit=True) as connection:
        connection.execute("CREATE TABLE mine AS SELECT 7 AS n")
        postgres.restart()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert postgres.execute("SELECT n FROM mine", postgres_database) == [(7,)]


def test_a_bucket_takes_what_is_put_and_fails_when_it_is_told(s3: S3, bucket: str) -> None:
    store = S3Store(
        bucket,
        endpoint=s3.endpoint,
        region=REGION,
        access_key_id=ACCESS_KEY,
        secret_access_key=SECRET_KEY,
        client_options={"allow_http": True},
        retry_config={"max_retries": 0},
    )
    store.put("a/b.txt", b"hello")
    assert s3.keys(bucket) == {"a/b.txt"}
    with s3.failing(1.0), pytest.raises(Exception, match=r"50[03]"):
        store.get("a/b.txt")
    assert bytes(store.get("a/b.txt").bytes()) == b"hello"
