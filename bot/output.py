"""What the command line prints: tables or JSON on stdout, everything said along the way on stderr.

Exit codes: 0 done; 1 a fault of ours, reported in the log; 2 wrong usage; 3 not found;
4 what was asked for cannot be done as asked; 5 something needed is missing or does not answer;
130 interrupted.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from personas.errors import ChatAnythingError, InvalidInputError, NotFoundError, UnavailableError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

log = logging.getLogger(__name__)

EXIT_CODES: dict[type[ChatAnythingError], int] = {
    NotFoundError: 3,
    InvalidInputError: 4,
    UnavailableError: 5,
}
INTERRUPTED = 130


def exit_code(error: ChatAnythingError) -> int:
    """The exit code of an error of ours."""
    return next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), 1)


def stdout() -> Console:
    """Where results go."""
    from rich.console import Console

    return Console(markup=False, highlight=False, emoji=False, soft_wrap=not sys.stdout.isatty())


def stderr() -> Console:
    """Where progress and errors go, so that results can be piped."""
    from rich.console import Console

    return Console(stderr=True, markup=False, highlight=False, emoji=False, soft_wrap=True)


def plain(text: str) -> str:
    """`text` without control characters: what people and models write must drive no terminal."""
    return "".join(
        c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text
    )


def print_json(data: Any) -> None:
    """Prints `data` as JSON, readable by people and programs."""
    typer.echo(json.dumps(data, ensure_ascii=not _speaks_unicode(), indent=2, default=str))


def _speaks_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> None:
    """Prints a table; numbers are set flush right."""
    from rich import box
    from rich.table import Table

    listed = [list(row) for row in rows]
    table = Table(title=title or None, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for index, column in enumerate(columns):
        numbers = bool(listed) and all(isinstance(row[index], int | float) for row in listed)
        table.add_column(column, justify="right" if numbers else "left", overflow="fold")
    for row in listed:
        table.add_row(*(plain(_cell(value)) for value in row))
    stdout().print(table)


def _cell(value: object) -> str:
    return f"{value:,.2f}" if isinstance(value, float) else str(value)


def say(text: str, console: Console | None = None) -> None:
    """One line about what is going on, to stderr."""
    (console or stderr()).print(plain(text))


def fail(error: ChatAnythingError) -> NoReturn:
    """Says what went wrong and ends with its exit code; the cause goes to the log.

    Raises:
        typer.Exit: always.
    """
    log.error("%s", error, exc_info=error)
    say(f"Error: {error}")
    raise typer.Exit(exit_code(error)) from None


@contextmanager
def errors_explained() -> Iterator[None]:
    """Turns errors into a sentence and an exit code; nobody sees a traceback."""
    try:
        yield
    except (typer.Exit, typer.Abort):
        raise
    except ChatAnythingError as error:
        fail(error)
    except KeyboardInterrupt:
        say("Interrupted.")
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        # The reader went away (`... | head`): nothing to say, and nobody to say it to.
        sys.stderr.close()
        raise typer.Exit(0) from None
    except Exception as error:
        log.exception("unexpected failure")
        from bot.logs import log_file

        where = f" The details are in {log_file()}." if log_file() else " --verbose shows more."
        say(f"Error: something went wrong that should not ({type(error).__name__}).{where}")
        raise typer.Exit(1) from None


@contextmanager
def status(text: str) -> Iterator[None]:
    """Shows that something is going on; a line where stderr is no terminal."""
    console = stderr()
    if console.is_terminal:
        with console.status(plain(text)):
            yield
    else:
        say(text, console)
        yield


def human_size(count: int) -> str:
    """A number of bytes as people write it."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size /= 1000
    return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"


def show(renderable: RenderableType) -> None:
    """Prints something rich can draw, to stdout."""
    stdout().print(renderable)
