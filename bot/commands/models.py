"""models list, pull, verify, remove."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.output import human_size, print_json, print_table, say, stderr
from personas.errors import ChatAnythingError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.app import App


async def list_all(app: App, *, as_json: bool) -> None:
    """Lists the catalogue with what is here."""
    statuses = await asyncio.to_thread(app.models.entries)
    if as_json:
        print_json(
            [
                {
                    "name": status.entry.name,
                    "purpose": status.entry.purpose,
                    "description": status.entry.description,
                    "licence": status.entry.licence,
                    "size": status.entry.size,
                    "default": status.entry.default,
                    "state": str(status.state),
                    "bytes_on_disk": status.bytes_on_disk,
                }
                for status in statuses
            ]
        )
        return
    print_table(
        ("name", "purpose", "size", "state", "licence"),
        [
            (
                status.entry.name + (" *" if status.entry.default else ""),
                status.entry.purpose,
                human_size(status.entry.size),
                status.state,
                status.entry.licence,
            )
            for status in statuses
        ],
    )
    say("* is needed by the default set-up; `chatanything models pull` fetches these.")


def needed(app: App) -> list[str]:
    """What the settings need on this machine, whether it is here or not."""
    from engine.llm.factory import choose_local_model, uses_endpoint

    settings = app.settings.language_model
    writers = []
    if not uses_endpoint(settings) and settings.model_file is None:
        writers.append(choose_local_model(app.models, wanted=settings.model or None))
    others = app.models.catalogue.defaults()
    return writers + [entry.name for entry in others if entry.purpose != "language-model"]


async def pull(app: App, names: Sequence[str]) -> None:
    """Fetches models with a progress bar each."""
    await fetch(app, names or await asyncio.to_thread(needed, app))


async def fetch(app: App, names: Sequence[str], *, quiet: bool = False) -> None:
    """Fetches the models of these names that are not here; `quiet` does not mention the others."""
    from engine.models.bars import PullBars

    missing = []
    for name in names:
        if app.models.has(name):
            if not quiet:
                say(f"{name} is here.")
        else:
            missing.append(name)
    if missing:
        with PullBars(stderr()) as bars:
            for name in missing:
                await asyncio.to_thread(app.models.pull, name, bars)


async def verify(app: App, names: Sequence[str], *, as_json: bool) -> None:
    """Hashes what is here again.

    Raises:
        UnavailableError: something is broken.
    """
    wanted = names or [s.entry.name for s in app.models.entries() if app.models.has(s.entry.name)]
    results: dict[str, str] = {}
    for name in wanted:
        if not as_json:
            say(f"Checking {name} ...")
        try:
            await asyncio.to_thread(app.models.verify, name)
            results[name] = "whole"
        except ChatAnythingError as error:
            results[name] = str(error)
    if as_json:
        print_json(results)
    else:
        print_table(("name", "result"), list(results.items()))
    if broken := [name for name, result in results.items() if result != "whole"]:
        raise UnavailableError(f"Not whole: {', '.join(broken)}.")


async def remove(app: App, names: Sequence[str]) -> None:
    """Removes models, and says what that freed."""
    for name in names:
        freed = await asyncio.to_thread(app.models.remove, name)
        say(f"Removed {name}: {human_size(freed)} freed.")
