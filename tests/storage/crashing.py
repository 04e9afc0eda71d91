"""A process that forks children which use the storage until they are killed.

Run as a module; each line on its input, `SEED POINTS FOLDER`, is one child. It says `killed` when
that has died. Forking spares fifty starts of the interpreter.

With points the child kills itself at a random one of so many points where something has been or
is about to be written; with 0 it is killed from outside at a random moment.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time
from pathlib import Path

import alembic.command  # noqa: F401 - loaded once, for all children
from sqlalchemy import event
from sqlalchemy.engine import Engine

from storage.conversations import Turn
from storage.objects import Objects
from storage.settings import StorageSettings
from storage.store import Storage
from tests.storage.examples import add, put_and_build


class Fuse:
    """Kills this process at the n-th point."""

    def __init__(self, points: int) -> None:
        self.left = points

    def burn(self, *_: object, **__: object) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def lay(self) -> None:
        for moment in ("before_cursor_execute", "after_cursor_execute", "commit"):
            event.listen(Engine, moment, self.burn)
        for name in ("put", "delete"):
            setattr(Objects, name, self._around(getattr(Objects, name)))

    def _around(self, method):  # type: ignore[no-untyped-def]
        async def burning(*args, **kwargs):  # type: ignore[no-untyped-def]
            self.burn()
            result = await method(*args, **kwargs)
            self.burn()
            return result

        return burning


async def live(folder: Path, seed: int) -> None:
    """Creates, talks, changes and deletes without end."""
    noise = random.Random(seed)
    storage = await Storage.open(StorageSettings(data_folder=folder))
    for number in range(10_000):
        persona = await add(storage, f"{seed}-{number}")
        conversation = await storage.conversations.open(persona, "one")
        turn = await storage.conversations.append(
            conversation.id, Turn(role="persona", text="Hm. ☔")
        )
        assert turn.id is not None
        clip = await storage.media.put(noise.randbytes(5_000), ".mp4")
        await storage.conversations.attach_clip(turn.id, clip)
        if number % 2:
            changed = await put_and_build(storage, persona.id, seed=1, slug=persona.slug)
            await storage.personas.update(changed)
        if number % 3 == 1:
            await storage.personas.delete("terminal", persona.id)


def main() -> None:
    for line in sys.stdin:
        first, second, folder = line.rstrip("\n").split(" ", 2)
        seed, points = int(first), int(second)
        noise = random.Random(seed)
        child = os.fork()
        if child == 0:
            try:
                if points:
                    Fuse(noise.randint(1, points)).lay()
                asyncio.run(live(Path(folder), seed))
            finally:
                os._exit(1)  # only a kill ends a child rightly
        if not points:
            time.sleep(noise.uniform(0.0, 0.25))
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        sys.stdout.write("killed\n" if killed else f"ended with {status}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
