"""Operating: observers, endpoints and traces of one process, put together."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from bot.operating.endpoints import Endpoints, Page
from bot.operating.health import Backends, Check, Checks, Heartbeat
from bot.operating.moment import Now, Waiting
from bot.operating.settings import OperatingSettings, address_of
from bot.operating.tally import Tally
from bot.output import say
from engine.observing import Observers
from personas.errors import UnavailableError

if TYPE_CHECKING:
    from bot.operating.metrics import Metrics

Queues = Callable[[], Awaitable[Sequence[Waiting]]]

_PATIENCE: Final = 5.0
"""Seconds that the event loop gets to answer a thread of the endpoints."""
_NO_METRICS: Final = (
    "Metrics need the extra scale: pip install 'chatanything[scale]'. /healthz and /readyz work "
    "without it."
)
_NO_TRACES: Final = (
    "Traces need the extra scale: pip install 'chatanything[scale]', or leave "
    "operating.otlp_endpoint empty."
)


class Operating:
    """How one process is looked after.

    Args:
        settings: what of it is wanted.

    Attributes:
        observer: for the engine; who listens depends on what is wanted.
        backends: which parts have kept failing.
        state: empty, or why the program as a whole is not ready: it is starting, or ending.
    """

    def __init__(self, settings: OperatingSettings) -> None:
        self._settings = settings
        self._heartbeat = Heartbeat()
        self.backends = Backends()
        self.observer = Observers([Tally(), self.backends])
        self.state = ""

    @contextlib.asynccontextmanager
    async def running(
        self,
        checks: Mapping[str, Check],
        queues: Queues | None = None,
        in_flight: Callable[[], int] = lambda: 0,
    ) -> AsyncIterator[Endpoints | None]:
        """Opens the endpoints, and sends traces, for as long as the context lasts.

        Args:
            checks: by the name of a part, whether it can work.
            queues: tells what waits.
            in_flight: how many answers are being made.

        Yields:
            The endpoints; None where none are wanted.

        Raises:
            UnavailableError: the address is taken, or what is wanted is not installed.
        """
        async with contextlib.AsyncExitStack() as stack:
            if self._settings.otlp_endpoint:
                await stack.enter_async_context(self._tracing())
            if not self._settings.http:
                yield None
                return
            await stack.enter_async_context(self._heartbeat.beating())
            looked = Checks({"program": self._program, **checks})
            view = _View(self._heartbeat, looked, queues, in_flight)
            metrics = stack.enter_context(self._counting(view))
            pages = {
                "/healthz": lambda: self._healthz(),
                "/readyz": view.readyz,
                "/metrics": lambda: _metrics_page(metrics),
            }
            address = address_of(self._settings.http)
            assert address is not None
            endpoints = Endpoints(address, pages)
            # In a thread: it waits for answers that wait for this loop.
            stack.push_async_callback(asyncio.to_thread, endpoints.close)
            say(f"Health and metrics at {endpoints.url}.")
            yield endpoints

    async def _program(self) -> str:
        return self.state

    @contextlib.asynccontextmanager
    async def _tracing(self) -> AsyncIterator[None]:
        try:
            from bot.operating.tracing import Tracing
        except ModuleNotFoundError as error:
            raise UnavailableError(_NO_TRACES) from error
        tracing = Tracing(self._settings.otlp_endpoint)
        self.observer.add(tracing)
        try:
            yield
        finally:
            self.observer.remove(tracing)
            await asyncio.to_thread(tracing.close)

    @contextlib.contextmanager
    def _counting(self, view: _View) -> Iterator[Metrics | None]:
        try:
            from bot.operating.metrics import Metrics
        except ModuleNotFoundError:
            yield None
            return
        metrics = Metrics(view.now)
        self.observer.add(metrics)
        try:
            yield metrics
        finally:
            self.observer.remove(metrics)

    def _healthz(self) -> Page:
        delay = self._heartbeat.delay
        healthy = delay < self._settings.stuck_seconds
        data: dict[str, object] = {"healthy": healthy, "loop_delay_seconds": round(delay, 3)}
        if not healthy:
            data["reason"] = f"The event loop has been stuck for {delay:.0f} seconds."
        return Page.of(200 if healthy else 503, data)


class _View:
    """What threads of the endpoints see of the event loop; made on that loop."""

    def __init__(
        self,
        heartbeat: Heartbeat,
        checks: Checks,
        queues: Queues | None,
        in_flight: Callable[[], int],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._heartbeat = heartbeat
        self._checks = checks
        self._queues = queues
        self._in_flight = in_flight
        self._waiting: tuple[Waiting, ...] = ()

    def readyz(self) -> Page:
        """Whether each part can work, with the reasons."""
        future = asyncio.run_coroutine_threadsafe(self._checks.look(), self._loop)
        try:
            found = future.result(_PATIENCE)
        except (TimeoutError, RuntimeError):
            future.cancel()
            found = {"program": "The event loop does not answer."}
        ready = not any(found.values())
        parts = {
            name: {"ready": not reason, **({"reason": reason} if reason else {})}
            for name, reason in found.items()
        }
        return Page.of(200 if ready else 503, {"ready": ready, "checks": parts})

    def now(self) -> Now:
        """What is measured when somebody asks; of a loop that is stuck, what is known."""
        future = asyncio.run_coroutine_threadsafe(self._look(), self._loop)
        try:
            self._waiting = tuple(future.result(_PATIENCE))
        except Exception:
            future.cancel()
        found = self._checks.last
        return Now(
            waiting=self._waiting,
            in_flight=self._in_flight(),
            checks=tuple((name, not reason) for name, reason in found.items()),
            loop_delay=self._heartbeat.delay,
        )

    async def _look(self) -> Sequence[Waiting]:
        await self._checks.look()
        return await self._queues() if self._queues is not None else ()


def _metrics_page(metrics: Metrics | None) -> Page:
    if metrics is None:
        return Page.saying(501, _NO_METRICS)
    from bot.operating.metrics import CONTENT_TYPE

    return Page(200, CONTENT_TYPE, metrics.text())
