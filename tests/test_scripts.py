"""The scripts: the way in for people who have nothing yet."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPTS = [*sorted((ROOT / "scripts").glob("[a-z]*")), ROOT / ".ci" / "run"]
COMMANDS = [path for path in SCRIPTS if path.suffix == ""]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="bash scripts")


def bash(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run something after sourcing what the scripts have in common."""
    whole = f"set -euo pipefail\n. '{ROOT}/scripts/_environment.sh'\n{code}"
    bare = {"PATH": os.environ["PATH"], "HOME": str(Path("~").expanduser()), **environment}
    return subprocess.run(["bash", "-c", whole], env=bare, capture_output=True, text=True)


@pytest.mark.parametrize("script", COMMANDS, ids=lambda path: path.name)
def test_scripts_can_be_run(script: Path) -> None:
    assert os.access(script, os.X_OK)
    assert script.read_text(encoding="utf-8").startswith("#!/usr/bin/env bash\n")
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0


def test_a_python_that_is_new_enough_is_found() -> None:
    assert bash("find_python", PYTHON=sys.executable).stdout.strip() == sys.executable


def test_without_python_it_is_said_what_is_needed(tmp_path: Path) -> None:
    for tool in ("dirname", "bash"):
        (tmp_path / tool).symlink_to(shutil.which(tool) or "")
    result = bash("find_python", PATH=str(tmp_path))
    assert result.returncode == 1
    assert "Python 3.11 or newer is needed" in result.stderr


def test_an_old_python_is_passed_over(tmp_path: Path) -> None:
    old = tmp_path / "python3.11"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    (tmp_path / "python3").symlink_to(sys.executable)
    tools = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    found = bash("find_python", PATH=tools, PYTHON=str(old)).stdout.strip()
    assert found and found != str(old)


def python_of_version(path: Path, version: tuple[int, int]) -> Path:
    """A Python that takes itself for another one."""
    code = f"import sys; sys.version_info = {version}; exec(sys.argv[1])"
    path.write_text(f"#!/bin/sh\nexec '{sys.executable}' -c '{code}' \"$2\"\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("extras", ["landmarks", "gpu landmarks", "test lint"])
def test_mediapipe_gets_a_python_that_it_has_wheels_for(tmp_path: Path, extras: str) -> None:
    new = str(python_of_version(tmp_path / "new", (3, 13)))
    (tmp_path / "python3.11").symlink_to(sys.executable)
    tools = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    found = bash(f"choose_versions {extras}\nfind_python", PATH=tools, PYTHON=new)
    assert found.stdout.strip() == "python3.11"
    others = bash("choose_versions gpu discord\nfind_python", PATH=tools, PYTHON=new)
    assert others.stdout.strip() == new


def test_without_such_a_python_it_is_said_which_is_needed(tmp_path: Path) -> None:
    python_of_version(tmp_path / "python3.13", (3, 13))
    for tool in ("dirname", "bash"):
        (tmp_path / tool).symlink_to(shutil.which(tool) or "")
    result = bash("choose_versions landmarks\nfind_python", PATH=str(tmp_path))
    assert result.returncode == 1
    assert "Python 3.11 or 3.12 is needed" in result.stderr


def test_only_extras_that_exist_are_installed() -> None:
    script = str(ROOT / "scripts" / "install")
    result = subprocess.run([script, "gpu", "landmark"], capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stderr.startswith("There is no extra landmark; there are landmarks hearing ")


def test_nobody_is_told_to_add_mediapipe_by_pip() -> None:
    told = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    told += [*(ROOT / "bot").rglob("*.py"), *(ROOT / "engine").rglob("*.py")]
    wrong = re.compile(r"pip install [^\n]*\blandmarks\b")
    assert [file for file in told if wrong.search(file.read_text("utf-8"))] == []


@pytest.mark.parametrize("home", ["", "/nonexistent"])
def test_without_a_home_there_is_still_a_cache(tmp_path: Path, home: str) -> None:
    code = f"ROOT='{tmp_path}'\nuse_own_folders_without_home\necho $HOME $XDG_CACHE_HOME"
    result = bash(code, HOME=home)
    assert result.stdout.split() == [f"{tmp_path}/.cache/home", f"{tmp_path}/.cache"]
    assert "cannot be written" in result.stderr


def test_a_home_that_is_fine_stays(tmp_path: Path) -> None:
    code = "use_own_folders_without_home\necho $HOME ${XDG_CACHE_HOME:-none}"
    result = bash(code, HOME=str(tmp_path))
    assert result.stdout.split() == [str(tmp_path), "none"]
    assert result.stderr == ""


def test_only_what_was_installed_from_the_same_files_counts(tmp_path: Path) -> None:
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / ".installed-base").write_text("one\n")
    for asked, known in (("one", 0), ("two", 1), ("one test", 1)):
        assert bash(f"ROOT='{tmp_path}'\ninstalled {asked}").returncode == known


def test_a_failed_installation_leaves_no_mark(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "constraints.txt", "overrides.txt"):
        (tmp_path / name).write_text("")
    (tmp_path / ".venv").mkdir()
    code = f"ROOT='{tmp_path}'\nPYTHON_IN_VENV='{sys.executable}'\ninstall() {{ false; }}\n"
    result = bash(code + "prepare test")
    assert result.returncode == 1
    assert "to go on" in result.stderr
    assert not list((tmp_path / ".venv").iterdir())
    assert bash(code.replace("false", "true") + "prepare test").returncode == 0
    names = sorted(path.name for path in (tmp_path / ".venv").iterdir())
    assert names == [".installed-base", ".installed-test"]
