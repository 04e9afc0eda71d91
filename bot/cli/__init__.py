"""The commands: their names, options and help; the work is in `bot.commands`.

Nothing heavy is imported here, so that help and completion are quick.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

# In the order in which help lists them.
from bot.cli import personas, talking, serving, models, bench, bench_many, config, storage, queue  # isort: skip
from bot.cli.base import Invocation, cli

__all__ = [
    "bench",
    "bench_many",
    "cli",
    "config",
    "main",
    "models",
    "personas",
    "queue",
    "serving",
    "storage",
    "talking",
]


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"chatanything {version('chatanything')}")
        raise typer.Exit


@cli.callback()
def options(
    context: typer.Context,
    config: Annotated[Path | None, typer.Option(help="A configuration file.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show the log.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Type any description, and a persona is born that you can talk to."""
    context.obj = Invocation(config, verbose)


def main() -> None:
    """The way in, for the `chatanything` command and `python -m bot`."""
    for stream in (sys.stdout, sys.stderr):
        # In the C locale a persona's name must still print, if with replacement signs.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    # There, Python keeps what was typed as bytes in disguise; it was UTF-8 all the same.
    sys.argv[1:] = [os.fsencode(word).decode("utf-8", "replace") for word in sys.argv[1:]]
    cli()
