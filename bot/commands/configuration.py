"""config show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.output import print_json, print_table

if TYPE_CHECKING:
    from bot.app import App


async def show(app: App, *, as_json: bool) -> None:
    """Prints the settings in force; pydantic writes secrets as stars."""
    data = app.settings.model_dump(mode="json")
    if as_json:
        print_json(data)
    else:
        print_table(
            ("option", "value"),
            [
                (f"{table}.{key}", value)
                for table, keys in data.items()
                for key, value in keys.items()
            ],
        )
