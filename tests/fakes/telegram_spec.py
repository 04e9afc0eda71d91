"""Telegram's published method list, and whether a call is one of it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

_REPOSITORY = Path(__file__).parents[2]


def specification_file() -> Path:
    """Where the list lies: in the folder of CHATANYTHING_SPECS, else beside the repository."""
    named = os.environ.get("CHATANYTHING_SPECS")
    folder = Path(named) if named else _REPOSITORY.parent / "shared" / "specs"
    return folder / "telegram-api.json"


class Specification:
    """The methods and types of the Bot API."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.methods: dict[str, Any] = document["methods"]
        self._types: dict[str, Any] = document["types"]

    def problems(
        self, method: str, parameters: Mapping[str, str], files: Iterable[str]
    ) -> list[str]:
        """What is wrong with a call; nothing where it is as published.

        Args:
            method: its name.
            parameters: as they stand in the request: text, or JSON for all that is no text.
            files: names of the parts that hold files.
        """
        known = self.methods.get(method)
        if known is None:
            return [f"there is no method {method}"]
        fields = {field["name"]: field for field in known.get("fields", [])}
        parts = set(files)
        found = [f"{method} has no {name}" for name in parameters if name not in fields]
        for name, field in fields.items():
            if name in parameters:
                value = parameters[name]
                if not any(self._fits_text(value, t, parts) for t in field["types"]):
                    found.append(f"{method}.{name} is no {field['types']}: {value[:120]!r}")
            elif name in parts:
                if "InputFile" not in field["types"]:
                    found.append(f"{method}.{name} is no file")
            elif field["required"]:
                found.append(f"{method} needs {name}")
        return found

    def _fits_text(self, value: str, type_: str, files: set[str]) -> bool:
        if type_ == "String":
            return True
        if type_ == "InputFile":
            return value.removeprefix("attach://") in files
        try:
            return self._fits(json.loads(value), type_, files)
        except ValueError:
            return False

    def _fits(self, value: Any, type_: str, files: set[str]) -> bool:
        if type_.startswith("Array of "):
            inner = type_.removeprefix("Array of ")
            return isinstance(value, list) and all(self._fits(v, inner, files) for v in value)
        match type_:
            case "Integer":
                return isinstance(value, int) and not isinstance(value, bool)
            case "Float":
                return isinstance(value, int | float) and not isinstance(value, bool)
            case "Boolean" | "True":
                return isinstance(value, bool)
            case "String":
                return isinstance(value, str) and self._is_sent(value, files)
            case "InputFile":
                return isinstance(value, str) and self._is_sent(value, files)
        known = self._types[type_]
        if "subtypes" in known:
            return any(self._fits(value, subtype, files) for subtype in known["subtypes"])
        if not isinstance(value, dict):
            return False
        fields = {field["name"]: field for field in known.get("fields", [])}
        return (
            value.keys() <= fields.keys()
            and all(name in value for name, field in fields.items() if field["required"])
            and all(
                any(self._fits(part, t, files) for t in fields[name]["types"])
                for name, part in value.items()
            )
        )

    @staticmethod
    def _is_sent(value: str, files: set[str]) -> bool:
        """An attached file must be in the request."""
        attached = value.removeprefix("attach://")
        return attached == value or attached in files


@lru_cache(maxsize=1)
def specification() -> Specification | None:
    """The published list, or None where it is not on this machine."""
    file = specification_file()
    return Specification(json.loads(file.read_text("utf-8"))) if file.is_file() else None
