"""bench: figures of this machine, as a table and as JSON."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from bot.files import check_writable
from bot.output import print_json, print_table, say, status
from bot.progress import Step

if TYPE_CHECKING:
    from bot.app import App


async def clip(app: App, seconds: float, *, as_json: bool) -> None:
    """Times speech, drawing and encoding of one answer."""
    from engine.talkinghead import bench

    with status("Measuring"):
        report = await asyncio.to_thread(bench.run, seconds)
    if as_json:
        print_json(asdict(report))
    else:
        print_table(("figure", "value"), list(asdict(report).items()))


async def speech(app: App, *, as_json: bool) -> None:
    """Times each voice."""
    from engine.speech import bench

    with status("Measuring"):
        report = await asyncio.to_thread(bench.run)
    if as_json:
        print_json(asdict(report))
    else:
        print_table(("figure", "value"), list(asdict(report).items()))


async def portraits(app: App, *, sheet: Path | None, limit: int, as_json: bool) -> None:
    """Draws the descriptions and counts faces."""
    from engine.portrait.benchmark import portraits as bench

    if sheet is not None:
        check_writable(sheet, force=True)
    with Step("Drawing portraits") as step:
        report = await asyncio.to_thread(
            bench.run, app.portraits, limit=limit, sheet=sheet, progress=step.at
        )
    if as_json:
        print_json(asdict(report))
    else:
        print_table(("figure", "value"), list(asdict(report).items()))
    if sheet is not None:
        say(f"Contact sheet: {sheet}")
