"""Settings on their way to another process, secrets included."""

from __future__ import annotations

import json

from pydantic import SecretStr

from storage.settings import StorageSettings


def to_line(settings: StorageSettings) -> str:
    """One line that `from_line` reads."""
    values = settings.model_dump(exclude_unset=True)
    plain = {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in values.items()
    }
    return json.dumps(plain, default=str)


def from_line(line: str) -> StorageSettings:
    """What `to_line` wrote."""
    return StorageSettings.model_validate_json(line)
