"""Variables of the environment that set options, and mistakes in them."""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

PREFIX: Final = "CHATANYTHING_"
SEPARATOR: Final = "__"
CONFIG_VARIABLE: Final = f"{PREFIX}CONFIG"
_OTHERS: Final = {
    CONFIG_VARIABLE,
    f"{PREFIX}MIGRATE_TO",
    f"{PREFIX}BENCH_DATABASE_URL",
    f"{PREFIX}SPECS",  # for the tests
}
"""They set no option, and are read all the same."""
_OF_KUBERNETES: Final = re.compile(
    r"CHATANYTHING(_\w+)?_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP)(_\w+)?)?)"
)
"""It tells every container of the services beside it, and one of them may be called as we are."""


def variable(keys: Iterable[str]) -> str:
    """The variable that sets an option."""
    return PREFIX + SEPARATOR.join(keys).upper()


class Variables:
    """The options that the environment sets: `CHATANYTHING_<TABLE>__<KEY>`, in any case."""

    def __init__(self) -> None:
        self._names = {
            tuple(name.upper().removeprefix(PREFIX).lower().split(SEPARATOR)): name
            for name in os.environ
            if name.upper().startswith(PREFIX)
            and name.upper() not in _OTHERS
            and (SEPARATOR in name or not _OF_KUBERNETES.fullmatch(name.upper()))
        }

    def strangers(self, options: Sequence[Sequence[str]]) -> list[str]:
        """A sentence about each variable that belongs to no table.

        Args:
            options: the keys of all that can be set.
        """
        tables = {keys[0] for keys in options}
        right = [variable(keys) for keys in options]
        said = []
        for keys, name in self._names.items():
            if keys[0] not in tables:
                near = difflib.get_close_matches(name.upper(), right, n=1, cutoff=0.8)
                known = "`chatanything config example` lists what can be set."
                hint = f"did you mean {near[0]}?" if near else known
                said.append(f"environment variable {name} sets no option; {hint}")
        return said

    def not_json(self, wants_json: Callable[[Sequence[str]], bool]) -> list[str]:
        """A sentence about each variable that should be JSON, and is not.

        Args:
            wants_json: whether an option is a list or a table.
        """
        return [
            f"environment variable {name}: lists and tables are written as JSON, such as "
            '[0, 1], ["a", "b"] or {"key": 1}.'
            for keys, name in self._names.items()
            if wants_json(keys) and not _is_json(os.environ[name])
        ]

    def that_sets(self, keys: Sequence[str]) -> str:
        """The variable that sets an option, by itself or with its table; empty: none."""
        for length in range(len(keys), 0, -1):
            name = self._names.get(tuple(keys[:length]))
            if name and _holds(os.environ[name], keys[length:]):
                return name
        return ""

    def below(self, keys: Sequence[str]) -> list[str]:
        """The variables that set something in a table."""
        return [name for known, name in self._names.items() if known[: len(keys)] == tuple(keys)]


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _holds(text: str, keys: Sequence[str]) -> bool:
    """Whether JSON has something at `keys`; any text has something at none."""
    if not keys:
        return True
    try:
        value: Any = json.loads(text)
        for key in keys:
            value = value[int(key) if isinstance(value, list) else key]
    except (ValueError, LookupError, TypeError):
        return False
    return True
