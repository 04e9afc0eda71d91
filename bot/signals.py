"""What happens when the program is told to end."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

from bot.output import INTERRUPTED, say


@contextlib.contextmanager
def on_signals(do: Callable[[], object]) -> Iterator[None]:
    """Does something when the program is told to end."""
    loop = asyncio.get_running_loop()
    caught = []
    for number in (signal.SIGINT, signal.SIGTERM):
        # Windows, and threads other than the main one, know no signal handlers of a loop.
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, do)
            caught.append(number)
    try:
        yield
    finally:
        for number in caught:
            loop.remove_signal_handler(number)


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl+C ends the process at once, whatever its threads are doing.

    A thread cannot be stopped, be it in a download, a model's C code or `input()`, and Python
    would wait for it before it ends. So the process is left without that wait, after everything
    that was opened around the interrupted work has been closed.
    """
    terminal = _terminal()
    try:
        yield
    except KeyboardInterrupt:
        for child in multiprocessing.active_children():
            child.terminate()
        _restore(terminal)
        # The terminal has written ^C, and perhaps a question before it.
        say("\nInterrupted." if sys.stderr.isatty() else "Interrupted.")
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
        os._exit(INTERRUPTED)


def _terminal() -> list[Any] | None:
    """How the terminal is set; None where there is none."""
    if sys.stdin is None or not sys.stdin.isatty():
        return None
    try:
        import termios
    except ImportError:  # Windows
        return None
    return termios.tcgetattr(sys.stdin)


def _restore(settings: list[Any] | None) -> None:
    """Sets the terminal as it was before `input()`, which hides what is typed."""
    if settings is not None:
        import termios

        termios.tcsetattr(sys.stdin, termios.TCSANOW, settings)
