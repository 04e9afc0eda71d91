"""`chatanything usage`: who has used how much."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot.output import print_json, print_table, say
from personas.gallery import check_gallery_id

if TYPE_CHECKING:
    from bot.app import App
    from storage.usage import By

_SHORT = {"gpu_seconds": "GPU s", "cpu_seconds": "CPU s"}


async def usage(app: App, *, community: str, days: int, by: By, as_json: bool) -> None:
    """Prints answers, personas, tokens and seconds of the last days.

    Raises:
        InvalidInputError: this is no community.
    """
    if community:
        check_gallery_id(community)
    since = (datetime.now(UTC) - timedelta(days=days - 1)).date()
    rows = await (await app.storage()).usage.report(since, by=by, gallery=community)
    sums: dict[tuple[str, str], dict[str, Any]] = defaultdict(_nothing)
    for row in rows:
        _add(sums[row.gallery, row.member or row.day], row.kind, row.count)
    listed = [
        {"community": gallery, **({by: of} if by != "community" else {}), **counted}
        for (gallery, of), counted in sums.items()
    ]
    if as_json:
        print_json({"since": since.isoformat(), "usage": listed})
        return
    if not listed:
        say(f"Nothing has been used since {since.isoformat()}.")
        return
    columns = ["community", *([by] if by != "community" else []), *_nothing()]
    columns.remove("stages")
    print_table(
        [_SHORT.get(column, column.replace("_", " ")) for column in columns],
        [[one[column] for column in columns] for one in listed],
        title=f"Since {since.isoformat()}",
    )


def _nothing() -> dict[str, Any]:
    return {
        "messages": 0,
        "personas": 0,
        "tokens_in": 0,
        "tokens_out": 0,
        "gpu_seconds": 0.0,
        "cpu_seconds": 0.0,
        "stages": {},
    }


def _add(counted: dict[str, Any], kind: str, count: int) -> None:
    what, _, device = kind.partition("/")
    match what:
        case "message":
            counted["messages"] += count
        case "creation":
            counted["personas"] += count
        case "tokens":
            counted[f"tokens_{device}"] += count
        case "told":
            pass
        case _ if device:
            seconds = count / 1000
            total = "cpu_seconds" if device == "cpu" else "gpu_seconds"
            counted[total] = round(counted[total] + seconds, 3)
            counted["stages"][kind] = round(counted["stages"].get(kind, 0.0) + seconds, 3)
