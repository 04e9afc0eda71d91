"""The names of emoji in each language that has a column in emoji.tsv."""

from __future__ import annotations

import csv
import functools
from collections.abc import Mapping
from pathlib import Path

_TABLE = Path(__file__).with_name("emoji.tsv")


def emoji_name(language: str, symbol: str) -> str:
    """What one emoji is called; empty where nobody says it."""
    return names_in(language).get(symbol, "")


@functools.cache
def names_in(language: str) -> Mapping[str, str]:
    """All names in a language, by emoji; read when they are first asked for."""
    with _TABLE.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {row["emoji"]: row[language] for row in rows if row.get(language)}
