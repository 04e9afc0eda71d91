"""Traces, as a collector on the loopback gets them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bot.operating.operating import Operating
from bot.operating.settings import OperatingSettings
from engine.observing import Observer, Request, arriving, during
from engine.stopwatch import Stopwatch
from personas.errors import UnavailableError
from tests.bot.chat.conftest import ANA, HERE, MakeWorld, catalogues, make_world
from tests.fakes.otlp_collector import Collector, collecting

__all__ = ["catalogues", "make_world"]


def to(collector: Collector) -> OperatingSettings:
    return OperatingSettings(otlp_endpoint=collector.url)


async def test_an_answer_is_a_span_with_one_for_each_stage(make_world: MakeWorld) -> None:
    with collecting() as collector:
        operating = Operating(to(collector))
        async with operating.running({}):
            world = make_world("clip", observer=operating.observer)
            persona = await world.make()
            await world.chat.rooms.settle(HERE, ANA, persona)
            arriving("discord:11/m1")
            await world.say("Hi", id="m1")
    assert set(collector.paths) == {"/v1/traces"}
    [message] = collector.named("message")
    assert message.attributes == {"request": "discord:11/m1", "outcome": "done"}
    assert (message.parent, message.service, message.failed) == ("", "chatanything", False)
    stages = [span for span in collector.spans if span.trace == message.trace]
    assert {"waiting", "text", "speech", "head", "clip"} <= {span.name for span in stages}
    [job], [clip] = collector.named("clip job"), collector.named("clip")
    assert (job.parent, clip.parent) == (message.id, job.id)
    assert all(0 <= span.seconds <= message.seconds + 0.05 for span in stages)
    [creation] = collector.named("creation")
    assert creation.trace != message.trace
    [portrait] = collector.named("portrait")
    [drawing] = collector.named("portrait job")
    assert (portrait.parent, portrait.attributes) == (drawing.id, {"device": "cpu"})
    assert drawing.parent == creation.id
    # Nobody's words, and nobody's name.
    told = repr([span.attributes for span in collector.spans])
    assert "Hi" not in told and "Barnaby" not in told and "Ana" not in told


async def test_a_trace_goes_on_across_a_queue() -> None:
    """Two programs: what crosses is the metadata of a job, as text."""
    with collecting() as collector:
        bot, worker = Operating(to(collector)), Operating(to(collector))
        async with bot.running({}), worker.running({}):
            request = Request("discord:11/m1", "discord:1", "7")
            with bot.observer.serving("message", request), during(request):
                metadata = request.carried()
                job = Request.arrived(metadata)
                with worker.observer.serving("job", job), during(job):
                    with Stopwatch(worker.observer).stage("clip", "cuda:0"):
                        pass
                    job.outcome = "failed"
                request.outcome = "done"
    [message], [made] = collector.named("message"), collector.named("job")
    [clip] = collector.named("clip")
    assert (made.trace, made.parent) == (message.trace, message.id)
    assert (clip.trace, clip.parent) == (message.trace, made.id)
    assert made.failed and made.attributes["request"] == "discord:11/m1"
    assert not message.failed


async def test_what_belongs_to_no_request_is_no_span() -> None:
    with collecting() as collector:
        operating = Operating(to(collector))
        async with operating.running({}):
            operating.observer.stage("clip", 1.0, "cpu")
    assert collector.spans == []


@pytest.mark.parametrize("parent", ["", "nonsense", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"])
async def test_a_parent_that_is_none_begins_a_new_trace(parent: str) -> None:
    with collecting() as collector:
        operating = Operating(to(collector))
        async with operating.running({}):
            request = Request.arrived({"request": "r", "traceparent": parent})
            with operating.observer.serving("job", request):
                pass
            assert request.traceparent == parent
    [span] = collector.named("job")
    assert span.parent == "" and len(span.trace) == 32


async def test_a_collector_that_is_gone_costs_spans_and_nothing_else() -> None:
    with collecting() as collector:
        settings = to(collector)
    operating = Operating(settings)
    async with operating.running({}):
        request = Request("r")
        with operating.observer.serving("message", request):
            request.outcome = "done"
    assert request.outcome == "done"


async def test_without_the_library_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bot.operating.tracing", None)
    operating = Operating(OperatingSettings(otlp_endpoint="http://127.0.0.1:4318"))
    with pytest.raises(UnavailableError, match=r"pip install 'chatanything\[scale\]'"):
        async with operating.running({}):
            pass


@pytest.mark.parametrize("endpoint", ["127.0.0.1:4318", "ftp://x", "http://"])
def test_an_endpoint_is_an_http_address(endpoint: str) -> None:
    with pytest.raises(ValueError, match="http or https"):
        OperatingSettings(otlp_endpoint=endpoint)


def test_nothing_is_imported_where_nothing_is_configured() -> None:
    program = (
        "import asyncio, sys\n"
        "from bot.operating.operating import Operating\n"
        "from bot.operating.settings import OperatingSettings\n"
        "async def main():\n"
        "    operating = Operating(OperatingSettings())\n"
        "    async with operating.running({}):\n"
        "        operating.observer.tokens(1, 2)\n"
        "asyncio.run(main())\n"
        "print([name for name in sys.modules if name.startswith(('opentelemetry', 'prometheus'))])"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_an_observer_of_ones_own_is_enough() -> None:
    assert isinstance(Operating(OperatingSettings()).observer, Observer)
