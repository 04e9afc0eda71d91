"""What every command shares: the root, common options, and how a command is run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from bot.app import App


def group(help_text: str, **options: Any) -> typer.Typer:
    """A group of commands, looking as all of ours do."""
    return typer.Typer(
        help=help_text,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
        **options,
    )


cli = group("Type any description, and a persona is born that you can talk to.")


@dataclass(frozen=True)
class Invocation:
    """The options that stand before the command."""

    config: Path | None = None
    verbose: bool = False


Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Persona = Annotated[str, typer.Argument(help="Its name, slug or id, or how it begins.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Gallery = Annotated[str, typer.Option(help="The gallery it belongs to.", hidden=True)]
Overwrite = Annotated[bool, typer.Option("--force", "-f", help="Replace a file that is there.")]


def run(context: typer.Context, work: Callable[[App], Coroutine[Any, Any, None]]) -> None:
    """Reads the settings, makes the app, runs a command in it, explains errors."""
    from bot import logs, settings
    from bot.app import App
    from bot.output import errors_explained
    from bot.signals import interruptible

    invocation: Invocation = context.obj or Invocation()
    with errors_explained():
        logs.set_up(invocation.verbose)
        loaded = settings.load(invocation.config)
        logs.adjust(loaded.operating, settings.secrets(loaded))

        async def in_app() -> None:
            async with App(loaded) as app:
                await work(app)

        with asyncio.Runner() as runner, interruptible():
            runner.run(in_app())
