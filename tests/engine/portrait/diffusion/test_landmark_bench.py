"""The landmark benchmark: arms, detectors, retries, tables, and going on after a stop."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pictures
from typer.testing import CliRunner

from bot.cli import cli
from engine.portrait.benchmark import landmarks as bench
from engine.portrait.benchmark.landmark_table import markdown, sheet, summary
from engine.portrait.benchmark.landmarks import RESULTS, Shown
from engine.portrait.benchmark.prompts import load_prompts, some_of_each
from engine.portrait.guidance.plan import ARMS, GuidanceSettings
from personas.errors import InvalidInputError, UnavailableError
from personas.styles import StyleCatalogue
from tests.engine.portrait.diffusion.conftest import MakePainter
from tests.fakes.landmarker import ScriptedLandmarker
from tests.fakes.tiny_diffusion import TinyModels

PROMPTS = some_of_each(load_prompts(), 1)[:3]
LADDER = GuidanceSettings(tries=2)


def detectors(*sees: bool) -> tuple[ScriptedLandmarker, ScriptedLandmarker]:
    return ScriptedLandmarker(sees), ScriptedLandmarker([False], name="blind")


def test_every_arm_is_painted_once_a_description_and_seen_by_every_detector(
    make_painter: MakePainter, styles: StyleCatalogue, tmp_path: Path
) -> None:
    told: list[tuple[int, int, str]] = []
    results = bench.run(
        make_painter(),
        styles.get("quick"),
        PROMPTS,
        detectors(True),
        tmp_path,
        guidance=LADDER,
        batch=2,
        done=lambda *step: told.append(step),
    )
    assert [(s.arm, s.number) for s in results] == [(arm, n) for arm in ARMS for n in range(3)]
    assert all(s.first == {"scripted": True, "blind": False} for s in results)
    assert all(s.usable and s.tries == 1 and s.seconds > 0 for s in results)
    assert all((tmp_path / s.picture).is_file() for s in results)
    assert told[-1][:2] == (12, 12)


def test_retries_are_counted_apart(
    make_painter: MakePainter, styles: StyleCatalogue, tmp_path: Path
) -> None:
    style, painter = styles.get("quick"), make_painter()
    options: dict[str, Any] = {"arms": ("both",), "guidance": LADDER, "batch": 1}
    (again,) = bench.run(
        painter, style, PROMPTS[:1], detectors(False, True), tmp_path / "a", **options
    )
    assert (again.usable, again.tries, again.first["scripted"]) == (False, 2, False)
    (once,) = bench.run(
        painter,
        style,
        PROMPTS[:1],
        detectors(False, True),
        tmp_path / "b",
        retries=False,
        **options,
    )
    assert (once.usable, once.tries) == (False, 0)


def test_a_run_that_was_stopped_goes_on_where_it_ended(
    make_painter: MakePainter, styles: StyleCatalogue, tmp_path: Path
) -> None:
    class StoppedError(Exception):
        pass

    def stop(count: int, *_: object) -> None:
        if count >= 2:
            raise StoppedError

    style, painter = styles.get("quick"), make_painter()
    options: dict[str, Any] = {"arms": ("unguided", "injection"), "batch": 1}
    with pytest.raises(StoppedError):
        bench.run(painter, style, PROMPTS, detectors(True), tmp_path, done=stop, **options)
    with (tmp_path / RESULTS).open("a") as file:
        file.write('{"arm": "unguided", "num')  # stopped while it was being written
    first, _ = looking = detectors(True)
    results = bench.run(painter, style, PROMPTS, looking, tmp_path, **options)
    assert len(results) == 6 and len(first.seen) == 4
    lines = (tmp_path / RESULTS).read_text().splitlines()
    assert len(lines) == 7 and all(json.loads(line) for line in lines)


def test_a_folder_of_another_run_is_left_alone(
    make_painter: MakePainter, styles: StyleCatalogue, tmp_path: Path
) -> None:
    painter, style = make_painter(), styles.get("quick")
    bench.run(painter, style, PROMPTS[:1], detectors(True), tmp_path, arms=("unguided",))
    with pytest.raises(InvalidInputError, match="another run"):
        bench.run(painter, style, PROMPTS[:2], detectors(True), tmp_path, arms=("unguided",))


def test_nobody_looks_nothing_is_counted(
    make_painter: MakePainter, styles: StyleCatalogue, tmp_path: Path
) -> None:
    with pytest.raises(UnavailableError, match="landmarks"):
        bench.run(make_painter(), styles.get("quick"), PROMPTS, (), tmp_path)


def shown(arm: Any, number: int, category: str, found: bool, tries: int) -> Shown:
    return Shown(
        arm=arm,
        number=number,
        category=category,
        text=f"number {number}",
        seed=number,
        first={"mesh": found, "dlib": False},
        usable=tries == 1,
        tries=tries,
        seconds=1.0,
        picture=f"{arm}/{number:03d}.webp",
    )


RESULT = [
    shown("unguided", 0, "fruits", False, 0),
    shown("unguided", 1, "plants", True, 1),
    shown("both", 0, "fruits", True, 1),
    shown("both", 1, "plants", True, 3),
]


def test_rates_are_by_category_and_pooled() -> None:
    rows = {(row["arm"], row["category"]): row for row in summary(RESULT)}
    assert rows["unguided", "all"]["found"] == {"mesh": 1, "dlib": 0}
    assert rows["both", "all"]["with_retries"] == 2 and rows["both", "all"]["tries"] == 2.0
    assert rows["both", "plants"]["usable"] == 0
    assert len(rows) == 6


def test_the_page_has_our_figures_and_the_papers_as_its_own() -> None:
    page = markdown(RESULT, "oil", retries=True)
    assert "| unguided | 2 | 50.0% (1) | 0.0% (0) | 50.0% (1) |" in page
    assert "57.0% unguided, 92.5% guided" in page and "2311.06772" in page
    assert "| fruits | 0.0% (0) | 100.0% (1) |" in page
    assert "with retries" not in markdown(RESULT, "oil", retries=False).split("Faces")[1][:0]


def test_the_sheet_shows_every_picture_and_marks_misses(tmp_path: Path) -> None:
    for result in RESULT:
        path = tmp_path / result.picture
        path.parent.mkdir(exist_ok=True)
        Pictures.new("RGB", (64, 64), (0, 120, 0)).save(path)
    picture = sheet(RESULT, tmp_path, "unguided", columns=2, cell=64)
    colours = {colour for _, colour in picture.getcolors(100_000) or ()}
    assert (196, 60, 50) in colours and picture.size[0] == 2 * 66 + 2


def test_the_command_runs_on_a_look_of_the_configuration(
    tiny: TinyModels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config.toml"
    config.write_text(
        f"""
        [portrait.diffusion]
        device = "cpu"
        memory_gb = 1
        [portrait.diffusion.control]
        repo = "{tiny.control}"
        [portrait.styles.noise]
        description = "Noise."
        author = "nobody"
        licence = "none"
        [portrait.styles.noise.recipe]
        checkpoint = {{ repo = "{tiny.base}" }}
        prompt = "{{subject}}"
        scheduler = "lcm"
        guidance = 1.0
        steps = 2
        resolution = 128
        """
    )
    out = tmp_path / "landmarks"
    command = ["--config", str(config), "bench", "landmarks", "noise", "--out", str(out)]
    done = CliRunner().invoke(
        cli,
        [*command, "--arm", "both", "--arm", "unguided", "--limit", "1", "--no-retries", "--json"],
    )
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)["rows"]
    assert {row["arm"] for row in rows} == {"unguided", "both"}
    assert {"report.md", "results.jsonl", "sheet-both.webp", "sheet-unguided.webp"} <= {
        path.name for path in out.iterdir()
    }
    wrong = CliRunner().invoke(cli, [*command, "--arm", "magic"])
    assert wrong.exit_code == 4
    drawn = CliRunner().invoke(
        cli, ["--config", str(config), "bench", "landmarks", "flat", "--out", str(out)]
    )
    assert drawn.exit_code == 4
