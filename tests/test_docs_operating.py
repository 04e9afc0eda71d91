"""docs/operating.md says what is."""

from __future__ import annotations

import re
import sqlite3
import tomllib
from contextlib import closing
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.operating.metrics import Metrics
from bot.operating.moment import Now, Waiting
from bot.settings import Settings
from engine.observing import Request, during
from storage.settings import StorageSettings
from storage.store import Storage
from tests.storage.examples import add
from tests.test_examples import check_command

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "operating.md").read_text("utf-8")
Told = dict[str, tuple[str, frozenset[str]]]


def told() -> Told:
    """Kind and labels by name, as the page has them."""
    rows = re.findall(r"^\| `(chatanything_\w+)` \| (\w+) \| (.*?) \|", PAGE, re.MULTILINE)
    return {name: (kind, frozenset(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}


def exported() -> Told:
    """The same of the program, after a bit of everything has happened."""
    now = Now((Waiting("clip", 1, 2.0),), 1, (("storage", True),), 0.1)
    metrics, request = Metrics(lambda: now), Request("r", "discord:1")
    with metrics.serving("message", request), during(request):
        metrics.stage("clip", 1.0, "cpu")
        metrics.tokens(1, 1)
        metrics.looked_up("speech", True)
        metrics.failed("head", "drawn")
    found: Told = {}
    for family in text_string_to_metric_families(metrics.text().decode()):
        samples = [one for one in family.samples if not one.name.endswith("_created")]
        if not family.name.startswith("chatanything_") or not samples:
            continue
        name = family.name if family.type != "counter" else f"{family.name}_total"
        labels = {label for one in samples for label in one.labels} - {"le"}
        found[name] = (family.type, frozenset(labels))
    return found


def test_the_table_has_every_metric_with_its_labels_and_no_other() -> None:
    assert told() == exported()


def test_every_metric_that_is_to_be_watched_exists() -> None:
    known = set(told())
    assert set(re.findall(r"chatanything_[a-z_]+", PAGE)) <= known


def test_every_option_exists() -> None:
    for table, key in re.findall(r"`(\w+)\.(\w+)`", PAGE):
        field = Settings.model_fields.get(table)
        if field is not None:
            assert key in type(field.get_default(call_default_factory=True)).model_fields, key
    for block in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL):
        Settings(**tomllib.loads(block))


def test_every_command_exists() -> None:
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL):
        for line in block.splitlines():
            _, found, words = line.partition("#")[0].partition("chatanything ")
            if found:
                check_command(words.split())
    for words in re.findall(r"`chatanything ([^`]+)`", PAGE):
        check_command(words.split())


def test_every_link_within_the_page_leads_somewhere() -> None:
    headings = {
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)
    }
    assert set(re.findall(r"\(#([\w-]+)\)", PAGE)) <= headings


async def test_a_backup_that_is_made_as_it_says_can_be_restored(tmp_path: Path) -> None:
    """While people go on: the database first, the media after it."""
    data, restored = tmp_path / "data", tmp_path / "restored"
    async with await Storage.open(StorageSettings(data_folder=data)) as storage:
        kept = await add(storage, "before")
        restored.mkdir()
        with (
            closing(sqlite3.connect(data / "chatanything.sqlite3")) as source,
            closing(sqlite3.connect(restored / "chatanything.sqlite3")) as copy,
        ):
            source.backup(copy)  # what .backup does
        await add(storage, "meanwhile", slug="meanwhile")
        for file in [one for one in (data / "media").rglob("*") if one.is_file()]:
            target = restored / "media" / file.relative_to(data / "media")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())
    async with await Storage.open(StorageSettings(data_folder=restored)) as storage:
        assert [one.id for one in await storage.personas.list("terminal")] == ["before"]
        assert await storage.media.get(kept.portrait.image)
        swept = await storage.sweep()
        assert swept.media > 0  # those of who came meanwhile
        assert await storage.media.get(kept.portrait.image)
        await storage.check()


@pytest.mark.parametrize("file", ["config.example.toml", "examples/compose.yaml"])
def test_what_it_points_to_is_there(file: str) -> None:
    assert file in PAGE and (ROOT / file).is_file()
