"""One process of a bench: `python -m bot.bench.process ROLE`, told the rest on standard input.

It says a line of JSON on standard output when it is ready, and one for each job of `hands` and
`saq` that it begins.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from bot.bench.handling import PauseHandler

Told = dict[str, Any]


def say(**told: Any) -> None:
    """A line to whoever started this."""
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


async def bot(told: Told) -> None:
    """A bot: the program's chat on the platform of the bench."""
    from bot.bench.adapter import BenchBot
    from bot.bench.works import BenchApp
    from bot.settings import Settings

    async with BenchApp(Settings(**told["settings"]), told["seconds"]) as app:
        chat = await app.chat()
        say(ready=True)
        await BenchBot(chat, told["platform"]).run()


async def worker(told: Told) -> None:
    """A worker: `chatanything worker`, with cheap works."""
    from bot.bench.works import BenchApp
    from bot.commands.worker import work
    from bot.settings import Settings

    async with BenchApp(Settings(**told["settings"]), told["seconds"]) as app:
        say(ready=True)
        await work(app, stages="speech,clip", device="", concurrency=told["at_once"])


async def hands(told: Told) -> None:
    """Works for one queue at jobs that only take their time."""
    from sqlalchemy import make_url

    from bot.bench.handling import Nowhere
    from engine.jobs.saq.queue import SaqQueue
    from engine.jobs.saq.worker import SaqWorker
    from engine.jobs.settings import JobSettings

    settings = JobSettings(**told["jobs"])
    queue = await SaqQueue.open(make_url(told["url"]), Nowhere(), settings)
    handler = PauseHandler(told["seconds"], _begun if told.get("tells") else None)
    running = SaqWorker(queue, [handler], told["at_once"])
    say(ready=True)
    try:
        await running.run()
    finally:
        await queue.aclose()


async def saq(told: Told) -> None:
    """SAQ's own worker, as it comes, at jobs that say every half second that they live."""
    from saq.worker import Worker

    from bot.bench.recovery import plain_queue

    async def pause(context: Any, *, name: str) -> None:
        _begun(name)
        for _ in range(max(1, round(2 * told["seconds"]))):
            await context["job"].update()
            await asyncio.sleep(0.5)

    queue = plain_queue(told["url"], told["name"])
    await queue.connect()
    say(ready=True)
    timers: Any = {"sweep": told["sweep"]}
    running: Any = Worker(
        queue, functions=[("pause", pause)], concurrency=told["at_once"], timers=timers
    )
    await running.start()


def _begun(name: str) -> None:
    say(begun=name, at=time.time())


_ROLES: Final[dict[str, Callable[[Told], Awaitable[None]]]] = {
    "bot": bot,
    "worker": worker,
    "hands": hands,
    "saq": saq,
}


def main() -> None:
    """The way in."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(name)s %(message)s"
    )
    told = json.loads(sys.stdin.readline())

    async def run() -> None:
        await _ROLES[sys.argv[1]](told)

    asyncio.run(run())


if __name__ == "__main__":
    main()
