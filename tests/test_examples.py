"""The examples name nothing that does not exist."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from bot.cli import cli
from bot.settings import SECRET_VARIABLES, Settings

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
UNITS = sorted((EXAMPLES / "systemd").glob("*.service"))
FOREIGN = {
    *SECRET_VARIABLES,
    *("AWS_ENDPOINT_URL", "AWS_ALLOW_HTTP", "AWS_REGION", "AWS_ACCESS_KEY_ID", "HOME"),
}
"""Variables that others read."""


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((EXAMPLES / "compose.yaml").read_text("utf-8"))
    return loaded


def ours() -> dict[str, dict[str, Any]]:
    """The services that run this program."""
    services: dict[str, dict[str, Any]] = compose()["services"]
    return {name: one for name, one in services.items() if one["image"] == "chatanything"}


def check_command(words: list[str]) -> None:
    """Reads a command line as the program would, and runs nothing."""
    group: Any = typer.main.get_command(cli)
    context = group.make_context("chatanything", list(words), resilient_parsing=False)
    while hasattr(group, "resolve_command"):
        rest = [*context._protected_args, *context.args]
        name, command, rest = group.resolve_command(context, rest)
        assert command is not None
        context, group = command.make_context(name, rest, parent=context), command


def check_variables(values: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads settings from an environment, as the program would."""
    for name, value in values.items():
        if name not in FOREIGN:
            assert name.startswith("CHATANYTHING_"), name
            monkeypatch.setenv(name, value)
    settings = Settings()
    named = {name for name in values if name.startswith("CHATANYTHING_")}
    for name in named:
        table, _, key = name.removeprefix("CHATANYTHING_").lower().partition("__")
        assert key in type(getattr(settings, table)).model_fields, name


def filled(value: str) -> str:
    """A value with its variables filled in, as Compose does."""
    return re.sub(r"\$\{(\w+):([?-])([^}]*)\}", lambda m: m[3] or f"{m[1]}-value", value)


def test_the_check_itself_finds_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    check_command(["--config", "x.toml", "models", "pull", "smollm2-135m"])
    for wrong in (["conquer"], ["serve", "--fast"], ["models", "push"], ["--loud", "serve"]):
        with pytest.raises(Exception, match=r"No such (command|option)"):
            check_command(wrong)
    with pytest.raises(Exception, match="extra"):
        check_variables({"CHATANYTHING_STORAGE__FOLDR": "x"}, monkeypatch)


def test_compose_runs_commands_that_exist() -> None:
    assert {"discord", "telegram", "worker", "models"} <= set(ours())
    for service in ours().values():
        check_command(service["command"])


@pytest.mark.parametrize("service", sorted(ours()))
def test_compose_sets_what_can_be_set(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {name: filled(value) for name, value in ours()[service]["environment"].items()}
    check_variables(values, monkeypatch)


def test_compose_is_whole() -> None:
    whole = compose()
    mounted = set()
    for name, service in whole["services"].items():
        assert set(service.get("networks", [])) <= set(whole["networks"]), name
        mounted |= {volume.partition(":")[0] for volume in service.get("volumes", [])}
        for needed in service.get("depends_on", {}):
            assert needed in whole["services"], name
    assert mounted == set(whole["volumes"])
    build = ours()["discord"]["build"]
    assert (EXAMPLES / build["context"] / build["dockerfile"]).resolve().is_file()


def test_no_example_holds_a_secret() -> None:
    for line in (EXAMPLES / "compose.env.example").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            assert line.endswith("="), line
    asked = set(re.findall(r"\$\{(\w+)", (EXAMPLES / "compose.yaml").read_text("utf-8")))
    given = set(
        re.findall(r"^(\w+)=", (EXAMPLES / "compose.env.example").read_text("utf-8"), re.MULTILINE)
    )
    assert asked == given
    for service in compose()["services"].values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|TOKEN|KEY|DATABASE_URL", name):
                assert "${" in value, name


def test_the_image_sets_what_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (EXAMPLES / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    [line] = re.findall(r"^ENV (.+)$", text, re.MULTILINE)
    check_variables(dict(word.split("=", 1) for word in line.split()), monkeypatch)
    [command] = re.findall(r"^CMD \[(.+)\]$", text, re.MULTILINE)
    check_command([word.strip('" ') for word in command.split(",")])
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    for extras in re.findall(r"EXTRAS=([\w,]+)", text):
        for extra in extras.split(","):
            assert re.search(rf"^{extra} = \[", project, re.MULTILINE), extra


def test_the_image_is_installed_as_scripts_install_does() -> None:
    image = (EXAMPLES / "Dockerfile").read_text("utf-8")
    script = (ROOT / "scripts" / "_environment.sh").read_text("utf-8")
    [uv] = re.findall(r"^UV_VERSION=(.+)$", script, re.MULTILINE)
    assert f"uv=={uv} " in image
    for option in ("constraints", "overrides"):
        assert f"--{option} {option}.txt" in script
        assert f"--{option} /tmp/{option}.txt" in image


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_run_and_set_what_exists(unit: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = unit.read_text("utf-8").replace("%i", "1").replace("%I", "1")
    commands = re.findall(r"^ExecStart(?:Pre)?=\S+/chatanything (.+)$", text, re.MULTILINE)
    assert commands
    for command in commands:
        check_command(shlex.split(command))
    values = re.findall(r"^Environment=(\w+)=(.+)$", text, re.MULTILINE)
    check_variables(dict(values), monkeypatch)
    for line in ("DynamicUser=yes", "NoNewPrivileges=yes", "ProtectSystem=strict"):
        assert line in text
    assert re.search(r"^StateDirectory=chatanything", text, re.MULTILINE)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_understands_the_units(unit: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not here")
    # What it starts must be there, or that is all that is found.
    text = re.sub(r"/opt/chatanything/bin/chatanything", "/bin/true", unit.read_text("utf-8"))
    copy = tmp_path / unit.name.replace("@", "@1")
    copy.write_text(text, "utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(copy)], capture_output=True, text=True
    )
    about = [line for line in done.stderr.splitlines() if unit.name.partition(".")[0] in line]
    assert not about, done.stderr
