"""What a person sees while something is being made: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Self

from bot.output import plain, say, stderr
from engine.events import (
    CreationEvent,
    CreationFailed,
    PersonalityReady,
    PersonaReady,
    PortraitProgress,
    PortraitReady,
)
from personas.errors import UnavailableError

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Step(AbstractContextManager["Step"]):
    """A step that takes a while: a spinner and a bar, or a line where no one watches."""

    def __init__(self, text: str) -> None:
        self._console = stderr()
        self._text = text
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        if not self._console.is_terminal:
            say(f"{self._text} ...", self._console)
            return self
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        self._bar.start()
        self._task = self._bar.add_task(plain(self._text), total=None)
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def at(self, fraction: float | None, text: str) -> None:
        """Says how far it is (0 to 1, or None for nobody knows) and what is being done."""
        if self._bar is None:
            if text != self._text:
                say(f"{text} ...", self._console)
        elif self._task is not None:
            total = None if fraction is None else 1.0
            self._bar.update(
                self._task, completed=fraction or 0.0, total=total, description=plain(text)
            )
        self._text = text


async def watch_creation(
    events: AsyncIterator[CreationEvent], doing: str = "Thinking up who it is"
) -> PersonaReady:
    """Shows how a persona comes to be.

    Raises:
        UnavailableError: there is no persona, with the reason.
    """
    with Step(doing) as step:
        async for event in events:
            match event:
                case PersonalityReady(personality=personality, improvised=improvised):
                    if improvised:
                        say("The language model is no help here: the personality is improvised.")
                    step.at(0.0, f"Drawing {personality.name}")
                case PortraitProgress(fraction=fraction, doing=doing) if fraction < 1:
                    step.at(fraction, doing[:1].upper() + doing[1:])
                case PortraitReady():
                    step.at(None, "Keeping it")
                case PersonaReady():
                    return event
                case CreationFailed(reason=reason):
                    raise UnavailableError(reason)
    raise UnavailableError("The persona could not be made; the log says why.")
