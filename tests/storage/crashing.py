"""A process that forks children which use the storage until they are killed.

Run as a module. Each line on its input, `ACTION SEED POINT SETTINGS`, is one child, and is answered
when that has ended: `killed`, or `done` where the action was over before the point. Forking spares
many starts of the interpreter. With the action `start` there are SEED children at once, which add
personas and close.

A child kills itself at the POINT-th moment between two writes; with the action `live` it goes on
without end and is killed from outside, at a moment that SEED decides.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable, Coroutine
from functools import partial

import alembic.command  # noqa: F401 - loaded once, for all children
import psycopg  # noqa: F401
import sqlalchemy.dialects.postgresql.psycopg  # noqa: F401
from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine

from personas.persona import Persona
from storage.conversations import Turn
from storage.objects import Objects
from storage.settings import StorageSettings
from storage.store import Storage
from storage.transfer.transfer import Transfer
from tests.storage.examples import add, put_and_build
from tests.storage.passing import from_line

ACTIONS = ("create", "talk", "change", "delete")


class Fuse:
    """Kills this process at the n-th moment before or after a commit or a write of bytes.

    Between those a transaction is cut and rolled back whole; kills from outside try that.
    """

    def __init__(self, points: int) -> None:
        self.left = points
        event.listen(Engine, "begin", self._begin)
        event.listen(Engine, "commit", self.burn)
        for name in ("put", "delete"):
            setattr(Objects, name, self._around(getattr(Objects, name)))

    def burn(self, *_: object) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def _begin(self, connection: Connection) -> None:
        """What begins to write comes after the commit before it; reading does not matter."""
        if connection.get_execution_options().get("chatanything_writing"):
            self.burn()

    def _around(self, method):  # type: ignore[no-untyped-def]
        async def burning(*args, **kwargs):  # type: ignore[no-untyped-def]
            self.burn()
            result = await method(*args, **kwargs)
            self.burn()
            return result

        return burning


async def do(storage: Storage, action: str, noise: random.Random) -> None:
    """One thing that people do, with a persona that is there."""
    name = f"{noise.getrandbits(64):x}"
    there = await storage.personas.list("terminal")
    if action == "create" or not there:
        await add(storage, name)
        return
    persona = noise.choice(there)
    if action == "talk":
        await talk(storage, persona, noise.randbytes(5_000))
    elif action == "change":
        changed = await put_and_build(storage, persona.id, seed=hash(name), slug=persona.slug)
        await storage.personas.change(persona.id, lambda _: changed)
    else:
        await storage.personas.delete("terminal", persona.id)


async def talk(storage: Storage, persona: Persona, clip: bytes) -> None:
    """A turn, and then its clip."""
    conversation = await storage.conversations.open(persona, "one")
    turn = await storage.conversations.append(conversation.id, Turn(role="persona", text="Hm. ☔"))
    assert turn.id is not None
    await storage.conversations.attach_clip(turn.id, await storage.media.put(clip, ".mp4"))


async def begin(settings: StorageSettings, name: str) -> None:
    """One process among several that start at once."""
    async with await Storage.open(settings) as storage:
        await asyncio.gather(*(add(storage, f"{name}-{n}") for n in range(4)))


async def move(point: int, source: StorageSettings, target: StorageSettings) -> None:
    """A transfer that is killed; the dead are given time to be known as dead."""
    await asyncio.sleep(2 * source.dead_seconds)
    Fuse(point)
    await Transfer(source, target, lambda *_: None, batch=3).run()


async def child(action: str, seed: int, point: int, settings: StorageSettings) -> None:
    noise = random.Random(seed)
    if action == "open":
        Fuse(point)
    storage = await Storage.open(settings)
    if action == "live":
        while True:
            await do(storage, noise.choice(ACTIONS), noise)
    if action != "open":
        Fuse(point)
        await do(storage, action, noise)
    os._exit(0)  # without closing: what was claimed stays claimed


def fork(work: Callable[[], Coroutine[None, None, None]]) -> int:
    """A child that does some work and ends with 0, or 1 where that failed."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            asyncio.run(work())
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return pid


def main() -> None:
    for line in sys.stdin:
        action, seed, point, settings = line.rstrip("\n").split(" ", 3)
        if action == "start":
            pids = [fork(partial(begin, from_line(settings), str(n))) for n in range(int(seed))]
            ends = [os.waitpid(pid, 0)[1] for pid in pids]
            sys.stdout.write("done\n" if not any(ends) else f"ended with {ends}\n")
            continue
        if action == "move":
            source, target = (from_line(one) for one in settings.split("\t"))
            pid = fork(partial(move, int(point), source, target))
        else:
            pid = fork(partial(child, action, int(seed), int(point), from_line(settings)))
        if action == "live":
            time.sleep(random.Random(int(seed)).uniform(0.0, 0.3))
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        ends = {signal.SIGKILL: "killed", 0: "done"}
        sys.stdout.write(ends.get(status, f"ended with {status}") + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
