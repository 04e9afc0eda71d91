"""models list, pull, verify, remove."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.output import human_size, print_json, print_table, say, stderr
from personas.errors import ChatAnythingError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.app import App
    from personas.styles import Style


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
    from engine.portrait.factory import open_hub, weights_of

    hub = open_hub(app.settings.portrait, offline=True)
    rows = []
    for style in _looks(app).values():
        needed = weights_of(app.settings.portrait, style)
        here = all([await asyncio.to_thread(hub.has, weights) for weights in needed])
        rows.append((style.name, style.label, "ready" if here else "absent", style.licence))
    print_table(("look", "painted as", "state", "licence"), rows)
    say("The weights of a look are 2 to 7 GB: `chatanything models pull LOOK` fetches them.")


def writer(app: App, *, best: bool) -> str | None:
    """The local language model of the settings; None where an endpoint or a file is used.

    Args:
        app: whose settings.
        best: the best for this machine, even if another one is here already.
    """
    from engine.llm.factory import best_local_model, choose_local_model, uses_endpoint

    settings = app.settings.language_model
    if uses_endpoint(settings) or settings.model_file is not None:
        return None
    if best and not settings.model:
        return best_local_model(app.models)
    return choose_local_model(app.models, wanted=settings.model or None)


def needed(app: App) -> list[str]:
    """What portraits and voices need, whether it is here or not."""
    others = app.models.catalogue.defaults()
    return [entry.name for entry in others if entry.purpose != "language-model"]


async def fetch_needed(app: App, *, quiet: bool = False) -> None:
    """Fetches all that the settings need on this machine.

    Raises:
        UnavailableError: something cannot be had, and nothing that is here can stand in for it.
    """
    await fetch(app, needed(app), quiet=quiet)
    wanted = await asyncio.to_thread(writer, app, best=True)
    if wanted is None:
        return
    try:
        await fetch(app, [wanted], quiet=quiet)
    except UnavailableError as error:
        # A smaller model that is here, or easier to get, is better than nobody who writes.
        from engine.llm.factory import WORTH_FETCHING

        smaller = WORTH_FETCHING[-1]
        if app.settings.language_model.model or wanted == smaller:
            raise
        say(f"{error} Going on with a smaller one.")
        here = await asyncio.to_thread(writer, app, best=False)
        await fetch(app, [here if here and app.models.has(here) else smaller], quiet=quiet)


async def pull(app: App, names: Sequence[str]) -> None:
    """Fetches models with a progress bar each; the name of a look fetches its weights."""
    if names:
        looks = _looks(app)
        await fetch(app, [name for name in names if name not in looks])
        for name in names:
            if name in looks:
                await _fetch_look(app, name)
    else:
        await fetch_needed(app)


def _looks(app: App) -> dict[str, Style]:
    """The diffused looks, whether they can be painted here or not."""
    from engine.portrait.factory import all_styles

    styles = all_styles(app.settings.portrait).all()
    return {style.name: style for style in styles if style.recipe is not None}


async def _fetch_look(app: App, name: str) -> None:
    """Fetches the weights of a look from the hub, and says under which licences they are."""
    from bot.progress import Step
    from engine.portrait.factory import open_hub, weights_of

    hub = open_hub(app.settings.portrait, offline=app.settings.models.offline)
    needed = weights_of(app.settings.portrait, _looks(app)[name])
    missing = [weights for weights in needed if not hub.has(weights)]
    for weights in needed:
        if weights.licence:
            say(f"{weights.repo}: {weights.licence}")
    for weights in missing:
        with Step(f"Fetching {weights.repo}") as step:
            await asyncio.to_thread(hub.pull, weights, step.at)
    say(f"The weights of the look {name} are here." if missing else f"{name} is here.")


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
