"""SaqWorker: the side of the queue on which work is done."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import socket
import time
import traceback
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from engine.jobs.base import Job, JobProgress, to_json
from engine.jobs.handlers import Handler
from engine.jobs.local import UNEXPECTED
from engine.jobs.saq import sql, taking
from engine.jobs.saq.bell import JOB, WORK
from engine.jobs.saq.database import Row, UnreadableJobError
from engine.jobs.saq.loaded import Loaded
from engine.jobs.saq.presence import Presence
from engine.jobs.saq.queue import SaqQueue
from engine.jobs.saq.rows import POISONED, done_to_json, progress_to_json
from personas.errors import ChatAnythingError, InvalidInputError, NotFoundError, UnavailableError

log = logging.getLogger(__name__)

_LOOK_AGAIN: Final = 1.0
"""Seconds after which a worker looks for what it is not rung for: tries that are due again."""
_AVOIDS: Final = 3.0
"""Seconds for which somebody else may take what failed here."""
_WATCHES: Final = 5.0
"""Seconds after which a worker looks what has become of its jobs without having been rung for."""
_LOOKS_AT: Final = 32
"""Waiting jobs of each kind, in their order, among which one with a loaded model is preferred."""
_TELLS_EVERY: Final = 0.25
"""Seconds between two words of progress that say nothing but how far it is."""


@dataclass(eq=False)
class _Hand:
    """A try of a job, which key and beginning name in the queue."""

    key: str
    begun: datetime
    job: Job
    tries: int
    task: asyncio.Task[None] | None = None
    progress: JobProgress | None = None
    told: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: bool = False
    lost: bool = False


class SaqWorker:
    """Takes jobs, makes them, and says how it went; finds what dead workers have left.

    Args:
        queue: where jobs wait.
        handlers: who makes what; kinds without one are left to others.
        at_once: jobs in hand at the same time.
        about: what operators are told of this worker.
    """

    def __init__(
        self,
        queue: SaqQueue,
        handlers: Iterable[Handler],
        at_once: int = 1,
        about: Mapping[str, Any] | None = None,
    ) -> None:
        self.id = f"{socket.gethostname()[:60]}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
        self._queue = queue
        self._database = queue.database
        self._settings = queue.settings
        self._handlers = {handler.kind: handler for handler in handlers}
        self._at_once = at_once
        self._hands: set[_Hand] = set()
        self._loaded = Loaded()
        self._served: dict[int, int] = {}
        told = {"kinds": sorted(self._handlers), "at_once": at_once, "host": socket.gethostname()}
        self._presence = Presence(
            self._database, self._settings, self.id, {**told, **(about or {})}, self._reconcile
        )
        self._draining = asyncio.Event()
        self._freed = asyncio.Event()
        self._rung = asyncio.Event()
        # While it is held, what the database thinks is in hand may not have arrived yet.
        self._taking = asyncio.Lock()

    @property
    def in_hand(self) -> int:
        """Jobs it works on."""
        return len(self._hands)

    async def run(self) -> None:
        """Works until `drain` is called; cancelled, hands back at once what is in hand.

        Raises:
            UnavailableError: the queue did not answer when it was begun.
        """
        self._queue.bell.start()
        await self._presence.begin()
        upkeep = [
            asyncio.create_task(self._presence.run(), name="worker presence"),
            asyncio.create_task(self._watch(), name="worker watch"),
        ]
        try:
            await self._take_all()
            while self._hands:
                await self._wait_for_hands()
        finally:
            await self._hand_back()
            for task in upkeep:
                task.cancel()
            await asyncio.gather(*upkeep, return_exceptions=True)
            with contextlib.suppress(ChatAnythingError):
                await self._presence.end()

    def drain(self) -> None:
        """Takes nothing more; `run` ends when what is in hand is done."""
        self._draining.set()
        self._freed.set()

    async def _take_all(self) -> None:
        """Takes jobs as long as there are hands free, until it is drained."""
        kinds = frozenset(self._handlers)
        with self._queue.bell.work(kinds) as rung:
            while not self._draining.is_set():
                rung.clear()
                self._freed.clear()
                free = self._at_once - len(self._hands)
                taken = []
                async with self._taking:
                    if free > 0:
                        taken = await self._take(free)
                    for hand in taken:
                        self._hands.add(hand)
                        name = f"{hand.job.kind} job"
                        hand.task = asyncio.create_task(self._work(hand), name=name)
                if len(taken) < free or free <= 0:
                    await self._wait(rung, wants_work=free > len(taken))

    async def _wait(self, rung: asyncio.Event, *, wants_work: bool) -> None:
        """Until a hand is free, or there may be work for a free one."""
        waits = [asyncio.create_task(self._freed.wait())]
        if wants_work:
            waits.append(asyncio.create_task(rung.wait()))
        try:
            await asyncio.wait(
                waits,
                timeout=_LOOK_AGAIN if wants_work else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            for wait in waits:
                wait.cancel()

    async def _wait_for_hands(self) -> None:
        tasks = {hand.task for hand in self._hands if hand.task is not None}
        if tasks:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)

    async def _take(self, most: int) -> list[_Hand]:
        """Begins the next jobs, at most so many."""
        kept = [one for one in self._presence.kept if one["kind"] in self._handlers]
        values = {
            "kinds": sorted(self._handlers),
            "me": self.id,
            "avoid": _AVOIDS,
            "look": max(_LOOKS_AT, 2 * most),
            "loaded": self._loaded.preferred(),
            "most": most,
            "channel": self._database.channel,
            "kept": Jsonb(kept),
        }
        statement = taking.TAKE_KEEPING if kept else taking.TAKE

        async def take(connection: AsyncConnection[Any]) -> list[Row]:
            cursor = await connection.execute(statement, values)
            rows = await cursor.fetchall()
            for row in rows:
                if row["turn"] > self._served.get(row["priority"], -1):
                    self._served[row["priority"]] = row["turn"]
                    await connection.execute(taking.SERVE[row["priority"]], row)
            return rows

        try:
            rows = await self._database.run(take)
        except UnavailableError:
            return []  # it is waited for; meanwhile there is nothing to do
        hands = []
        for row in sorted(rows, key=lambda one: (one["priority"], one["turn"])):
            self._loaded.took(row["affinity"])
            try:
                job = self._database.table.unpack(row["job"], row["affinity"])
            except UnreadableJobError as error:
                log.error("%s It is set aside: %s", error, row["key"])
                refused = self._for_a_while({**_refused(str(error)), "outcome": POISONED})
                await self._end(sql.FAILED, row["key"], row["begun"], **refused)
                continue
            hands.append(_Hand(row["key"], row["begun"], job, row["tries"]))
        return hands

    async def _work(self, hand: _Hand) -> None:
        with self._queue.bell.job(hand.key, self._rung):
            await self._make(hand)

    async def _make(self, hand: _Hand) -> None:
        """A job from its beginning to its end, or back to the queue."""
        handler = self._handlers[hand.job.kind]
        telling = asyncio.create_task(self._tell(hand))
        timer = asyncio.timeout(self._settings.run_seconds)
        try:
            async with timer:
                done = await handler.make(hand.job, lambda progress: self._told(hand, progress))
            to_json(done.result)
            await self._settle(hand, telling)
            await self._end(
                sql.DONE,
                hand.key,
                hand.begun,
                result=Jsonb(done_to_json(done)),
                ttl=self._settings.result_seconds,
            )
        except asyncio.CancelledError:
            await asyncio.shield(self._stopped(hand))
        except (InvalidInputError, NotFoundError) as error:
            log.warning("No %s: %s", hand.job.kind, error, exc_info=error)
            refused = _refused(str(error), type(error).__name__, error)
            await self._end(sql.FAILED, hand.key, hand.begun, **self._for_a_while(refused))
        except Exception as error:
            await self._failed(hand, error, is_late=timer.expired())
        finally:
            telling.cancel()
            self._hands.discard(hand)
            self._freed.set()

    async def _failed(self, hand: _Hand, error: Exception, *, is_late: bool) -> None:
        """Somebody tries again, until it was tried too often."""
        is_known = isinstance(error, ChatAnythingError)
        reason = str(error) if is_known else UNEXPECTED
        if is_late:
            reason = f"This took longer than {self._settings.run_seconds:.0f} seconds."
        log.warning("No %s (try %d): %s", hand.job.kind, hand.tries, reason, exc_info=error)
        refused = _refused(reason, type(error).__name__ if is_known else "", error)
        if hand.tries < self._settings.tries:
            delay = self._settings.retry_seconds * 2 ** (hand.tries - 1) * random.uniform(0.5, 1.0)
            del refused["outcome"], refused["error"]
            await self._end(sql.RETRY, hand.key, hand.begun, **refused, delay=delay, unused=0)
            return
        refused["outcome"] = "" if is_known else POISONED
        await self._end(sql.FAILED, hand.key, hand.begun, **self._for_a_while(refused))

    async def _stopped(self, hand: _Hand) -> None:
        """It is not wanted any more, or this worker ends and somebody else shall make it."""
        if hand.lost:
            return
        if hand.cancelled:
            ttl = self._settings.result_seconds
            await self._end(sql.ABORTED, hand.key, hand.begun, ttl=ttl)
            return
        await self._give_back(hand.key, hand.begun)

    async def _end(self, statement: str, key: str, begun: datetime, **values: Any) -> bool:
        """Writes down how a job ended, however long the database is away; False: not ours."""

        async def write(connection: AsyncConnection[Any]) -> bool:
            told = {"key": key, "me": self.id, "begun": begun, **values}
            cursor = await connection.execute(statement, told)
            row = await cursor.fetchone()
            await self._database.notify(connection, f"{JOB} {key}")
            if statement == sql.RETRY and row is not None:
                await self._database.notify(connection, f"{WORK} {row['kind']}")
            return row is not None

        is_ours = await self._database.run(write, None)
        if not is_ours:
            log.info("A job that was given to another worker has ended here: %s", key)
        return is_ours

    def _told(self, hand: _Hand, progress: JobProgress) -> None:
        before = hand.progress.data if hand.progress else {}
        hand.progress = JobProgress(progress.fraction, progress.doing, {**before, **progress.data})
        hand.told.set()

    async def _tell(self, hand: _Hand) -> None:
        """Writes progress down: what is new at once, how far it is now and then."""
        last = 0.0
        data: dict[str, Any] = {}
        while True:
            await hand.told.wait()
            assert hand.progress is not None
            pause = _TELLS_EVERY - (time.monotonic() - last)
            if hand.progress.data == data and pause > 0:
                await asyncio.sleep(pause)
            hand.told.clear()
            last, data = time.monotonic(), dict(hand.progress.data)
            told = Jsonb(progress_to_json(hand.progress))
            with contextlib.suppress(UnavailableError):
                await self._end(sql.TELL, hand.key, hand.begun, told=told)

    async def _settle(self, hand: _Hand, telling: asyncio.Task[None]) -> None:
        """What was told last is written before the end."""
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
        if hand.told.is_set() and hand.progress is not None:
            told = Jsonb(progress_to_json(hand.progress))
            await self._end(sql.TELL, hand.key, hand.begun, told=told)

    async def _watch(self) -> None:
        """Stops what is cancelled, soon after it is."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_WATCHES):
                    await self._rung.wait()
            self._rung.clear()
            if self._hands:
                with contextlib.suppress(ChatAnythingError):
                    await self._reconcile()

    async def _reconcile(self) -> None:
        """Compares what is in hand with what the database thinks, and follows the database."""
        async with self._taking:
            rows = await self._database.rows(sql.MINE, me=self.id)
            known = list(self._hands)
        mine = {(row["key"], row["begun"]): row for row in rows}
        for hand in known:
            row = mine.pop((hand.key, hand.begun), None)
            if hand.task is None or hand.task.done() or hand.cancelled or hand.lost:
                continue
            if row is None:
                # It may have ended a moment ago; else it was given to somebody else.
                hand.lost = True
                hand.task.cancel()
            elif row["status"] == "aborting":
                hand.cancelled = True
                hand.task.cancel()
        for row in mine.values():  # the answers to our taking them were lost
            await self._give_back(row["key"], row["begun"])

    async def _give_back(self, key: str, begun: datetime) -> None:
        back = {"delay": 0.0, "unused": 1, "reason": "", "cause": "handed back"}
        if not await self._end(sql.RETRY, key, begun, **back):  # it was cancelled at this moment
            await self._end(sql.ABORTED, key, begun, ttl=self._settings.result_seconds)

    async def _hand_back(self) -> None:
        tasks = [hand.task for hand in self._hands if hand.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # What was being taken at this moment is in the database only.
        with contextlib.suppress(ChatAnythingError):
            for row in await self._database.rows(sql.MINE, 3.0, me=self.id):
                await self._give_back(row["key"], row["begun"])

    def _for_a_while(self, refused: dict[str, Any]) -> dict[str, Any]:
        return {**refused, "ttl": self._settings.result_seconds}


def _refused(reason: str, error: str = "", cause: BaseException | None = None) -> dict[str, Any]:
    """Why there is no result: a sentence for people, and the cause for operators."""
    told = ""
    if cause is not None:
        told = "".join(traceback.format_exception_only(cause.__cause__ or cause)).strip()
    return {
        "outcome": "",
        "reason": reason.replace("\0", "")[:2000],
        "error": error,
        "cause": told.replace("\0", "")[:2000],
    }
