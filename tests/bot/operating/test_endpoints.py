"""/healthz, /readyz and /metrics over real HTTP."""

from __future__ import annotations

import asyncio
import json
import socket
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.operating.endpoints import Endpoints
from bot.operating.health import Check
from bot.operating.moment import Waiting
from bot.operating.operating import Operating
from bot.operating.settings import OperatingSettings, address_of
from engine.observing import Request, during
from personas.errors import UnavailableError

ANYWHERE = OperatingSettings(http="127.0.0.1:0", stuck_seconds=0.6)


def get(url: str) -> tuple[int, str, str]:
    """Status, kind and body."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=30) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read().decode()


class Site:
    """The endpoints of a program, and what is asked of them."""

    def __init__(self, operating: Operating, endpoints: Endpoints) -> None:
        self.operating = operating
        self.url = endpoints.url

    async def get(self, path: str) -> tuple[int, str, str]:
        return await asyncio.to_thread(get, self.url + path)

    async def json(self, path: str) -> tuple[int, Any]:
        status, kind, body = await self.get(path)
        assert kind.startswith("application/json")
        return status, json.loads(body)

    async def metrics(self) -> dict[str, float]:
        """Samples by name and labels."""
        status, kind, body = await self.get("/metrics")
        assert status == 200 and kind.startswith("text/plain; version=0.0.4")
        return {
            f"{sample.name}{sorted(sample.labels.items()) if sample.labels else ''}": sample.value
            for family in text_string_to_metric_families(body)
            for sample in family.samples
        }


async def fine() -> str:
    return ""


async def site(
    stack: AsyncExitStack, settings: OperatingSettings = ANYWHERE, **options: Any
) -> Site:
    operating = Operating(settings)
    checks: dict[str, Check] = options.pop("checks", {"storage": fine})
    endpoints = await stack.enter_async_context(operating.running(checks, **options))
    assert endpoints is not None
    return Site(operating, endpoints)


async def test_nothing_listens_where_nothing_was_asked_for() -> None:
    operating = Operating(OperatingSettings())
    async with operating.running({"storage": fine}) as endpoints:
        assert endpoints is None


async def test_it_is_healthy_while_the_loop_gets_on_and_not_when_it_is_stuck() -> None:
    async with AsyncExitStack() as stack:
        here = await site(stack)
        status, told = await here.json("/healthz")
        assert (status, told["healthy"]) == (200, True)
        with ThreadPoolExecutor(1) as thread:
            # The fault that is looked for: the loop is held up, until the endpoint has said so.
            body = thread.submit(_until_unhealthy, here.url).result()
        assert "stuck" in json.loads(body)["reason"]
        while (await here.json("/healthz"))[0] != 200:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def _until_unhealthy(url: str) -> str:
    while True:
        status, _, body = get(f"{url}/healthz")
        if status == 503:
            return body
        time.sleep(0.05)


async def test_it_is_ready_when_every_part_is() -> None:
    reasons = {"storage": "", "language model": ""}

    def check(name: str) -> Check:
        async def look() -> str:
            return reasons[name]

        return look

    async with AsyncExitStack() as stack:
        here = await site(stack, checks={name: check(name) for name in reasons})
        status, told = await here.json("/readyz")
        assert (status, told["ready"]) == (200, True)
        assert told["checks"] == {name: {"ready": True} for name in ("program", *reasons)}
        reasons["storage"] = "The disk is full."
        # What was looked at a moment ago is not looked at again.
        assert (await here.json("/readyz"))[0] == 200


async def test_what_cannot_work_is_named_with_the_reason() -> None:
    async def away() -> str:
        raise UnavailableError("The database does not answer.")

    async def hangs() -> str:
        await asyncio.sleep(3_600)
        return ""

    async def breaks() -> str:
        raise KeyError("secret")

    async with AsyncExitStack() as stack:
        here = await site(stack, checks={"storage": away, "model": hangs, "telegram": breaks})
        here.operating.state = "It is starting."
        status, told = await here.json("/readyz")
        assert (status, told["ready"]) == (503, False)
        reasons = {name: one.get("reason") for name, one in told["checks"].items()}
        assert reasons == {
            "program": "It is starting.",
            "storage": "The database does not answer.",
            "model": "It does not answer within 3 seconds.",
            "telegram": "It cannot be checked; the log says why.",
        }


async def test_metrics_are_what_happened() -> None:
    async def queues() -> list[Waiting]:
        return [Waiting("clip", 3, 12.5)]

    async with AsyncExitStack() as stack:
        here = await site(stack, queues=queues, in_flight=lambda: 2)
        observer, request = here.operating.observer, Request("m1", "discord:1", "7")
        with observer.serving("message", request):
            observer.stage("clip", 2.0, "cuda:1")
            observer.stage("storing", 0.01)
            observer.tokens(120, 30)
            observer.looked_up("speech", True)
            observer.looked_up("speech", False)
            observer.failed("head", "drawn")
            request.outcome = "done"
        found = await here.metrics()
        expected = {
            "chatanything_stage_seconds_count[('stage', 'clip')]": 1,
            "chatanything_stage_seconds_sum[('stage', 'clip')]": 2.0,
            "chatanything_device_seconds_total[('device', 'cuda'), ('stage', 'clip')]": 2.0,
            "chatanything_request_seconds_count[('kind', 'message'), ('outcome', 'done')]": 1,
            "chatanything_tokens_total[('direction', 'in')]": 120,
            "chatanything_tokens_total[('direction', 'out')]": 30,
            "chatanything_cache_lookups_total[('cache', 'speech'), ('result', 'hit')]": 1,
            "chatanything_cache_lookups_total[('cache', 'speech'), ('result', 'miss')]": 1,
            "chatanything_errors_total[('backend', 'drawn'), ('part', 'head')]": 1,
            "chatanything_queue_waiting[('kind', 'clip')]": 3,
            "chatanything_queue_oldest_seconds[('kind', 'clip')]": 12.5,
            "chatanything_answers_in_flight": 2,
            "chatanything_ready[('check', 'storage')]": 1,
        }
        assert {name: found.get(name) for name in expected} == expected
        assert (
            "chatanything_device_seconds_total[('device', ''), ('stage', 'storing')]" not in found
        )
        assert not any("discord:1" in name for name in found)


async def test_only_the_communities_that_cost_most_have_series_of_their_own() -> None:
    async with AsyncExitStack() as stack:
        here = await site(stack)
        for n in range(1, 31):
            with during(Request(f"m{n}", f"discord:{n}", "person 7")):
                here.operating.observer.stage("clip", float(n), "cuda:0")
                here.operating.observer.stage("clip", float(n), "cuda:1")
        here.operating.observer.stage("clip", 99.0, "cuda")  # nobody's
        found = await here.metrics()
        shown = {
            f"chatanything_community_device_seconds[('community', 'discord:{n}'), "
            "('device', 'cuda')]": 2.0 * n
            for n in range(11, 31)
        }
        told = {name: value for name, value in found.items() if "community_device" in name}
        assert told == shown
        assert not any("person 7" in name for name in found)


async def test_each_program_counts_for_itself() -> None:
    async with AsyncExitStack() as stack:
        one, two = await site(stack), await site(stack)
        one.operating.observer.tokens(5, 5)
        name = "chatanything_tokens_total[('direction', 'in')]"
        assert (await one.metrics())[name] == 5
        assert name not in await two.metrics()


async def test_without_prometheus_only_metrics_are_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "bot.operating.metrics", None)
    async with AsyncExitStack() as stack:
        here = await site(stack)
        status, _, body = await here.get("/metrics")
        assert (status, "pip install 'chatanything[scale]'" in body) == (501, True)
        assert (await here.json("/readyz"))[0] == 200


async def test_other_paths_and_methods() -> None:
    async with AsyncExitStack() as stack:
        here = await site(stack)
        status, _, body = await here.get("/")
        assert status == 404 and "/healthz, /metrics, /readyz" in body

        def head() -> int:
            request = urllib.request.Request(f"{here.url}/healthz?x=1", method="HEAD")
            direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with direct.open(request, timeout=30) as answer:
                assert answer.read() == b""
                return int(answer.status)

        assert await asyncio.to_thread(head) == 200


async def test_nonsense_and_broken_connections_do_no_harm() -> None:
    async with AsyncExitStack() as stack:
        here = await site(stack)
        address = address_of(here.url.removeprefix("http://"))
        assert address is not None

        def nonsense() -> None:
            for data in (b"\0\xff" * 50 + b"\r\n\r\n", b"GET /metrics HTTP/1.1\r\n", b""):
                with socket.create_connection(address, timeout=30) as connection:
                    connection.sendall(data)

        await asyncio.to_thread(nonsense)
        assert (await here.json("/healthz"))[0] == 200


async def test_an_address_that_is_taken_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        operating = Operating(OperatingSettings(http=f"127.0.0.1:{port}"))
        with pytest.raises(UnavailableError, match=rf"127\.0\.0\.1:{port}.*operating\.http"):
            async with operating.running({}):
                pass


@pytest.mark.parametrize("http", ["9100", "localhost", "127.0.0.1:", "127.0.0.1:99999", ":80"])
def test_an_address_is_a_host_and_a_port(http: str) -> None:
    with pytest.raises(ValueError, match="host and a port"):
        OperatingSettings(http=http)


def test_addresses_of_all_kinds() -> None:
    assert address_of("[::1]:9100") == ("::1", 9100)
    assert address_of("chat-1.internal:80") == ("chat-1.internal", 80)
