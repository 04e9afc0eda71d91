"""`chatanything discord`, `telegram` and `serve`: adapters, side by side, until told to stop."""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal

from bot.operating.moment import Waiting
from bot.output import say
from bot.signals import on_signals
from personas.errors import UnavailableError

if TYPE_CHECKING:
    from bot.adapters import Adapter
    from bot.app import App
    from bot.operating.health import Check
    from engine.jobs.base import JobQueue
log = logging.getLogger(__name__)

Platform = Literal["discord", "telegram"]
PLATFORMS: Final[tuple[Platform, ...]] = ("discord", "telegram")
GRACE_SECONDS: Final = 20.0
"""How long the end waits for answers that are being made, where no setting says."""


def configured(app: App) -> list[Platform]:
    """The platforms for which there is a token."""
    return [
        platform
        for platform in PLATFORMS
        if getattr(app.settings, platform).token.get_secret_value()
        or os.environ.get(f"{platform.upper()}_TOKEN")
    ]


async def serve(app: App, platforms: Sequence[Platform] = ()) -> None:
    """Runs the adapters of some platforms, or of all for which there is a token.

    Raises:
        UnavailableError: there is none, or one of them cannot be connected.
    """
    chosen = platforms or configured(app)
    if not chosen:
        raise UnavailableError(
            "No platform is set up. Set discord.token or telegram.token in config.toml, or "
            "DISCORD_TOKEN or TELEGRAM_TOKEN in the environment."
        )
    adapters = [await _open(app, platform) for platform in chosen]
    names = " and ".join(adapter.name for adapter in adapters)
    chat, studio, operating = await app.chat(), await app.studio(), app.operating
    sections = [getattr(app.settings, platform) for platform in chosen]
    grace = max(getattr(one, "shutdown_seconds", GRACE_SECONDS) for one in sections)

    async def finish() -> None:
        operating.state = "It is ending: new messages are left to the next process."
        await chat.aclose(grace)

    async with operating.running(
        checks(app, adapters, studio.queue),
        lambda: waiting(studio.queue, chat.queues),
        lambda: chat.in_flight,
    ):
        operating.state = "It is starting."
        # Loading a local model holds up everything else, so it is done before anybody is there.
        await (await app.model()).read_ahead()
        await studio.resume()
        operating.state = ""
        say(f"Serving {names}. Ctrl+C ends it.")
        log.info("Serving %s", names)
        tidying = asyncio.create_task((await app.storage()).keep_tidy(), name="tidy")
        try:
            await run(adapters, finish)
        finally:
            tidying.cancel()
    say("All answers are given. Goodbye.")


def checks(app: App, adapters: Sequence[Adapter], queue: JobQueue) -> dict[str, Check]:
    """What has to work before people get answers: storage, queue, language model, platforms.

    Args:
        app: the program.
        adapters: of a bot; a worker has none, and writes no words.
        queue: where jobs wait.
    """

    async def storage() -> str:
        await (await app.storage()).check()
        return ""

    async def jobs() -> str:
        await queue.stats()
        return ""

    async def model() -> str:
        return app.operating.backends.reason("language model")

    def connected(adapter: Adapter) -> Check:
        async def look() -> str:
            return adapter.obstacle

        return look

    found: dict[str, Check] = {"storage": storage, "queue": jobs}
    if adapters:
        found["language model"] = model
    return found | {adapter.name.lower(): connected(adapter) for adapter in adapters}


async def waiting(
    queue: JobQueue, queues: Mapping[str, tuple[int, float]] | None = None
) -> list[Waiting]:
    """What waits for workers, and for this process; the same kind of work in one line.

    Args:
        queue: where jobs wait.
        queues: what waits here, by kind: how many, and seconds of the oldest.
    """
    found = dict(queues or {})
    for one in await queue.stats():
        count, oldest = found.get(one.kind, (0, 0.0))
        found[one.kind] = (count + one.waiting, max(oldest, one.oldest))
    return [Waiting(kind, count, oldest) for kind, (count, oldest) in found.items()]


async def _open(app: App, platform: Platform) -> Adapter:
    module = importlib.import_module(f"bot.{platform}.adapter")
    adapter: Adapter = await module.open_adapter(app)
    return adapter


async def run(adapters: Sequence[Adapter], finish: Callable[[], Awaitable[None]]) -> None:
    """Runs adapters until a signal comes, or one of them ends.

    Then no new message is answered, what is being answered is finished while everything is still
    connected, and the adapters disconnect.

    Args:
        adapters: side by side.
        finish: answers no more messages and waits for what is in flight.

    Raises:
        ChatAnythingError: an adapter could not be connected.
    """
    stop = asyncio.Event()
    running = [asyncio.create_task(adapter.run(), name=adapter.name) for adapter in adapters]
    stopping = asyncio.create_task(stop.wait())
    try:
        with on_signals(stop.set):
            done, _ = await asyncio.wait({*running, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if stopping in done:
                say("Finishing what is being answered. Ctrl+C once more ends it at once.")
    finally:
        stopping.cancel()
        finishing = asyncio.ensure_future(finish())
        with on_signals(finishing.cancel):
            await asyncio.wait({finishing})
            await asyncio.gather(*(adapter.aclose() for adapter in adapters))
            results = await asyncio.gather(finishing, *running, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result
