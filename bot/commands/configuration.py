"""config show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.logs import without_credentials
from bot.output import print_json, print_table

if TYPE_CHECKING:
    from bot.app import App


async def show(app: App, *, as_json: bool) -> None:
    """Prints the settings in force; pydantic writes secrets as stars."""
    data = _shown(app.settings.model_dump(mode="json"))
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


def _shown(value: Any) -> Any:
    """A value without the credentials of addresses in it: of proxies, mirrors and endpoints."""
    if isinstance(value, dict):
        return {key: _shown(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shown(item) for item in value]
    return without_credentials(value) if isinstance(value, str) else value
