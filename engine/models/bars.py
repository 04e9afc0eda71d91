"""Progress of pulls on a terminal: a bar with size, speed and time left for each model.

Where nobody watches (a log file, a pipe) there are plain lines instead, one every few seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from engine.models.progress import PullProgress, PullStage

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID


class PullBars:
    """A context manager; its instance is the listener that `ModelStore.pull` wants.

    Args:
        console: where to draw; standard error, so that standard output stays for data.
        every: seconds between two plain lines where there is no terminal.
        clock: where seconds come from.
    """

    def __init__(
        self,
        console: Console | None = None,
        every: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        from rich.console import Console as RichConsole
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        self._console = console or RichConsole(stderr=True)
        self._every = every
        self._clock = clock
        self._tasks: dict[str, TaskID] = {}
        self._told: dict[str, tuple[PullStage, float]] = {}
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            TextColumn("[dim]{task.fields[note]}", justify="left"),
            console=self._console,
            disable=not self._console.is_terminal,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def __call__(self, progress: PullProgress) -> None:
        """Show where a pull stands."""
        if self._console.is_terminal:
            self._draw(progress)
        else:
            self._write(progress)

    def _draw(self, progress: PullProgress) -> None:
        if progress.stage is PullStage.READY and progress.name not in self._tasks:
            return  # it was here already: nothing worth a bar
        if progress.name not in self._tasks:
            self._tasks[progress.name] = self._progress.add_task(
                progress.name, total=progress.total, completed=progress.done, note=""
            )
        self._progress.update(
            self._tasks[progress.name], completed=progress.done, note=_note(progress)
        )

    def _write(self, progress: PullProgress) -> None:
        stage, since = self._told.get(progress.name, (None, 0.0))
        now = self._clock()
        if stage is None and progress.stage is PullStage.READY:
            return
        # files of a model are checked in turn, which says nothing new each time
        turned = progress.stage in (PullStage.WAITING, PullStage.UNPACKING, PullStage.READY)
        if not (stage is PullStage.WAITING or (turned and stage is not progress.stage)) and (
            stage is not None and now - since < self._every
        ):
            return
        self._told[progress.name] = (progress.stage, now)
        size = f"{progress.done / 1e6:,.1f} of {progress.total / 1e6:,.1f} MB"
        line = f"{progress.name}: {size}, {_note(progress)}"
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


def _note(progress: PullProgress) -> str:
    match progress.stage:
        case PullStage.WAITING:
            return "another process is fetching it"
        case PullStage.FETCHING:
            return f"from {progress.source}" if progress.source else "looking"
        case PullStage.CHECKING:
            return "checking"
        case PullStage.UNPACKING:
            return "unpacking"
        case PullStage.READY:
            return "ready"
