"""Services: the PostgreSQL and the S3 that a bench uses, its own or an operator's."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from bot.bench.postgres import OwnPostgres
from bot.bench.s3 import FailingProxy, OwnS3
from personas.errors import InvalidInputError, UnavailableError


@contextlib.asynccontextmanager
async def database(given: str) -> AsyncIterator[tuple[str, OwnPostgres | None]]:
    """The URL of a database, and its server where it is the bench's own.

    Args:
        given: an operator's URL; empty: a server is started.

    Raises:
        InvalidInputError: it is no URL of a PostgreSQL.
        UnavailableError: there is none, or something is not installed.
    """
    try:
        import psycopg  # noqa: F401
        import saq  # noqa: F401
    except ImportError as error:
        raise UnavailableError(
            'The queue of many processes is not installed: pip install "chatanything[scale]"'
        ) from error
    if given:
        from storage.settings import database_from

        url = database_from(given)
        if url.get_backend_name() != "postgresql":
            raise InvalidInputError("The bench needs PostgreSQL: postgresql://user@host/name.")
        yield url.render_as_string(hide_password=False), None
        return
    # Shielded: a server that is just starting when the bench is interrupted is ended, too.
    starting = asyncio.create_task(asyncio.to_thread(OwnPostgres))
    try:
        own = await asyncio.shield(starting)
        yield own.url, own
    finally:
        await asyncio.to_thread((await starting).__exit__, None, None, None)


@dataclass(frozen=True)
class Bucket:
    """Where media go.

    Attributes:
        name: of the bucket.
        key: who the bench is to the service.
        secret: that belongs to it.
        proxy: before the service.
    """

    name: str
    key: str
    secret: str
    proxy: FailingProxy


@contextlib.contextmanager
def bucket(endpoint: str, name: str, failures: float, seed: int) -> Iterator[Bucket]:
    """A bucket whose service fails now and then.

    Args:
        endpoint: URL of an operator's service; empty: one is started.
        name: the operator's bucket.
        failures: share of the requests that fail.
        seed: decides which.

    Raises:
        InvalidInputError: an operator's service is not told in full.
        UnavailableError: there is none.
    """
    if endpoint:
        key, secret = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
        if not (name and key and secret):
            raise InvalidInputError(
                "With --s3-endpoint, the bench needs --s3-bucket and the variables "
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
            )
        with FailingProxy(endpoint, failures, seed) as proxy:
            yield Bucket(name, key, secret, proxy)
        return
    with OwnS3() as own, FailingProxy(own.endpoint, failures, seed) as proxy:
        yield Bucket(own.bucket, own.key, own.secret, proxy)
