"""A real S3 server on loopback, which can be told to fail."""

from __future__ import annotations

import itertools
import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from types import TracebackType
from typing import Any, Self

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

ACCESS_KEY = "testing"
SECRET_KEY = "testing-secret"
REGION = "us-east-1"

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class S3:
    """Moto's S3 in a thread; a context manager.

    Attributes:
        endpoint: its URL.
        requests: how many requests have come.
        failures: how many of them it has failed.
    """

    def __init__(self) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._app: App = DomainDispatcherApplication(create_backend_app)
        self._noise = random.Random(0)
        self._share = 0.0
        self._late = 0.5
        self._delay = 0.0
        self._guard = threading.Lock()
        self.requests = self.failures = 0
        self._server = make_server(
            "127.0.0.1", 0, self._serve, threaded=True, request_handler=MotoRequestHandler
        )
        host, port = self._server.server_address[:2]
        self.endpoint = f"http://{host!s}:{port}"
        self._numbers = itertools.count()
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def create_bucket(self) -> str:
        """Makes a bucket and returns its name."""
        name = f"bucket-{next(self._numbers)}"
        self.client.create_bucket(Bucket=name)
        return name

    @cached_property
    def client(self) -> Any:
        """Boto's client of this server, to look at it from outside."""
        import boto3

        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
        )

    def settings(self, bucket: str, prefix: str = "media") -> dict[str, str]:
        """Values for StorageSettings that keep media in a bucket."""
        return {
            "media_url": f"s3://{bucket}/{prefix}".rstrip("/"),
            "s3_endpoint": self.endpoint,
            "s3_region": REGION,
            "s3_access_key_id": ACCESS_KEY,
            "s3_secret_access_key": SECRET_KEY,
        }

    def keys(self, bucket: str) -> set[str]:
        """What lies in a bucket."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return {item["Key"] for page in pages for item in page.get("Contents", ())}

    @contextmanager
    def failing(
        self, share: float, *, late: float = 0.5, delay: float = 0.0, seed: int = 0
    ) -> Iterator[None]:
        """Answers a share of the requests with 500 or 503.

        Args:
            share: of all requests, 0 to 1.
            late: the share of those that fail after they were done, as when an answer is lost.
            delay: seconds that each request takes longer.
            seed: decides which.
        """
        before = self._share, self._late, self._delay
        self._noise.seed(seed)
        self._share, self._late, self._delay = share, late, delay
        try:
            yield
        finally:
            self._share, self._late, self._delay = before

    def _serve(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        with self._guard:
            self.requests += 1
            fails = self._noise.random() < self._share
            is_late = self._noise.random() < self._late
            status = self._noise.choice((500, 503))
            self.failures += fails
        if self._delay:
            time.sleep(self._delay)
        if not fails:
            return self._app(environ, start)
        if is_late:
            list(self._app(environ, lambda *_: None))
        elif length := int(environ.get("CONTENT_LENGTH") or 0):
            environ["wsgi.input"].read(length)
        return Response("<Error><Code>SlowDown</Code></Error>", status)(environ, start)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
