"""The catalogue: what it promises of itself, and what it says when it is wrong."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from engine.models.catalogue import Catalogue, ModelEntry, Purpose
from engine.models.sources import SourceProtocol
from personas.errors import InvalidInputError, NotFoundError

ROOT = Path(__file__).parents[3]
CATALOGUE = Catalogue.load()
NOTICE = (ROOT / "NOTICE").read_text(encoding="utf-8")


@pytest.mark.parametrize("entry", CATALOGUE.models, ids=lambda entry: entry.name)
def test_notice_gives_every_entry_its_due(entry: ModelEntry) -> None:
    blocks = re.split(r"\n\s*\n", NOTICE)
    block = next((block for block in blocks if block.strip().split("\n")[0] == entry.name), "")
    for what in (entry.title, entry.author, entry.licence, entry.homepage):
        assert what and what in block


def test_notice_names_the_illustrators_of_people() -> None:
    styles = tomllib.loads((ROOT / "personas" / "styles.toml").read_text(encoding="utf-8"))
    people = {style["people"] for style in styles["style"] if style.get("people")}
    assert people <= {line.split()[0] for line in NOTICE.splitlines() if line.strip()}


def test_the_program_as_it_comes_can_think_read_and_draw() -> None:
    purposes = {entry.purpose for entry in CATALOGUE.defaults()}
    assert {Purpose.LANGUAGE_MODEL, Purpose.EMBEDDING, Purpose.ART} <= purposes


def test_whatever_is_default_does_not_hang_on_the_hub_alone() -> None:
    for entry in CATALOGUE.defaults():
        for file in entry.files:
            assert {source.kind for source in file.sources} - {"hub"}


def test_language_models_are_ranked_and_the_better_need_more_memory() -> None:
    best_first = CATALOGUE.of(Purpose.LANGUAGE_MODEL)
    ranks = [entry.rank for entry in best_first]
    assert ranks == sorted(ranks, reverse=True) and len(set(ranks)) == len(ranks)
    for entry in best_first:
        assert entry.minimum_memory is not None and entry.minimum_memory > entry.size


def test_sources_have_labels_and_parts_without_network() -> None:
    for entry in CATALOGUE.models:
        for file in entry.files:
            for source in file.sources:
                as_protocol: SourceProtocol = source
                assert as_protocol.label and as_protocol.parts()


def test_an_unknown_name_gets_the_nearest_or_all() -> None:
    with pytest.raises(NotFoundError, match=r"Did you mean 'qwen2\.5-coder-1\.5b'"):
        CATALOGUE.get("qwen-coder-1.5b")
    with pytest.raises(NotFoundError, match="There are: smollm2-135m, "):
        CATALOGUE.get("???")


GOOD = f"""
[[models]]
name = "lemon"
purpose = "art"
title = "Lemon"
author = "me"
licence = "MIT"
[[models.files]]
path = "x"
size = 1
sha256 = "{"0" * 64}"
sources = [{{ kind = "url", url = "https://example.org/x" }}]
"""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[[models", "not valid TOML"),
        ("[[model]]", "wrong at model"),
        (GOOD.replace('"art"', '"arts"'), r"wrong at models\.0\.purpose"),
        (GOOD.replace('path = "x"', 'path = "../x"'), "relative path"),
        (GOOD.replace('path = "x"', 'path = "/x"'), "relative path"),
        (GOOD.replace('path = "x"', 'path = ".hidden"'), "relative path"),
        (GOOD.replace("0" * 64, "0" * 63), r"files\.0\.sha256"),
        (GOOD.replace('"url",', '"ftp",'), "kind"),
        (GOOD.replace("https://", "file://"), r"sources\.0\.url"),
        (GOOD.replace('"lemon"', '"../lemon"'), r"models\.0\.name"),
        (GOOD.replace('"art"', '"language-model"'), "minimum_memory"),
        (GOOD + GOOD, "named twice: lemon"),
    ],
)
def test_a_wrong_catalogue_is_explained(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(InvalidInputError, match=reason):
        Catalogue.load(path)


def test_a_missing_catalogue_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"mine\.toml cannot be read"):
        Catalogue.load(tmp_path / "mine.toml")


def test_a_catalogue_of_ones_own_replaces_and_adds(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD + GOOD.replace('"lemon"', '"twemoji"'))
    merged = Catalogue.load(path)
    assert merged.get("twemoji").title == "Lemon"
    assert len(merged.models) == len(CATALOGUE.models) + 1
