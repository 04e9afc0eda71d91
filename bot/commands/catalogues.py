"""styles: what a persona can look like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.output import print_json, print_table

if TYPE_CHECKING:
    from bot.app import App


async def styles(app: App, *, as_json: bool) -> None:
    """Lists the looks."""
    found = [app.styles.get(name) for name in app.styles.names()]
    if as_json:
        print_json([style.model_dump(mode="json") for style in found])
    else:
        print_table(
            ("style", "look", "licence", "art by"),
            [(style.name, style.description, style.licence, style.author) for style in found],
        )
