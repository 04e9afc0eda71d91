"""storage status, sweep and migrate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import SecretStr

from bot.output import human_size, plain, print_json, print_table, say, stdout
from bot.progress import Step
from personas.errors import InvalidInputError

if TYPE_CHECKING:
    from bot.app import App
    from storage.settings import StorageSettings


async def status(app: App, *, as_json: bool) -> None:
    """Shows where everything is and how much of it there is."""
    storage = await app.storage()
    found = await storage.status()
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    out = stdout()
    out.print(f"database   {plain(found.database)}, {human_size(found.database_bytes)}")
    out.print(f"schema     {found.schema_version}")
    out.print(f"media      {plain(found.media)}, {human_size(found.media_bytes)}")
    out.print(f"processes  {found.processes}, this one among them")
    swept = found.swept_at.strftime("%Y-%m-%d %H:%M UTC") if found.swept_at else "never"
    out.print(f"swept      {swept}")
    rows = [(name, count) for name, count in found.counts.items()]
    print_table(("what", "count"), rows)


async def sweep(app: App, *, as_json: bool) -> None:
    """Removes old clips and what nobody uses."""
    storage = await app.storage()
    with Step("Sweeping"):
        swept = await storage.sweep()
    if as_json:
        print_json(
            {"media": swept.media, "clips": swept.clips, "processes": swept.processes},
        )
        return
    say(
        f"Swept {swept.media} media that nobody used, {swept.clips} old clips, and what "
        f"{swept.processes} ended processes had left."
    )


async def migrate(
    app: App, *, source: str, target: str, media_from: str, media_to: str, as_json: bool
) -> None:
    """Moves everything to another database, another place of media, or both."""
    from storage.transfer.transfer import Transfer

    if not target and not media_to:
        raise InvalidInputError("Say where to: --to DATABASE, --media-to PLACE, or both.")
    here = app.settings.storage
    old = placed(here, source, media_from)
    new = placed(old, target, media_to)
    with Step("Opening") as step:

        def tell(what: str, done: int, total: int) -> None:
            step.at(done / total if total else 1.0, f"Moving {what}")

        moved = await Transfer(old, new, tell).run()
    lost = moved.media.lost if moved.media else ()
    if as_json:
        media = moved.media.count if moved.media else None
        result = {"rows": moved.rows, "media": media, "lost": lost, "was_done": moved.was_done}
        print_json(result)
        return
    if moved.was_done:
        say("The rows had been moved before; they were left alone.")
    if moved.rows:
        print_table(("table", "rows"), list(moved.rows.items()))
    if moved.media:
        say(f"{moved.media.count - len(lost)} media are there, each compared with its hash.")
    if lost:
        first = ", ".join(lost[:3])
        say(f"{len(lost)} media were missing or damaged before the move: {first} ...")
    say("Everything arrived as it was; the old place was left alone. Now set in config.toml:")
    if target:
        say("  [storage] database_url: what you gave as --to")
    if media_to:
        say("  [storage] media_url: what you gave as --media-to")


def placed(settings: StorageSettings, database: str, media: str) -> StorageSettings:
    """The same settings with another database and another place of media, where given.

    Args:
        settings: whose S3 endpoint and keys are used, too.
        database: a URL; empty leaves it.
        media: a URL or a folder; empty leaves it.
    """
    from pathlib import Path

    values: dict[str, object] = {}
    if database:
        values["database_url"] = SecretStr(database)
    if media:
        is_url = "://" in media or media.startswith("file:")
        values["media_url"] = media if is_url else Path(media).expanduser().absolute().as_uri()
    return settings.model_copy(update=values)
