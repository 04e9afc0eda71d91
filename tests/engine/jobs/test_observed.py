"""Whose job it is, in the log, in traces and in accounts, here and across PostgreSQL."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import make_url

from bot.chat.accounts import Accounts
from bot.operating.operating import Operating
from bot.operating.settings import OperatingSettings
from bot.operating.tally import Tally
from engine.jobs.asking import Asker, ask
from engine.jobs.base import Job, JobDone
from engine.jobs.handlers import Lane, Tell
from engine.jobs.local import LocalQueue
from engine.jobs.observed import observed
from engine.jobs.products import MemoryProducts, StoredProducts
from engine.jobs.saq.queue import SaqQueue
from engine.jobs.saq.worker import SaqWorker
from engine.jobs.settings import JobSettings
from engine.observing import Observer, Request, current, during
from engine.stopwatch import Stopwatch
from personas.errors import InvalidInputError
from storage.store import Storage
from storage.usage import Used
from tests.fakes.otlp_collector import collecting

ASKER = Asker("discord:1", "7")


class Costly:
    """A handler that keeps a GPU busy, and knows for whom."""

    kind = "clip"
    lane = Lane("gpu")

    def __init__(self, observer: Observer, products: MemoryProducts | StoredProducts) -> None:
        self._observer = observer
        self._products = products
        self.seen: list[str] = []

    async def make(self, job: Job, tell: Tell) -> JobDone:
        request = current()
        self.seen.append(request.id if request else "")
        watch = Stopwatch(self._observer)
        with watch.stage("clip", "cuda:0"):
            await asyncio.sleep(0.02)
        if job.payload.get("fails"):
            raise InvalidInputError("Nobody can make this.")
        key = await self._products.put(job.id.encode(), ".clip")
        return JobDone({"clip": key}, (key,), dict(watch.seconds))


def job(request: Request, **payload: object) -> Job:
    return Job("clip", payload, meta=request.carried())


async def done(queue: LocalQueue | SaqQueue, what: Job) -> None:
    async for _ in ask(queue, what, ASKER):
        pass


async def spent(storage: Storage) -> dict[str, Used]:
    return await storage.usage.day("discord:1", "7", datetime.now(UTC).date())


async def test_here_a_job_is_charged_to_the_request_that_waits_for_it(storage: Storage) -> None:
    products = MemoryProducts(storage.media)
    handler = Costly(Tally(), products)
    queue = LocalQueue(observed([handler], Tally(), Accounts(storage).keep), products)
    request = Request("discord:11/m1", "discord:1", "7")
    with during(request):
        await done(queue, job(request, name="one"))
    assert handler.seen == ["discord:11/m1"]
    assert request.spent["clip/cuda"] >= 20
    assert await spent(storage) == {}  # the request writes it down, with all else it cost
    await queue.aclose()


@pytest.mark.parametrize("fails", [False, True])
async def test_a_worker_charges_it_to_who_asked_and_goes_on_with_their_trace(
    storage: Storage, postgres_url: str, fails: bool
) -> None:
    with collecting() as collector:
        settings = OperatingSettings(otlp_endpoint=collector.url)
        bot, worker = Operating(settings), Operating(settings)
        products = StoredProducts(storage.media)
        handler = Costly(worker.observer, products)
        handlers = observed([handler], worker.observer, Accounts(storage).keep)
        url = make_url(postgres_url)
        ours, theirs = [await SaqQueue.open(url, products, JobSettings()) for _ in range(2)]
        working = asyncio.create_task(SaqWorker(theirs, handlers, 1).run())
        try:
            async with bot.running({}), worker.running({}):
                request = Request("discord:11/m1", "discord:1", "7")
                with bot.observer.serving("message", request), during(request):
                    if fails:
                        with pytest.raises(InvalidInputError):
                            await done(ours, job(request, fails=True))
                    else:
                        await done(ours, job(request, name="one"))
                    request.outcome = "done"
                async with asyncio.timeout(30):
                    while not (used := await spent(storage)):  # noqa: ASYNC110
                        await asyncio.sleep(0.05)
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            await ours.aclose()
            await theirs.aclose()
    assert handler.seen == ["discord:11/m1"]
    assert set(used) == {"clip/cuda"} and used["clip/cuda"].own >= 20
    assert request.spent == {}
    [message], [made] = collector.named("message"), collector.named("clip job")
    [clip] = collector.named("clip")
    assert (made.trace, made.parent, made.failed) == (message.trace, message.id, fails)
    assert (clip.parent, clip.attributes) == (made.id, {"device": "cuda:0"})
