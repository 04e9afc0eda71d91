"""chatanything transcribe: what is said in a recording, on the command line."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path

import pytest

from bot.app import App
from engine.hearing.base import SpeechRecognizer
from personas.errors import UnavailableError
from tests.bot.conftest import Terminal
from tests.fakes.hearing import FakeRecognizer

FILE = "message.ogg"


@pytest.fixture
def ears(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> FakeRecognizer:
    ears = FakeRecognizer(text="Mind the \x1b[31mrocks.")
    listen_with(ears, monkeypatch)
    Path(FILE).write_bytes(b"a recording")
    return ears


def listen_with(recognizer: SpeechRecognizer | None, monkeypatch: pytest.MonkeyPatch) -> None:
    replaced = cached_property(lambda app: recognizer)
    replaced.__set_name__(App, "recognizer")
    monkeypatch.setattr(App, "recognizer", replaced)


def test_what_was_said_is_printed_and_drives_no_terminal(
    terminal: Terminal, ears: FakeRecognizer
) -> None:
    result = terminal("transcribe", FILE, "--language", "en")
    assert (result.exit_code, result.stdout) == (0, "Mind the \ufffd[31mrocks.\n")
    assert ears.heard == [(b"a recording", "en")]


def test_json_holds_the_words_with_their_times(terminal: Terminal, ears: FakeRecognizer) -> None:
    ears.text = "Mind it."
    told = json.loads(terminal("transcribe", FILE, "--json").stdout)
    assert told == {
        "text": "Mind it.",
        "language": "en",
        "seconds": 2.0,
        "recognizer": "fake",
        "words": [
            {"text": "Mind", "start": 0.0, "end": 1.0},
            {"text": "it.", "start": 1.0, "end": 2.0},
        ],
    }


def test_people_are_told_when_a_recording_leaves_their_machine(
    terminal: Terminal, ears: FakeRecognizer
) -> None:
    ears.online = True
    assert "is sent to the configured endpoint" in terminal("transcribe", FILE).stderr


def test_silence_a_missing_model_and_a_missing_file_have_their_exit_codes(
    terminal: Terminal, ears: FakeRecognizer
) -> None:
    ears.text = ""
    result = terminal("transcribe", FILE)
    assert (result.exit_code, "I hear nobody speak" in result.stderr) == (4, True)
    ears.error = UnavailableError("`chatanything models pull whisper-base` fetches it.")
    assert terminal("transcribe", FILE).exit_code == 5
    result = terminal("transcribe", "nowhere.ogg")
    assert (result.exit_code, "nowhere.ogg cannot be read" in result.stderr) == (4, True)


def test_without_anybody_who_listens_the_remedy_is_named(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    listen_with(None, monkeypatch)
    result = terminal("transcribe", FILE)
    assert (result.exit_code, 'pip install "chatanything[hearing]"' in result.stderr) == (5, True)
    monkeypatch.setenv("CHATANYTHING_HEARING__ENABLED", "false")
    assert "switched off" in terminal("transcribe", FILE).stderr
