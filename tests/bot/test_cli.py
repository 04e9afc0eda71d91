"""The command line: what it prints, where, and with which exit code."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from personas.errors import UnavailableError
from storage.settings import StorageSettings
from storage.store import Storage
from tests.bot.conftest import ANSWER, Fakes, Terminal
from tests.storage.examples import add

Persona = dict[str, Any]
ROOT = Path(__file__).parents[2]


def photo(path: Path) -> Path:
    Image.fromarray(np.full((80, 60, 3), 120, np.uint8)).save(path)
    return path


def python(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, **options
    )


def found_anywhere() -> dict[str, str]:
    """An environment in which a process finds the program, whatever folder it starts in."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path}


# -- create, list, show, delete


def test_create_introduces_the_persona(terminal: Terminal) -> None:
    result = terminal("create", "a grumpy old lighthouse that loves poetry")
    assert result.exit_code == 0
    for shown in ("Barnaby Beam (barnaby-beam)", "Mind the steps.", "captain", "CC0-1.0"):
        assert shown in result.stdout
    assert "chatanything chat barnaby-beam" in result.stdout


def test_progress_goes_to_stderr_and_json_alone_to_stdout(terminal: Terminal) -> None:
    result = terminal("create", "a lighthouse", "--json")
    assert json.loads(result.stdout)["slug"] == "barnaby-beam"
    assert "Drawing Barnaby Beam" in result.stderr


def test_the_portrait_lies_where_it_is_said_to_lie(barnaby: Persona) -> None:
    with Image.open(barnaby["portrait_file"]) as portrait:
        assert portrait.size == (48, 48)


def test_the_same_seed_makes_the_same_persona(terminal: Terminal, barnaby: Persona) -> None:
    again = terminal.data("create", "a grumpy lighthouse", "--seed", "3")
    assert again == barnaby


def test_style_and_voice_can_be_chosen(terminal: Terminal) -> None:
    made = terminal.data("create", "a lighthouse", "--style", "outlined", "--voice", "robot")
    assert made["portrait"]["style"] == "outlined"
    assert made["voice"]["preset"] == "robot"


@pytest.mark.parametrize(
    ("arguments", "meant"), [(("--style", "outlinde"), "outlined"), (("--voice", "robto"), "robot")]
)
def test_a_misspelt_choice_is_refused_with_the_nearest(
    terminal: Terminal, arguments: tuple[str, str], meant: str
) -> None:
    result = terminal("create", "a lighthouse", *arguments)
    assert result.exit_code == 3
    assert meant in result.stderr
    assert terminal.data("list") == []


def test_a_picture_can_be_its_appearance(terminal: Terminal, fakes: Fakes, tmp_path: Path) -> None:
    result = terminal("create", "my neighbour", "--image", photo(tmp_path / "me.png"))
    assert result.exit_code == 0, result.stderr
    (seen,) = fakes.portraits.photos
    assert seen is not None
    assert seen.shape == (80, 60, 3)


@pytest.mark.parametrize("name", ["missing.png", "."])
def test_a_picture_that_cannot_be_read_is_named(terminal: Terminal, name: str) -> None:
    result = terminal("create", "my neighbour", "--image", name)
    assert result.exit_code == 4
    assert name in result.stderr


def test_a_picture_that_is_none_is_refused(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "me.png").write_bytes(b"not a picture")
    result = terminal("create", "my neighbour", "--image", tmp_path / "me.png")
    assert result.exit_code in (4, 5)
    assert "Traceback" not in result.stderr
    assert terminal.data("list") == []


@pytest.mark.parametrize("description", ["", "   ", "\n\t"])
def test_an_empty_description_is_refused(terminal: Terminal, description: str) -> None:
    result = terminal("create", description)
    assert result.exit_code != 0
    assert "Error:" in result.stderr


def test_list_of_nothing_says_how_to_begin(terminal: Terminal) -> None:
    result = terminal("list")
    assert result.exit_code == 0
    assert "chatanything create" in result.stderr


@pytest.mark.usefixtures("barnaby")
def test_list_shows_and_searches(terminal: Terminal) -> None:
    assert "barnaby-beam" in terminal("list").stdout
    assert len(terminal.data("list", "beam")) == 1
    assert terminal.data("list", "teapot") == []


