"""Health: whether the event loop gets on, and whether each part of the program can work."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from engine.observing import Observer
from personas.errors import ChatAnythingError

log = logging.getLogger(__name__)

Check = Callable[[], Awaitable[str]]
"""Looks whether a part can work: empty, or the reason why not."""

_BEAT: Final = 0.5
_CHECKED_FOR: Final = 5.0
"""Seconds for which a look is good enough."""
_LONGEST_CHECK: Final = 3.0
_IN_A_ROW: Final = 3
"""Failures of a backend until it counts as one that cannot work."""
_FORGOTTEN: Final = 300.0
"""Seconds after which a failure says nothing any more."""


class Heartbeat:
    """Notes that the event loop gets on.

    Args:
        clock: seconds that only go forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = clock()

    @property
    def delay(self) -> float:
        """Seconds since the last beat, less those that lie between two. Safe from any thread."""
        return max(0.0, self._clock() - self._last - _BEAT)

    @contextlib.asynccontextmanager
    async def beating(self) -> AsyncIterator[None]:
        """Beats for as long as the context lasts."""

        async def beat() -> None:
            while True:
                self._last = self._clock()
                await asyncio.sleep(_BEAT)

        task = asyncio.create_task(beat(), name="heartbeat")
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


@dataclass
class _Trouble:
    backend: str
    failures: int
    last: float


class Backends(Observer):
    """Remembers which part of the program has kept failing of late.

    It asks nobody: a question to a language model costs money. A part counts as able until it
    has failed some times in a row.

    Args:
        clock: seconds that only go forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._troubles: dict[str, _Trouble] = {}

    def failed(self, part: str, backend: str) -> None:
        """Notes a failure."""
        known = self._troubles.get(part)
        failures = known.failures + 1 if known else 1
        self._troubles[part] = _Trouble(backend, failures, self._clock())

    def worked(self, part: str, backend: str) -> None:
        """Forgets the failures."""
        self._troubles.pop(part, None)

    def reason(self, part: str) -> str:
        """Why a part cannot work; empty where it can."""
        trouble = self._troubles.get(part)
        if trouble is None or trouble.failures < _IN_A_ROW:
            return ""
        if self._clock() - trouble.last > _FORGOTTEN:
            return ""
        return f"{trouble.backend} has failed {trouble.failures} times in a row; see the log."


class Checks:
    """Looks whether each part can work, not more often than is of use.

    Args:
        checks: by the name of the part.
        clock: seconds that only go forward.
    """

    def __init__(
        self, checks: Mapping[str, Check], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._checks = dict(checks)
        self._clock = clock
        self._looking = asyncio.Lock()
        self._found: dict[str, str] = {}
        self._looked = float("-inf")

    @property
    def last(self) -> dict[str, str]:
        """What was found last: by part, empty or why it cannot work. Safe from any thread."""
        return self._found

    async def look(self) -> dict[str, str]:
        """Looks, unless somebody has just looked."""
        async with self._looking:
            if self._clock() - self._looked >= _CHECKED_FOR:
                names = list(self._checks)
                reasons = await asyncio.gather(*(self._reason(name) for name in names))
                self._found = dict(zip(names, reasons, strict=True))
                self._looked = self._clock()
            return self._found

    async def _reason(self, name: str) -> str:
        try:
            async with asyncio.timeout(_LONGEST_CHECK):
                return await self._checks[name]()
        except TimeoutError:
            return f"It does not answer within {_LONGEST_CHECK:.0f} seconds."
        except ChatAnythingError as error:
            log.info("%s cannot work: %s", name, error, exc_info=error)
            return str(error)
        except Exception as error:
            log.warning("%s cannot be checked", name, exc_info=error)
            return "It cannot be checked; the log says why."
