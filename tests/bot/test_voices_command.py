"""voices, bench speech and bench voices: what they tell about who can speak here."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import pytest

from tests.bot.conftest import Terminal


@pytest.fixture(autouse=True)
def only_what_is_always_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """hibari, which is built in, and edge, which is not allowed: the same on every machine."""
    monkeypatch.setenv("CHATANYTHING_SPEECH__ENGINES", '["hibari", "openai", "edge"]')
    monkeypatch.setenv("CHATANYTHING_SPEECH__ONLINE", "never")


def test_voices_lists_who_can_speak_here(terminal: Terminal) -> None:
    listed = terminal.data("voices")
    assert {voice["engine"] for voice in listed} == {"hibari"}
    assert len(listed) >= 24
    assert "--language" in terminal("voices").stderr


def test_voices_of_a_language_that_nobody_here_speaks_is_a_sentence(terminal: Terminal) -> None:
    result = terminal("voices", "--language", "de")
    assert result.exit_code == 0
    assert "No voice that can speak here knows the language de." in result.stderr
    assert terminal.data("voices", "--language", "de") == []


def test_voices_of_an_engine_that_cannot_speak_are_listed_with_the_reason(
    terminal: Terminal,
) -> None:
    result = terminal("voices", "--engine", "openai", "--language", "de")
    assert "woman-nova-openai" in result.stdout
    assert "[speech.openai]" in result.stderr
    assert terminal("voices", "--engine", "parrot").exit_code == 3


def test_a_choice_is_explained(terminal: Terminal) -> None:
    result = terminal("voices", "--for", "a tiny nervous robot")
    assert result.exit_code == 0
    first = next(line for line in result.stdout.splitlines() if line.strip().startswith("robot"))
    assert "is a robot (+4)" in " ".join(first.split())
    assert "hibari" in result.stderr
    told = terminal.data("voices", "--for", "a tiny nervous robot")
    assert told["part"]["kind"] == ["robot"]
    assert told["candidates"][0]["name"] == "robot"
    assert told["candidates"][0]["reasons"]["is a robot"] == 4.0


def test_a_choice_in_a_language_that_nobody_speaks_still_names_somebody(
    terminal: Terminal,
) -> None:
    told = terminal.data("voices", "--for", "ein Roboter", "--language", "de")
    assert told["candidates"]
    assert told["engines"] == []


def test_the_chosen_voice_can_be_heard(terminal: Terminal, tmp_path: Path) -> None:
    assert terminal("voices", "--for", "a pirate", "--sample", "pirate.wav").exit_code == 0
    with wave.open(str(tmp_path / "pirate.wav")) as file:
        assert file.getnframes() > 0
    again = terminal("voices", "--for", "a pirate", "--sample", "pirate.wav")
    assert again.exit_code == 4
    assert terminal("voices", "robot", "--sample", "robot.mp3").exit_code == 4


def test_a_voice_that_cannot_speak_here_says_what_it_needs(terminal: Terminal) -> None:
    for command in (("voices",), ("create", "a teapot", "--voice")):
        result = terminal(*command, "woman-nova-openai")
        assert result.exit_code == 5
        assert "[speech.openai]" in result.stderr


def test_bench_voices_measures_once_and_goes_on_where_it_ended(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.commands.bench_speech._listener", lambda app: None)
    monkeypatch.setattr(
        "bot.commands.bench_speech._measurable",
        lambda app, engine: [app.voices.find("man"), app.voices.find("tiny")],
    )
    arguments = ("bench", "voices", "--sentences", "1", "--keep", "kept.json")
    first = terminal(*arguments, "--json")
    assert first.exit_code == 0, first.stderr
    man, tiny = json.loads(first.stdout)
    assert 90 < man["hertz"] < 130
    assert 280 < tiny["hertz"] < 380
    assert man["formants"][0] < tiny["formants"][0]
    assert man["word_error"] is None
    kept = (tmp_path / "kept.json").stat().st_mtime_ns
    assert terminal(*arguments, "--page", "voices.md").exit_code == 0
    assert (tmp_path / "kept.json").stat().st_mtime_ns == kept, "nothing was measured again"
    page = (tmp_path / "voices.md").read_text(encoding="utf-8")
    assert "| man | " in page
    assert "| espeak | " in page
    (tmp_path / "kept.json").write_text("[]")
    assert terminal(*arguments).exit_code == 4


def test_bench_speech_says_what_cannot_be_measured(terminal: Terminal) -> None:
    result = terminal("bench", "speech", "--engine", "edge", "--json")
    assert json.loads(result.stdout) == []
    assert "never" in result.stderr


def test_an_engine_is_measured_in_a_process_of_its_own(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHATANYTHING_SPEECH__ENGINES", '["espeak"]')
    (report,) = terminal.data("bench", "speech")
    assert report["engine"] == "espeak"
    assert report["load_seconds"] > 0
    assert all(voice["real_time_factor"] > 0 for voice in report["voices"])
    assert report["voices"][0]["memory_mb"] is None or report["voices"][0]["memory_mb"] > 20