def test_list_shows_all_or_the_newest(terminal: Terminal, tmp_path: Path) -> None:
    async def fill() -> None:
        async with await Storage.open(StorageSettings(data_folder=tmp_path / "data")) as storage:
            for number in range(103):
                await add(storage, f"p{number:03}", slug=f"lamp-{number:03}")

    asyncio.run(fill())
    slugs = [f"lamp-{number:03}" for number in range(103)]
    assert [persona["slug"] for persona in terminal.data("list")] == slugs
    few = terminal("list", "--limit", "2")
    assert "lamp-101" in few.stdout and "lamp-102" in few.stdout and "lamp-100" not in few.stdout
    assert "... and 101 more" in few.stderr


@pytest.mark.usefixtures("barnaby")
@pytest.mark.parametrize("name", ["barnaby-beam", "Barnaby Beam", "barn", "lighthouse"])
def test_a_persona_is_found_by_slug_name_beginning_and_kind(terminal: Terminal, name: str) -> None:
    assert terminal.data("show", name)["slug"] == "barnaby-beam"


@pytest.mark.usefixtures("barnaby")
@pytest.mark.parametrize("command", [("show",), ("delete", "-y"), ("say",), ("chat",)])
def test_an_unknown_persona_is_refused_with_the_nearest(
    terminal: Terminal, command: tuple[str, ...]
) -> None:
    more = ("hello",) if command == ("say",) else ()
    result = terminal(*command, "barnaby-bean", *more)
    assert result.exit_code == 3
    assert "barnaby-beam" in result.stderr


def test_delete_asks_first(terminal: Terminal, barnaby: Persona) -> None:
    assert terminal("delete", "barnaby-beam", input="n\n").exit_code == 1
    assert Path(barnaby["portrait_file"]).exists()
    assert terminal("delete", "barnaby-beam", input="y\n").exit_code == 0
    assert terminal.data("list") == []
    assert not Path(barnaby["portrait_file"]).exists()


# -- say


@pytest.mark.usefixtures("barnaby")
def test_say_prints_the_answer_and_where_the_clip_lies(terminal: Terminal) -> None:
    result = terminal("say", "barnaby-beam", "Who are you?")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.strip() == ANSWER
    assert "Clip: " in result.stderr


@pytest.mark.usefixtures("barnaby")
def test_say_writes_clip_or_sound_where_told(terminal: Terminal, tmp_path: Path) -> None:
    assert terminal("say", "barnaby-beam", "Hi", "-o", "new/folder/clip.mp4").exit_code == 0
    assert (tmp_path / "new/folder/clip.mp4").read_bytes().startswith(b"clip")
    assert terminal("say", "barnaby-beam", "Hi", "-o", "sound.wav").exit_code == 0
    assert (tmp_path / "sound.wav").read_bytes().startswith(b"RIFF")


