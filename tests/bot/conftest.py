"""The command line with a scripted model, as a person at a terminal meets it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from bot.app import App
from bot.cli import cli
from engine.llm.base import Message
from tests.fakes.answers import ANSWER as PERSONALITY
from tests.fakes.head import StillHead, encode_frames
from tests.fakes.language_model import ScriptedModel
from tests.fakes.portrait import DiscPortraits
from tests.fakes.speech import HummingSynthesizer

ANSWER = "I am the one who keeps the ships from sleeping on the rocks."


def script(messages: object) -> str:
    """Writes a personality when one is asked for, and says one thing otherwise."""
    assert isinstance(messages, tuple | list)
    asked: list[Message] = list(messages)
    return json.dumps(PERSONALITY) if "JSON" in asked[0].content else ANSWER


@dataclass
class Terminal:
    """Types commands. `result.output` is standard output, `result.stderr` the rest."""

    runner: CliRunner = field(default_factory=CliRunner)

    def __call__(self, *arguments: str | Path, input: str | None = None) -> Result:
        return self.runner.invoke(cli, [str(a) for a in arguments], input=input)

    def data(self, *arguments: str | Path) -> Any:
        """What a command prints with --json."""
        result = self(*arguments, "--json")
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)


@dataclass
class Fakes:
    """What stands in for the slow parts."""

    model: ScriptedModel
    portraits: DiscPortraits
    speech: HummingSynthesizer
    head: StillHead


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> Fakes:
    """Replaces model, pictures, voice and head; storage, engine and commands are the real ones."""
    made = Fakes(ScriptedModel((script,)), DiscPortraits(), HummingSynthesizer(), StillHead())

    async def model(app: App) -> ScriptedModel:
        return made.model

    monkeypatch.setattr(App, "model", model)
    for name in ("portraits", "synthesizer", "head"):
        value = {"portraits": made.portraits, "synthesizer": made.speech, "head": made.head}[name]
        monkeypatch.setattr(App, name, cached_property(lambda app, value=value: value))
        getattr(App, name).__set_name__(App, name)
    monkeypatch.setattr("engine.talkinghead.video.encode", _encode)
    return made


def _encode(*arguments: Any, settings: object = None, **options: Any) -> Any:
    return encode_frames(*arguments, **options)


@pytest.fixture
def terminal(fakes: Fakes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal in an empty folder, with no personas yet."""
    monkeypatch.setenv("CHATANYTHING_STORAGE__DATA_FOLDER", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return Terminal()


@pytest.fixture
def barnaby(terminal: Terminal) -> dict[str, Any]:
    """A persona that is there already."""
    made: dict[str, Any] = terminal.data("create", "a grumpy lighthouse", "--seed", "3")
    return made


Require = Callable[[str], Path]
