"""Ctrl+C: one is enough, whatever the program is doing."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from engine.models.settings import ModelStoreSettings
from engine.models.store import ModelStore

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals and terminals")

READY = b"You: "
COMMAND = """
import asyncio, sys, time, typer
from bot.cli.base import cli, run
from bot.terminal import _read

@cli.command()
def busy(context: typer.Context) -> None:
    async def work(app):
        {work}
    run(context, work)

sys.argv[1:] = ["busy"]
cli()
"""
BUSY = f"print({READY.decode()!r}, flush=True); await asyncio.to_thread(time.sleep, 60)"
SLOW_TO_CLOSE = f"app._open.push_async_callback(asyncio.sleep, 60); {BUSY}"


def hear_interrupts() -> None:
    """Undoes what a shell does to what it runs in the background, perhaps these tests."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def start(
    *arguments: str, stdin: int | None = None, stdout: int = subprocess.PIPE, **more: str
) -> subprocess.Popen[bytes]:
    """A process of its own, as from a shell."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env={**os.environ, **more},
        preexec_fn=hear_interrupts,
    )


def interrupt(process: subprocess.Popen[bytes]) -> str:
    """Presses Ctrl+C once, checks that this was enough, and gives what was said of it."""
    process.send_signal(signal.SIGINT)
    try:
        _, said = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 130
    assert b"Traceback" not in said
    return said.decode()


@pytest.mark.parametrize("work", [BUSY, SLOW_TO_CLOSE], ids=["busy", "slow to close"])
def test_work_in_a_thread_holds_nobody_up(work: str) -> None:
    process = start("-c", COMMAND.format(work=work))
    assert process.stdout is not None
    assert process.stdout.read(len(READY)) == READY
    assert interrupt(process) == "Interrupted.\n"


def test_a_question_is_left_with_the_terminal_as_it_was() -> None:
    import pty
    import termios

    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    code = COMMAND.format(work="await asyncio.to_thread(_read)")
    process = start("-c", code, stdin=theirs, stdout=theirs)
    shown = b""
    while READY not in shown:
        shown += os.read(ours, 1024)
    assert interrupt(process).endswith("Interrupted.\n")
    assert termios.tcgetattr(theirs) == before
    os.close(ours)
    os.close(theirs)


def test_a_download_is_left_unfinished(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mirror = f"http://127.0.0.1:{silent.getsockname()[1]}"
        process = start(
            *("-m", "bot", "models", "pull", "twemoji"),
            CHATANYTHING_MODELS__FOLDER=str(tmp_path),
            CHATANYTHING_MODELS__MIRRORS=json.dumps([mirror]),
            NO_PROXY="127.0.0.1",
        )
        connection, _ = silent.accept()
        with connection:
            assert "Interrupted." in interrupt(process)
    assert not ModelStore.from_settings(ModelStoreSettings(folder=tmp_path)).has("twemoji")
