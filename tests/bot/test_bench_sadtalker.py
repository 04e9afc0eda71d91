"""bench sadtalker on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bot.conftest import Terminal
from tests.fakes.sadtalker import make_bench_quick
from tests.fakes.sadtalker_checkout import make_checkout


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    make_bench_quick(monkeypatch)


def test_it_prints_a_table_or_json(terminal: Terminal) -> None:
    options = ("--size", "128", "--seconds", "0.2", "--batch", "1", "--batch", "2")
    report = terminal.data("bench", "sadtalker", *options)
    assert [way["batch"] for way in report["measured"]] == [1, 2]
    assert report["measured"][0]["clips"][0]["frames"] == 5
    table = terminal("bench", "sadtalker", *options)
    assert table.exit_code == 0
    assert "SPADE" in table.stdout and "random weights" in table.stderr


def test_sizes_that_are_none_are_refused(terminal: Terminal) -> None:
    result = terminal("bench", "sadtalker", "--resolution", "200")
    assert result.exit_code == 4
    assert "multiple of 128" in result.stderr


def test_the_original_program_can_be_measured_beside_it(terminal: Terminal, tmp_path: Path) -> None:
    options = ("--size", "128", "--seconds", "0.2", "--batch", "1", "--original", str(tmp_path))
    refused = terminal("bench", "sadtalker", *options)
    assert refused.exit_code == 4
    assert "git clone https://github.com/OpenTalker/SadTalker" in refused.stderr
    make_checkout(tmp_path)
    (row,) = terminal.data("bench", "sadtalker", *options)["beside"]
    assert row["frames"] == 5
    table = terminal("bench", "sadtalker", *options)
    assert table.exit_code == 0 and "The original program" in table.stderr
