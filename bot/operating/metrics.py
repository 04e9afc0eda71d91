"""Metrics for Prometheus. Needs the extra `scale`; imported only where they are wanted.

No label holds a name that people or models make up, and only the few communities that cost most
have series of their own: the number of time series stays bounded however many there are. What each
community costs is in the database, and `chatanything usage` prints it.
"""

from __future__ import annotations

import contextlib
import heapq
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bot.operating.moment import Now
from engine.observing import Observer, Request, current

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_SHOWN: Final = 20
"""Communities with series of their own."""
_REMEMBERED: Final = 10_000
"""Communities whose sums are kept in memory; beyond them, those that cost least are forgotten."""
_BUCKETS: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160)


class Metrics(Observer):
    """Counts what happens, in a registry of its own.

    Args:
        now: tells what is measured when somebody asks; called in a thread of the endpoint.
    """

    def __init__(self, now: Callable[[], Now]) -> None:
        self._registry = registry = CollectorRegistry(auto_describe=True)
        self._stages = Histogram(
            "chatanything_stage_seconds",
            "How long a stage of a request took.",
            ["stage"],
            buckets=_BUCKETS,
            registry=registry,
        )
        self._devices = Counter(
            "chatanything_device_seconds",
            "Heavy work, by stage and the device that it kept busy.",
            ["stage", "device"],
            registry=registry,
        )
        self._requests = Histogram(
            "chatanything_request_seconds",
            "From the arrival of a request to its end, by kind and outcome.",
            ["kind", "outcome"],
            buckets=_BUCKETS,
            registry=registry,
        )
        self._tokens = Counter(
            "chatanything_tokens",
            "Tokens that the language model read (in) and wrote (out).",
            ["direction"],
            registry=registry,
        )
        self._lookups = Counter(
            "chatanything_cache_lookups",
            "What was looked for in a cache: speech, heads, prompts.",
            ["cache", "result"],
            registry=registry,
        )
        self._errors = Counter(
            "chatanything_errors",
            "Failures of a backend.",
            ["part", "backend"],
            registry=registry,
        )
        self._spenders = _Spenders()
        registry.register(self._spenders)
        registry.register(_Moment(now))
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)

    def text(self) -> bytes:
        """All of them, as Prometheus reads them."""
        return generate_latest(self._registry)

    def stage(self, name: str, seconds: float, device: str = "") -> None:
        """Counts a stage."""
        self._stages.labels(name).observe(seconds)
        if device:
            kind = device.partition(":")[0]
            self._devices.labels(name, kind).inc(max(0.0, seconds))
            request = current()
            if request is not None and request.community:
                self._spenders.add(request.community, kind, max(0.0, seconds))

    def tokens(self, prompt: int, completion: int) -> None:
        """Counts tokens."""
        self._tokens.labels("in").inc(max(0, prompt))
        self._tokens.labels("out").inc(max(0, completion))

    def looked_up(self, cache: str, found: bool) -> None:
        """Counts a look into a cache."""
        self._lookups.labels(cache, "hit" if found else "miss").inc()

    def failed(self, part: str, backend: str) -> None:
        """Counts a failure."""
        self._errors.labels(part, backend).inc()

    @contextlib.contextmanager
    def serving(self, kind: str, request: Request) -> Iterator[None]:
        """Counts a request when it ends."""
        start = time.perf_counter()
        try:
            yield
        finally:
            seconds = time.perf_counter() - start
            self._requests.labels(kind, request.outcome or "failed").observe(seconds)


class _Spenders(Collector):
    """The communities that cost most since this process began. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds: dict[tuple[str, str], float] = {}

    def add(self, community: str, device: str, seconds: float) -> None:
        """Adds to what a community has cost."""
        with self._lock:
            key = (community, device)
            self._seconds[key] = self._seconds.get(key, 0.0) + seconds
            if len(self._seconds) > _REMEMBERED:
                self._seconds = dict(self._most(_REMEMBERED // 2))

    def describe(self) -> Iterable[Metric]:
        """The same metric, empty."""
        yield self._metric(())

    def collect(self) -> Iterable[Metric]:
        """The few that cost most."""
        with self._lock:
            most = self._most(_SHOWN)
        yield self._metric(most)

    def _most(self, count: int) -> list[tuple[tuple[str, str], float]]:
        return heapq.nlargest(count, self._seconds.items(), key=lambda one: one[1])

    @staticmethod
    def _metric(found: Iterable[tuple[tuple[str, str], float]]) -> Metric:
        metric = GaugeMetricFamily(
            "chatanything_community_device_seconds",
            "Heavy work for the communities that cost most since this process began.",
            labels=["community", "device"],
        )
        for labels, seconds in found:
            metric.add_metric(labels, seconds)
        return metric


class _Moment(Collector):
    """What is measured when somebody asks, and not counted along the way."""

    def __init__(self, now: Callable[[], Now]) -> None:
        self._now = now

    def describe(self) -> Iterable[Metric]:
        """The same metrics, empty."""
        return self._metrics(Now())

    def collect(self) -> Iterable[Metric]:
        """The metrics of this moment."""
        return self._metrics(self._now())

    def _metrics(self, now: Now) -> Iterator[Metric]:
        depth = GaugeMetricFamily(
            "chatanything_queue_waiting", "Work that waits, by kind.", labels=["kind"]
        )
        age = GaugeMetricFamily(
            "chatanything_queue_oldest_seconds",
            "How long the oldest work of a kind has waited.",
            labels=["kind"],
        )
        for one in now.waiting:
            depth.add_metric([one.kind], one.count)
            age.add_metric([one.kind], one.oldest)
        ready = GaugeMetricFamily(
            "chatanything_ready", "1 where a part of the program can work.", labels=["check"]
        )
        for name, able in now.checks:
            ready.add_metric([name], float(able))
        flight = GaugeMetricFamily(
            "chatanything_answers_in_flight", "Answers that are being made.", value=now.in_flight
        )
        delay = GaugeMetricFamily(
            "chatanything_loop_delay_seconds",
            "Seconds since the event loop last got on.",
            value=now.loop_delay,
        )
        build = GaugeMetricFamily(
            "chatanything_build_info", "The version that runs.", labels=["version"]
        )
        build.add_metric([version("chatanything")], 1.0)
        yield from (depth, age, ready, flight, delay, build)
