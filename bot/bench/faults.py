"""The fault run: bots and workers are killed while they answer, and the services fail."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from bot.bench.children import Child, Children
from bot.bench.figures import Spread
from bot.bench.ledger import Ledger, endings, recoveries
from bot.bench.plans import FaultPlan
from bot.bench.platform import Asked, Platform
from bot.bench.postgres import OwnPostgres
from bot.bench.services import Bucket
from bot.bench.works import BenchApp, answer_to
from personas.errors import UnavailableError

log = logging.getLogger(__name__)

_COMMUNITIES: Final = 5
_OUTSTANDING: Final = 12
"""Messages that people write before they wait for answers."""
_RESERVE: Final = 2
"""Messages that are not written before what fails next."""
_PAUSE: Final = 0.1
_AWAY: Final = 1.0
"""Seconds until whoever looks after the processes starts a killed one again."""


@dataclass
class FaultReport:
    """What has become of it; times in seconds.

    Attributes:
        plan: what was done.
        messages: that were written.
        answered: with their whole text.
        clips: with their clip.
        lost: messages without whole text, or without a clip.
        doubled: messages with two answers, or two different clips.
        told: sentences to people why there is no answer.
        jobs: that went through the queue.
        ended_once: of them, those that ended exactly once.
        worker_kills: how many workers were killed.
        bot_kills: how many bots.
        restarts: of PostgreSQL.
        s3_requests: to S3.
        s3_failed: how many of them failed.
        resent: messages that were sent again and known by their nonce.
        recovery: from the kill of a worker until each of its jobs was in other hands.
        answer: from a message to its clip.
        transactions: of the database for a message, on average.
        faults: tracebacks in the logs of the processes, by their last lines.
        took: all of it.
    """

    plan: FaultPlan
    messages: int = 0
    answered: int = 0
    clips: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    jobs: int = 0
    ended_once: int = 0
    worker_kills: int = 0
    bot_kills: int = 0
    restarts: int = 0
    s3_requests: int = 0
    s3_failed: int = 0
    resent: int = 0
    recovery: Spread = field(default_factory=lambda: Spread.of(()))
    answer: Spread = field(default_factory=lambda: Spread.of(()))
    transactions: float = 0.0
    faults: list[str] = field(default_factory=list)
    took: float = 0.0

    @property
    def is_whole(self) -> bool:
        """Whether nothing was lost or doubled, and every job ended once."""
        return not self.lost and not self.doubled and self.ended_once == self.jobs

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "is_whole": self.is_whole}


class FaultRun:
    """One run.

    Args:
        plan: what is done.
        postgres: that can be restarted; None where an operator's is used, which is not.
        url: of the database; it is empty.
        bucket: where media go.
        doing: told what is going on.
    """

    def __init__(
        self,
        plan: FaultPlan,
        postgres: OwnPostgres | None,
        url: str,
        bucket: Bucket,
        doing: Callable[[float, str], object],
    ) -> None:
        self._plan = plan
        self._postgres = postgres
        self._proxy = bucket.proxy
        self._doing = doing
        self._queue = f"bench_{secrets.token_hex(4)}"
        self._ledger = Ledger(url, self._queue)
        self._chance = random.Random(plan.seed)
        self._report = FaultReport(plan)
        self._settings: dict[str, Any] = {
            "storage": {
                "database_url": url,
                "media_url": f"s3://{bucket.name}/{self._queue}",
                "s3_endpoint": bucket.proxy.url,
                "s3_region": "us-east-1",
                "s3_access_key_id": bucket.key,
                "s3_secret_access_key": bucket.secret,
                "heartbeat_seconds": 1,
                "dead_seconds": 5,
                "database_connections": 5,
            },
            # Whoever is killed at random is no killer: ten tries instead of three.
            "jobs": {"backend": "saq", "name": self._queue, "tries": 10},
            "conversation": {"mode": "clip", "clips_at_once": 8},
            "chat": {
                "at_once": 8,
                "waiting_each": 100,
                "messages_each": 0,
                "messages": 0,
                "takeover_seconds": 1,
                "unfinished_tries": 20,
            },
        }

    async def run(self) -> FaultReport:
        """Does all of it, and looks what has become of it.

        Raises:
            UnavailableError: a process does not start.
        """
        start, report, plan = time.monotonic(), self._report, self._plan
        self._doing(0.0, "Making personas")
        await self._prepare()
        before = await self._quietly(self._ledger.transactions) or 0
        with Platform() as platform:
            async with Children() as children:
                self._doing(0.02, "Starting bots and workers")
                bots = [await self._start(children, "bot", platform) for _ in range(plan.bots)]
                workers = [
                    await self._start(children, "worker", platform) for _ in range(plan.workers)
                ]
                for child in (*bots, *workers):
                    await child.ready()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(plan.patience):
                        await self._talk(platform, children, bots, workers)
                        await self._settle()
                self._doing(0.98, "Looking what has become of it")
                await self._judge(platform, children)
        after = await self._quietly(self._ledger.transactions) or before
        # A crash of PostgreSQL sets its counters back, so it is only told without one.
        if not report.restarts:
            report.transactions = (after - before) / max(1, report.messages)
        await asyncio.to_thread(self._ledger.drop)
        report.took = time.monotonic() - start
        return report

    async def _prepare(self) -> None:
        """Personas, each in a channel of its own, and the tables of the queue."""
        from bot.settings import Settings
        from engine.creation import CreationRequest
        from engine.events import PersonaReady
        from storage.channels import Resident

        local = {**self._settings, "jobs": {"backend": "local"}}
        async with BenchApp(Settings(**local), 0.0) as app:
            creator, storage = await app.creator(), await app.storage()
            for number in range(1, _COMMUNITIES + 1):
                request = CreationRequest(f"an egg, number {number}", f"discord:{number}", seed=1)
                events: list[Any] = [event async for event in creator.create(request)]
                last = events[-1]
                if not isinstance(last, PersonaReady):
                    raise UnavailableError(f"The bench has no personas: {last.reason}")
                for channel in self._channels(number):
                    await storage.channels.settle(channel, Resident(persona_id=last.persona.id))
        async with BenchApp(Settings(**self._settings), 0.0) as app:
            await app.queue()
        await asyncio.to_thread(self._ledger.begin)

    @staticmethod
    def _channels(community: int) -> list[str]:
        return [f"discord:{community}{room}" for room in (1, 2)]

    async def _start(self, children: Children, role: str, platform: Platform) -> Child:
        return await children.start(
            role,
            {
                "settings": self._settings,
                "platform": platform.url,
                "seconds": self._plan.seconds,
                "at_once": 2,
            },
        )

    async def _talk(
        self, platform: Platform, children: Children, bots: list[Child], workers: list[Child]
    ) -> None:
        """People write, and are answered; at moments that the seed chooses, something fails."""
        messages = max(1, self._plan.jobs // 2)
        faults = self._moments(messages)
        written = told = 0
        keepers: list[asyncio.Task[None]] = []
        while True:
            done = sum(self._is_answered(platform, one) for one in platform.asked)
            # Something is left to be disturbed by what has still to fail.
            most = min(messages - _RESERVE * len(faults), done + _OUTSTANDING)
            while written < max(most, min(messages, _OUTSTANDING)):
                written += 1
                platform.write(self._message(written))
            if faults and faults[0][0] <= done and self._may(faults[0][1], bots, workers):
                await self._fail(faults.pop(0)[1], platform, children, bots, workers, keepers)
            if done >= told:
                self._doing(0.05 + 0.9 * done / messages, f"{done} of {messages} answers")
                told += max(1, messages // 10)
            if done >= messages:
                break
            await asyncio.sleep(_PAUSE)
        await asyncio.gather(*keepers)

    def _message(self, number: int) -> Asked:
        community = 1 + number % _COMMUNITIES
        channel = self._chance.choice(self._channels(community))
        person = str(100 + number % 7)
        return Asked(
            str(number), channel, f"discord:{community}", person, f"question {number} of {person}"
        )

    def _moments(self, messages: int) -> list[tuple[int, str]]:
        """When what fails: after so many answers."""
        plan = self._plan
        kinds = ["worker"] * plan.worker_kills + ["bot"] * plan.bot_kills
        if self._postgres is not None:
            kinds += ["postgres"] * plan.restarts
        self._chance.shuffle(kinds)
        last = max(1, messages - _OUTSTANDING // 2 - _RESERVE * len(kinds))
        moments = sorted(self._chance.randint(min(2, last), last) for _ in kinds)
        return list(zip(moments, kinds, strict=True))

    @staticmethod
    def _may(kind: str, bots: list[Child], workers: list[Child]) -> bool:
        """Nobody kills the last of a kind: there would be nobody to take over."""
        group = {"bot": bots, "worker": workers}.get(kind)
        return group is None or sum(child.is_ready for child in group) > 1

    async def _fail(
        self,
        kind: str,
        platform: Platform,
        children: Children,
        bots: list[Child],
        workers: list[Child],
        keepers: list[asyncio.Task[None]],
    ) -> None:
        report = self._report
        if kind == "postgres":
            assert self._postgres is not None
            report.restarts += 1
            await asyncio.to_thread(self._postgres.restart, crash=report.restarts % 2 == 0)
            return
        among = [child for child in (bots if kind == "bot" else workers) if child.is_ready]
        if kind == "worker":
            busy = await self._quietly(self._ledger.busy) or set()
            at_work = [one for one in among if any(f"-{one.pid}-" in name for name in busy)]
            among = at_work or among
            report.worker_kills += 1
        else:
            report.bot_kills += 1
        if among:
            victim = self._chance.choice(among)
            await victim.kill()
            group = bots if kind == "bot" else workers
            keepers.append(asyncio.create_task(self._again(children, kind, platform, group)))

    async def _again(
        self, children: Children, kind: str, platform: Platform, group: list[Child]
    ) -> None:
        """Starts one in place of a killed one, as systemd does."""
        await asyncio.sleep(_AWAY)
        child = await self._start(children, kind, platform)
        group.append(child)
        await child.ready()

    async def _settle(self) -> None:
        """Waits until nothing is open any more."""
        while True:
            if (await self._quietly(self._ledger.open)) == 0:
                return
            await asyncio.sleep(_PAUSE)

    @staticmethod
    def _is_answered(platform: Platform, asked: Asked) -> bool:
        posts = platform.answers(asked.id)
        return any(post.text == answer_to(asked.text) and _clips(post.clips) > 0 for post in posts)

    async def _judge(self, platform: Platform, children: Children) -> None:
        report = self._report
        report.messages = len(platform.asked)
        seconds = []
        for asked in platform.asked:
            posts = platform.answers(asked.id)
            whole = [post for post in posts if post.text == answer_to(asked.text)]
            filmed = [post for post in whole if _clips(post.clips)]
            report.answered += bool(whole)
            report.clips += bool(filmed)
            told = ", ".join(f"{post.text[:80]!r} {post.clips}" for post in posts)
            if not filmed:
                report.lost.append(f"{asked.text}: {told or 'nothing'}")
            if len(posts) > 1 or any(_clips(post.clips) > 1 for post in posts):
                report.doubled.append(f"{asked.text}: {told}")
            seconds += [post.filmed - asked.at for post in filmed[:1]]
        report.answer = Spread.of(seconds)
        report.told = list(platform.told)
        report.resent = platform.repeated
        changes = await asyncio.to_thread(self._ledger.changes)
        ended = endings(changes)
        report.jobs = len(ended)
        report.ended_once = sum(count == 1 for count in ended.values())
        killed = [child for child in children.all if child.killed is not None]
        found = [one for child in killed for one in recoveries(changes, child)]
        report.recovery = Spread.of(found)
        report.s3_requests, report.s3_failed = self._proxy.requests, self._proxy.failed
        report.faults = children.faults()

    @staticmethod
    async def _quietly(ask: Callable[[], Any]) -> Any:
        """What the database says; None while it is away."""
        import psycopg

        try:
            return await asyncio.to_thread(ask)
        except psycopg.OperationalError:
            return None


def _clips(files: list[str]) -> int:
    """Different clips among the files of a message; a sound that stood in for one is none."""
    return len({file for file in files if file.startswith("clip ")})
