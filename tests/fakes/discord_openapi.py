"""Discord's published OpenAPI description, and whether a request keeps to it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import jsonschema
import pytest

_FOLDER = "CHATANYTHING_SPECS"
_FILE = "discord-openapi.json"
_IDS = re.compile(r"(^|_)ids?$")
_LONG_ID = re.compile(r"\d{15,20}")
_LISTS_OF_IDS = frozenset({"users", "roles", "applied_tags"})
_THE_LIBRARYS_OWN = frozenset({"tts"})
"""Sent by discord.py with every edit, where it means nothing."""


@dataclass(frozen=True)
class _Operation:
    template: str
    pattern: re.Pattern[str]
    description: dict[str, Any]
    parameters: frozenset[str]


def _described() -> Path:
    root = Path(__file__).parents[2]
    return Path(os.environ.get(_FOLDER, root.parent / "shared" / "specs")) / _FILE


@cache
def published() -> OpenApi | None:
    """The description, or None where it is not on this machine."""
    file = _described()
    return OpenApi(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else None


def require_published() -> OpenApi:
    """The description; the test is skipped where it is not on this machine."""
    found = published()
    if found is None:
        pytest.skip(f"needs {_FILE} of Discord in the folder that {_FOLDER} names")
    return found


class OpenApi:
    """Checks requests, method and path first, then query and body."""

    def __init__(self, description: dict[str, Any]) -> None:
        self._description = description
        self._validators: dict[str, jsonschema.protocols.Validator] = {}
        self._checked: dict[tuple[str, str], tuple[str, ...]] = {}

    @cached_property
    def _operations(self) -> dict[str, list[_Operation]]:
        found: dict[str, list[_Operation]] = {}
        for template, item in self._description["paths"].items():
            parts = [
                "[^/]+" if part.startswith("{") else re.escape(part)
                for part in template.strip("/").split("/")
            ]
            pattern = re.compile("/" + "/".join(parts))
            for method in ("get", "post", "put", "patch", "delete"):
                if method not in item:
                    continue
                described = (*item.get("parameters", ()), *item[method].get("parameters", ()))
                query = frozenset(one["name"] for one in described if one.get("in") == "query")
                found.setdefault(method.upper(), []).append(
                    _Operation(template, pattern, item[method], query)
                )
        for operations in found.values():
            # The most literal first: /messages/@original before /messages/{message_id}.
            operations.sort(key=lambda operation: operation.template.count("{"))
        return found

    def faults(
        self, method: str, path: str, query: Mapping[str, Any] | None, body: Any
    ) -> list[str]:
        """What is wrong with a request; nothing where it keeps to the description."""
        where = f"{method} {path}"
        operation = next(
            (one for one in self._operations.get(method, ()) if one.pattern.fullmatch(path)), None
        )
        if operation is None:
            return [f"{where}: there is no such operation"]
        faults = [
            f"{where}: no query parameter {name}"
            for name in query or ()
            if name not in operation.parameters
        ]
        content = operation.description.get("requestBody", {}).get("content", {})
        if body is None or not content:
            return faults + ([f"{where}: takes no body"] if body and not content else [])
        schema = content.get("application/json", next(iter(content.values())))["schema"]
        name = f"{method} {operation.template}"
        # Bodies that differ in their ids alone are equally right, and most do.
        key = (name, _LONG_ID.sub("1000000000000000000", json.dumps(body, sort_keys=True)))
        if key not in self._checked:
            self._checked[key] = tuple(self._body_faults(name, schema, body))
        return faults + [f"{where}: {fault}" for fault in self._checked[key]]

    def _body_faults(self, name: str, schema: dict[str, Any], body: Any) -> Iterator[str]:
        if name not in self._validators:
            whole = {**schema, "components": self._description["components"]}
            self._validators[name] = jsonschema.Draft202012Validator(whole)
        body = _with_ids_as_text(body)
        for error in self._validators[name].iter_errors(body):
            deepest = jsonschema.exceptions.best_match([error])
            yield f"{deepest.json_path}: {deepest.message[:300]}"
        if isinstance(body, dict):
            known = self._known_keys(schema) | _THE_LIBRARYS_OWN
            yield from (f"unknown field {key}" for key in body if key not in known)

    def _known_keys(self, schema: dict[str, Any]) -> set[str]:
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return self._known_keys(self._description["components"]["schemas"][name])
        known = set(schema.get("properties", ()))
        for kind in ("anyOf", "oneOf", "allOf"):
            for part in schema.get(kind, ()):
                known |= self._known_keys(part)
        return known


def _with_ids_as_text(value: Any, key: str = "") -> Any:
    """Ids may be sent as numbers; the description knows them as text only."""
    if isinstance(value, dict):
        return {name: _with_ids_as_text(one, name) for name, one in value.items()}
    if isinstance(value, list):
        return [_with_ids_as_text(one, key) for one in value]
    is_id = bool(_IDS.search(key)) or key in _LISTS_OF_IDS
    if is_id and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value
