"""HTTP to Telegram that knows which requests surely did not arrive, and so may be sent again."""

from __future__ import annotations

import json
import math
from typing import Any

import httpx
from telegram.error import NetworkError, RetryAfter, TimedOut
from telegram.request import HTTPXRequest

# A request was not handed over whole when no connection was to be had, none was free, or the last
# byte was never taken. With a lost *answer* nobody can tell.
_NOT_ARRIVED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.WriteTimeout)
_NOT_PASSED_ON = (502, 503)
"""What the gateway says when nobody behind it took the request."""
_TOO_LARGE = 413
_TOO_MANY = 429

MEDIA_SECONDS = 120.0
"""How long an upload of 50 MB may take."""


class NotArrivedError(NetworkError):
    """The request never reached Telegram: it may be sent again without being done twice."""


class FileTooLargeError(NetworkError):
    """Telegram takes no file of this size."""


class CarefulRequest(HTTPXRequest):
    """An HTTPXRequest that tells apart what did not arrive and what may have.

    Args:
        connections: requests that may be on their way at the same time.
        proxy: a proxy's address.
    """

    def __init__(self, connections: int = 64, proxy: str | None = None) -> None:
        super().__init__(
            connection_pool_size=connections,
            proxy=proxy,
            connect_timeout=10.0,
            read_timeout=30.0,
            pool_timeout=30.0,
            write_timeout=20.0,
            media_write_timeout=MEDIA_SECONDS,
        )

    async def do_request(self, *arguments: Any, **options: Any) -> tuple[int, bytes]:
        """Makes one request.

        Raises:
            NotArrivedError: it surely did not arrive.
            RetryAfter: it was refused, for now.
            FileTooLargeError: an upload was refused for its size.
            NetworkError: nobody knows whether it arrived.
        """
        try:
            code, payload = await super().do_request(*arguments, **options)
        except (NetworkError, TimedOut) as error:
            if isinstance(error.__cause__, _NOT_ARRIVED):
                raise NotArrivedError(type(error.__cause__).__name__) from None
            # The address holds the token: it goes no further, not even in a traceback.
            raise type(error)(_without_address(error)) from None
        if code in _NOT_PASSED_ON:
            raise NotArrivedError(f"Telegram's gateway answered {code}")
        if code == _TOO_LARGE:
            raise FileTooLargeError("Request Entity Too Large")
        if code == _TOO_MANY:
            raise RetryAfter(_pause(payload))
        return code, payload


def _pause(payload: bytes) -> int:
    """How many seconds an answer asks us to wait; a gateway's own says nothing about it."""
    try:
        return max(1, int(json.loads(payload)["parameters"]["retry_after"]))
    except (ValueError, TypeError, KeyError):
        return 5


def _without_address(error: NetworkError) -> str:
    cause = error.__cause__
    return type(cause).__name__ if cause is not None else str(error)


def backoff(attempt: int) -> float:
    """Seconds to wait before the next attempt: a little over 1, 2, 4, ... 15."""
    return min(15.0, 1.1 * math.pow(2, attempt))
