"""Children: the processes of a bench, started, listened to, killed, and never left behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from personas.errors import UnavailableError

_READY: float = 90.0
"""Seconds in which a process must be ready; many start at once on a small machine."""


class Child:
    """A process of the bench.

    Attributes:
        name: of it.
        pid: its number.
        begun: the jobs it said it has begun, with the time.
        killed: epoch seconds at which it was killed; None while it was not.
    """

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.pid = process.pid
        self.begun: list[tuple[str, float]] = []
        self.killed: float | None = None
        self._process = process
        self._log = log
        self._ready = asyncio.Event()
        self._listening = asyncio.create_task(self._listen())

    @property
    def lives(self) -> bool:
        """Whether it runs."""
        return self._process.returncode is None

    @property
    def is_ready(self) -> bool:
        """Whether it runs, and has said that it is ready."""
        return self.lives and self._ready.is_set()

    async def ready(self) -> None:
        """Waits until it says that it is ready.

        Raises:
            UnavailableError: it ended before that, or takes too long.
        """
        waiting = asyncio.create_task(self._ready.wait())
        await asyncio.wait(
            {waiting, self._listening}, timeout=_READY, return_when=asyncio.FIRST_COMPLETED
        )
        waiting.cancel()
        if not self._ready.is_set():
            raise UnavailableError(f"A process of the bench did not start: {self.last_words()}")

    def last_words(self) -> str:
        """What it said last in its log."""
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return lines[-1][:500] if lines else self.name

    async def kill(self) -> None:
        """Ends it without a word, as `kill -9` does."""
        self.killed = time.time()
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    async def end(self) -> None:
        """Asks it to end, and kills it where it does not."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(5):
                await self._process.wait()
        except TimeoutError:
            await self.kill()
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)

    async def _listen(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            with contextlib.suppress(ValueError):
                told = json.loads(line)
                if "begun" in told:
                    self.begun.append((told["begun"], told["at"]))
                else:
                    self._ready.set()


class Children:
    """All processes of a bench; a context manager that leaves none behind.

    Attributes:
        all: those that were ever started.
        folder: where they say what goes wrong.
    """

    def __init__(self) -> None:
        self.all: list[Child] = []
        self._folder = tempfile.TemporaryDirectory(prefix="chatanything-bench-")
        self.folder = Path(self._folder.name)

    async def start(self, role: str, told: dict[str, Any]) -> Child:
        """Starts a process; it may not be ready yet."""
        name = f"{role}-{len(self.all)}"
        log = self.folder / f"{name}.log"
        with log.open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                "bot.bench.process",
                role,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
            )
        assert process.stdin is not None
        process.stdin.write(json.dumps(told).encode() + b"\n")
        with contextlib.suppress(OSError):
            await process.stdin.drain()
        child = Child(name, process, log)
        self.all.append(child)
        return child

    def faults(self) -> list[str]:
        """Tracebacks in what the processes have said, by their last lines."""
        found = []
        for log in sorted(self.folder.glob("*.log")):
            text = log.read_text(errors="replace")
            if "Traceback" in text:
                found.append(f"{log.stem}: {text.strip().splitlines()[-1][:300]}")
        return found

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.gather(*(child.end() for child in self.all if child.lives))
        self._folder.cleanup()