@pytest.mark.usefixtures("barnaby")
def test_say_replaces_a_file_only_when_told(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_text("precious")
    result = terminal("say", "barnaby-beam", "Hi", "-o", "clip.mp4")
    assert result.exit_code == 4
    assert "--force" in result.stderr
    assert (tmp_path / "clip.mp4").read_text() == "precious"
    assert terminal("say", "barnaby-beam", "Hi", "-o", "clip.mp4", "--force").exit_code == 0


@pytest.mark.usefixtures("barnaby")
@pytest.mark.parametrize(
    "arguments", [("-o", "clip.gif"), ("--mode", "song"), ("--mode", "text", "-o", "clip.mp4")]
)
def test_say_refuses_what_makes_no_sense_before_any_work(
    terminal: Terminal, fakes: Fakes, arguments: tuple[str, ...]
) -> None:
    before = len(fakes.model.asked)
    assert terminal("say", "barnaby-beam", "Hi", *arguments).exit_code == 4
    assert len(fakes.model.asked) == before


@pytest.mark.usefixtures("barnaby")
def test_say_in_text_mode_makes_no_sound(terminal: Terminal, fakes: Fakes) -> None:
    said = terminal.data("say", "barnaby-beam", "Hi", "--mode", "text")
    assert (said["text"], said["clip"], said["spoken"]) == (ANSWER, None, None)
    assert not fakes.speech.spoken


@pytest.mark.usefixtures("barnaby")
def test_say_in_voice_mode_keeps_the_voice_and_says_where(terminal: Terminal) -> None:
    result = terminal("say", "barnaby-beam", "Hi", "--mode", "voice")
    [told] = [line for line in result.stderr.splitlines() if line.startswith("Voice: ")]
    assert Path(told.removeprefix("Voice: ")).read_bytes().startswith(b"RIFF")
    said = terminal.data("say", "barnaby-beam", "Hi", "--mode", "voice")
    assert said["clip"] is None
    assert Path(said["voice"]).read_bytes().startswith(b"RIFF")
    named = terminal.data("say", "barnaby-beam", "Hi", "--mode", "voice", "--out", "hi.wav")
    assert named["voice"] == "hi.wav" and Path("hi.wav").read_bytes().startswith(b"RIFF")


def test_a_voice_goes_with_its_persona(terminal: Terminal, barnaby: Persona) -> None:
    voice = terminal.data("say", "barnaby-beam", "Hi", "--mode", "voice")["voice"]
    terminal("delete", barnaby["slug"], "--yes")
    assert not Path(voice).exists()


@pytest.mark.usefixtures("barnaby")
def test_a_clip_that_fails_costs_only_the_clip(terminal: Terminal, fakes: Fakes) -> None:
    fakes.speech.failures = [UnavailableError("The voice is hoarse.")]
    result = terminal("say", "barnaby-beam", "Hi")
    assert result.exit_code == 0
    assert ANSWER in result.stdout
    assert "No clip: The voice is hoarse." in result.stderr


@pytest.mark.usefixtures("barnaby")
def test_a_model_that_does_not_answer_is_a_sentence(terminal: Terminal, fakes: Fakes) -> None:
    fakes.model._left = [UnavailableError("The language model does not answer.")]
    result = terminal("say", "barnaby-beam", "Hi")
    assert result.exit_code == 5
    assert "The language model does not answer." in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.usefixtures("barnaby")
def test_a_fault_of_ours_is_a_sentence_and_goes_to_the_log(
    terminal: Terminal, fakes: Fakes
) -> None:
    fakes.model._left = [ZeroDivisionError("secret details")]
    result = terminal("create", "another one")
    assert result.exit_code != 0
    assert "Traceback" not in result.output
    assert "secret details" not in result.output


@pytest.mark.usefixtures("barnaby")
def test_what_a_model_writes_does_not_drive_the_terminal(terminal: Terminal, fakes: Fakes) -> None:
    fakes.model._left = ["Look: \x1b[2J\x1b]0;owned\x07 [bold]markup[/bold] {braces}"]
    out = terminal("say", "barnaby-beam", "Hi").stdout
    assert "\x1b" not in out
    assert "\x07" not in out
    assert "[bold]markup[/bold] {braces}" in out


# -- chat


@pytest.mark.usefixtures("barnaby")
def test_chat_greets_answers_and_remembers(terminal: Terminal, fakes: Fakes) -> None:
    first = terminal("chat", "barnaby-beam", input="My name is Ada.\n/quit\n")
    assert first.exit_code == 0, first.stderr
    assert "Barnaby Beam: Mind the steps." in first.stdout
    assert f"Barnaby Beam: {ANSWER}" in first.stdout
    second = terminal("chat", "barnaby-beam", input="Who am I?\n")
    assert "My name is Ada." in second.stdout
    assert any("My name is Ada." in m.content for m in fakes.model.asked[-1].messages)


@pytest.mark.usefixtures("barnaby")
def test_chat_commands(terminal: Terminal, fakes: Fakes) -> None:
    typed = "/help\n/who\n/mode text\nHi\n/mode song\n/dance\n/history\n/forget\n/history\n"
    result = terminal("chat", "barnaby-beam", input=typed)
    assert result.exit_code == 0
    for said in ("/forget", "on a bare rock", "Answers come as text", "no mode 'song'", "/dance"):
        assert said in result.stderr
    assert "has forgotten" in result.stderr
    assert fakes.model.forgotten == [fakes.model.asked[-1].conversation]
    assert not fakes.speech.spoken


@pytest.mark.usefixtures("barnaby")
def test_chat_in_voice_mode_says_where_the_voice_lies(terminal: Terminal) -> None:
    result = terminal("chat", "barnaby-beam", "--mode", "voice", input="Hi\n")
    [voice] = [line for line in result.stderr.splitlines() if line.endswith(".wav")]
    assert Path(voice.partition("] ")[2]).read_bytes().startswith(b"RIFF")


@pytest.mark.usefixtures("barnaby")
def test_an_answer_that_fails_does_not_end_the_chat(terminal: Terminal, fakes: Fakes) -> None:
    fakes.model._left = [UnavailableError("Not now."), "Here I am."]
    result = terminal("chat", "barnaby-beam", "--mode", "text", input="One\nTwo\n")
    assert result.exit_code == 0
    assert "Error: Not now." in result.stderr
    assert "Here I am." in result.stdout


# -- cards


def test_a_persona_travels_as_a_picture(terminal: Terminal, barnaby: Persona) -> None:
    assert terminal("export", "barnaby-beam", "card.png").exit_code == 0
    assert terminal("delete", "barnaby-beam", "-y").exit_code == 0
    back = terminal.data("import", "card.png")
    for part in ("personality", "voice", "description", "seed"):
        assert back[part] == barnaby[part]
    assert back["portrait"]["geometry"] == barnaby["portrait"]["geometry"]
    assert terminal("say", "barnaby-beam", "Hi").exit_code == 0


@pytest.mark.usefixtures("barnaby")
@pytest.mark.parametrize("spec", ["v2", "v3"])
def test_a_persona_is_written_as_json(terminal: Terminal, tmp_path: Path, spec: str) -> None:
    assert terminal("export", "barnaby-beam", "card.json", "--spec", spec).exit_code == 0
    card = json.loads((tmp_path / "card.json").read_text("utf-8"))
    assert card["spec"] == f"chara_card_{spec}"
    assert card["data"]["name"] == "Barnaby Beam"
    piped = terminal("export", "barnaby-beam", "-", "--spec", spec)
    assert json.loads(piped.stdout) == card


def test_a_card_from_elsewhere_gets_a_face_and_keeps_its_fields(
    terminal: Terminal, fakes: Fakes, tmp_path: Path
) -> None:
    data = {"name": "Mira", "description": "An old oak.", "first_mes": "Rustle.", "depth": 4}
    card = {"spec": "chara_card_v2", "spec_version": "2.0", "data": data}
    (tmp_path / "mira.json").write_text(json.dumps(card))
    made = terminal.data("import", "mira.json")
    assert made["personality"]["greeting"] == "Rustle."
    assert made["card"]["data"]["depth"] == 4
    assert not fakes.model.asked


@pytest.mark.parametrize("content", [b"", b"{", b"\x89PNG\r\n\x1a\n", b"[]", b"{}"])
def test_a_file_that_is_no_card_is_refused(
    terminal: Terminal, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "card.png").write_bytes(content)
    result = terminal("import", "card.png")
    assert result.exit_code == 4
    assert "Error:" in result.stderr


@pytest.mark.usefixtures("barnaby")
@pytest.mark.parametrize("arguments", [("card.txt",), ("card.json", "--spec", "v9")])
def test_an_export_that_makes_no_sense_is_refused(
    terminal: Terminal, arguments: tuple[str, ...]
) -> None:
    assert terminal("export", "barnaby-beam", *arguments).exit_code == 4


# -- catalogues, configuration, doctor


@pytest.mark.parametrize("command", ["styles", "voices"])
def test_catalogues_are_listed(terminal: Terminal, command: str) -> None:
    names = [entry["name"] for entry in terminal.data(command)]
    assert len(names) == len(set(names)) >= 8
    table = terminal(command).stdout
    assert all(name in table for name in names)


def test_a_voice_can_be_heard(terminal: Terminal, tmp_path: Path) -> None:
    assert terminal("voices", "robot", "--sample", "robot.wav").exit_code == 0
    assert (tmp_path / "robot.wav").read_bytes().startswith(b"RIFF")
    assert terminal("voices", "--sample", "x.wav").exit_code == 4
    assert terminal("voices", "robto", "--sample", "x.wav").exit_code == 3


def test_settings_are_shown_without_secrets(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHATANYTHING_LANGUAGE_MODEL__API_KEY", "sk-very-secret")
    for form in ((), ("--json",)):
        result = terminal("config", "show", *form)
        assert result.exit_code == 0
        assert "sk-very-secret" not in result.output


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_settings_are_shown_without_the_credentials_in_addresses(
    terminal: Terminal, tmp_path: Path, form: tuple[str, ...]
) -> None:
    (tmp_path / "config.toml").write_text(
        """
        telegram.proxy = "http://me:hunter2@proxy:3128"
        speech.edge.proxy = "http://me:hunter2@proxy:3128"
        models.mirrors = ["https://me:hunter2@mirror/models"]
        """
    )
    result = terminal("config", "show", *form)
    assert result.exit_code == 0
    assert "@proxy:3128" in result.stdout and "@mirror/models" in result.stdout
    assert "hunter2" not in result.output


@pytest.mark.parametrize(
    "wrong", ["tokn = 'sk-very-secret'", "token = ['sk-very-secret']", "token.x = 'sk-very-secret'"]
)
def test_a_mistake_with_a_secret_does_not_put_it_into_the_log(tmp_path: Path, wrong: str) -> None:
    (tmp_path / "config.toml").write_text(f"[discord]\n{wrong}\n")
    done = python("-m", "bot", "--verbose", "list", cwd=tmp_path, env=found_anywhere())
    assert done.returncode == 4
    [log] = tmp_path.rglob("chatanything.log")
    for written in (done.stdout, done.stderr, log.read_text("utf-8")):
        assert "sk-very-secret" not in written
    assert "config.toml, line" in log.read_text("utf-8")


def test_a_wrong_configuration_is_a_sentence(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[speech]\nspeed = 3\n")
    result = terminal("list")
    assert result.exit_code == 4
    assert "config.toml, line 2" in result.stderr


def test_doctor_names_what_is_missing_and_the_command_that_adds_it(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHATANYTHING_MODELS__FOLDER", str(tmp_path / "empty"))
    monkeypatch.setenv("CHATANYTHING_SPEECH__ENGINES", '["kokoro", "espeak", "edge"]')
    monkeypatch.setenv("CHATANYTHING_SPEECH__ONLINE", "never")
    result = terminal("doctor", "--json")
    assert result.exit_code == 5
    findings = {found["what"]: found for found in json.loads(result.stdout)}
    art = findings["model fluent-emoji"]
    assert (art["state"], art["remedy"]) == ("missing", "chatanything models pull fluent-emoji")
    assert findings["storage"]["state"] == "ok"
    assert findings["voices of espeak"]["state"] == "ok"
    assert "models pull kokoro-82m" in findings["voices of kokoro"]["remedy"]
    assert "never" in findings["voices of edge"]["remedy"]
    assert "model fluent-emoji" in terminal("doctor").stdout


def test_models_are_listed_with_their_licences(terminal: Terminal) -> None:
    listed = {entry["name"]: entry for entry in terminal.data("models", "list")}
    assert listed["smollm2-135m"]["licence"] == "Apache-2.0"
    assert terminal("models", "pull", "smollm3").exit_code == 3


@pytest.mark.parametrize("names", [("twemoji",), ()])
def test_a_model_that_cannot_be_had_is_a_sentence(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]
) -> None:
    monkeypatch.setenv("CHATANYTHING_MODELS__FOLDER", str(tmp_path / "empty"))
    monkeypatch.setenv("CHATANYTHING_MODELS__OFFLINE", "true")
    result = terminal("models", "pull", *names)
    assert result.exit_code == 5
    assert "offline" in result.stderr
    assert "Traceback" not in result.stderr


# -- the program as a process


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys, bot.cli; heavy = {'numpy', 'cv2', 'openai', 'sqlalchemy', 'pydantic', 'av',"
        " 'onnxruntime', 'rich', 'huggingface_hub'}; print(sorted(heavy & set(sys.modules)))"
    )
    assert python("-c", code).stdout.strip() == "[]"


def test_every_command_explains_itself(terminal: Terminal) -> None:
    commands = terminal("--help").stdout.split("Commands:")[1].split()
    for command in ("create", "say", "chat", "models", "bench", "doctor", "demo"):
        assert command in commands
        assert terminal(command, "--help").exit_code == 0


def test_wrong_usage_is_exit_code_2(terminal: Terminal) -> None:
    assert terminal("create").exit_code == 2
    assert terminal("fly").exit_code == 2
    assert terminal("list", "--nonsense").exit_code == 2


def test_any_locale_will_do(tmp_path: Path) -> None:
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    environment |= {"CHATANYTHING_STORAGE__DATA_FOLDER": str(tmp_path)}
    done = python("-m", "bot", "list", "büro", env=environment)
    assert done.returncode == 0, done.stderr
