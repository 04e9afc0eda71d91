"""The log: text or JSON, each line with its request, and no secrets."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot import logs
from bot.operating.settings import OperatingSettings
from bot.settings import Settings, secrets
from bot.telegram.secrets import hide
from engine.observing import Request, arriving, during
from engine.speech.base import Speech
from personas.errors import UnavailableError
from personas.persona import Voice
from tests.bot.chat.conftest import ANA, HERE, MakeWorld, World, catalogues, make_world, world

__all__ = ["catalogues", "make_world", "world"]

SECRET = "sk-very-secret"


class Stderr:
    """What was written to stderr so far."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._read = ""

    def getvalue(self) -> str:
        self._read += self._capsys.readouterr().err
        return self._read


@pytest.fixture
def stderr(capsys: pytest.CaptureFixture[str]) -> Stderr:
    return Stderr(capsys)


@pytest.fixture(autouse=True)
def own_log() -> Iterator[None]:
    """What the program does to the log is undone."""
    root = logging.getLogger()
    level = root.level
    yield
    for handler in [one for one in root.handlers if getattr(one, "ours", False)]:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)


def start(secret: str = SECRET, verbose: bool = False, **settings: Any) -> None:
    """Starts to write the log, as the program does: nobody else writes one."""
    logging.getLogger().handlers = []
    logs.set_up(verbose)
    logs.adjust(OperatingSettings(**settings), [secret, "ab"])


def lines(stream: Stderr) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_each_line_is_one_object(stderr: Stderr) -> None:
    start(log_format="json", log_to="stderr")
    log = logging.getLogger("bot.test")
    log.info("An answer of %d words\nand two lines", 7)
    with during(Request("discord:11/42")):
        try:
            raise ValueError("no")
        except ValueError:
            log.exception("It broke")
    plain, broken = lines(stderr)
    assert plain["message"] == "An answer of 7 words\nand two lines"
    assert (plain["level"], plain["logger"]) == ("INFO", "bot.test")
    assert plain["time"].endswith("+00:00")
    assert "request" not in plain and "exception" not in plain
    assert broken["request"] == "discord:11/42"
    assert broken["exception"].endswith("ValueError: no")


def test_text_has_the_request_before_the_message(stderr: Stderr) -> None:
    start(log_to="stderr")
    with during(Request("telegram:7/3")):
        logging.getLogger("bot.test").info("Hello")
    logging.getLogger("bot.test").info("Goodbye")
    first, second = stderr.getvalue().splitlines()
    assert first.endswith("INFO bot.test: [telegram:7/3] Hello")
    assert second.endswith("INFO bot.test: Goodbye")


def test_the_file_is_kept_or_left_as_wanted(stderr: Stderr) -> None:
    start(log_format="json")
    logging.getLogger("x").info("one")
    file = logs.log_file()
    assert file is not None and json.loads(file.read_text())["message"] == "one"
    assert stderr.getvalue() == ""
    logs.adjust(OperatingSettings(log_to="stderr"))
    assert logs.log_file() is None
    logging.getLogger("x").info("two")
    assert stderr.getvalue().endswith("two\n") and "two" not in file.read_text()


def test_what_was_asked_for_twice_is_written_once(stderr: Stderr) -> None:
    start(verbose=True, log_to="both", log_format="json")
    logging.getLogger("x").info("one")
    assert len(lines(stderr)) == 1


@pytest.mark.parametrize("form", ["json", "text"])
def test_secrets_are_in_no_message_and_no_traceback(stderr: Stderr, form: str) -> None:
    start(log_format=form, log_to="stderr")
    hide("123:telegram-token")
    log = logging.getLogger("x")
    log.info("Asking with %s at %s", SECRET, "https://t.org/bot123:telegram-token/getMe")
    try:
        raise UnavailableError(f"The key {SECRET} was refused.")
    except UnavailableError:
        log.exception("No answer")
    said = stderr.getvalue()
    assert SECRET not in said and "telegram-token" not in said
    assert said.count(logs.HIDDEN) >= 3
    assert "ab" not in logs.HIDDEN  # what is as short as that is no secret


def test_credentials_in_an_address_are_hidden_however_short(stderr: Stderr) -> None:
    start(log_to="stderr")
    logging.getLogger("x").info("Through http://me:pw@proxy:80/ to https://host/@me")
    assert f"http://{logs.HIDDEN}@proxy:80/ to https://host/@me" in stderr.getvalue()


def test_every_secret_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "from-the-environment")
    settings = Settings(
        language_model={"api_key": "key-1"},  # type: ignore[arg-type]
        telegram={"token": "token-2", "webhook": {"secret": "hook-3"}},  # type: ignore[arg-type]
        storage={"database_url": "postgresql+psycopg://me:pass-4@db/x"},  # type: ignore[arg-type]
        speech={"edge": {"proxy": "http://me:pass%2D5@proxy"}},  # type: ignore[arg-type]
        models={"mirrors": ["/a/folder", "https://me:pass-6@mirror"]},  # type: ignore[arg-type]
    )
    found = secrets(settings)
    assert {"key-1", "token-2", "hook-3", "from-the-environment"} <= set(found)
    assert {"pass-4", "pass%2D5", "pass-5", "pass-6"} <= set(found)
    assert "" not in found


# One request, from the adapter down


async def test_one_id_is_in_every_line_of_a_request_down_to_the_engine(
    make_world: MakeWorld, stderr: Stderr
) -> None:
    start(log_format="json", log_to="stderr")
    world = await settled(make_world("clip"))
    deep = logging.getLogger("deep.in.the.engine")

    def draws(*_: Any) -> None:
        deep.info("drawing")

    hum = world.speech.synthesize

    def speaks(text: str, voice: Voice) -> Speech:
        deep.info("speaking")  # in a thread
        return hum(text, voice)

    world.speech.synthesize = speaks  # type: ignore[method-assign]
    world.answers = lambda text: (deep.info("writing"), f"Mind the rocks, {text}.")[1]
    world.head.failures.append(RuntimeError("a broken head"))

    async def comes_in(text: str, id: str) -> None:
        """What an adapter does."""
        arriving(f"discord:11/{id}")
        await world.say(text, id=id)

    await asyncio.gather(
        *(asyncio.create_task(comes_in(f"Hi {number}", f"m{number}")) for number in range(3))
    )
    requests = {f"discord:11/m{number}" for number in range(3)}
    told = lines(stderr)
    for what in ("writing", "speaking"):
        assert {line.get("request") for line in told if line["message"] == what} == requests
    [broken] = [line for line in told if "a broken head" in line.get("exception", "")]
    assert broken["request"] in requests


async def test_where_an_adapter_names_none_the_message_does(
    make_world: MakeWorld, stderr: Stderr
) -> None:
    start(log_format="json", log_to="stderr")
    world = await settled(make_world("text"))
    world.answers = lambda text: (logging.getLogger("deep").info("writing"), "Hello.")[1]
    await world.say("Hi", id="m77")
    [line] = [line for line in lines(stderr) if line["message"] == "writing"]
    assert line["request"] == f"{HERE.channel}/m77"


async def settled(world: World) -> World:
    persona = await world.make()
    await world.chat.rooms.settle(HERE, ANA, persona)
    return world


def test_a_folder_that_cannot_be_written_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stderr: Stderr
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(logs.platformdirs, "user_log_path", lambda _: tmp_path / "file" / "log")
    start(log_to="both")
    logging.getLogger("x").info("one")
    assert "one" in stderr.getvalue()


def test_a_file_that_cannot_be_written_is_told_once(stderr: Stderr) -> None:
    start()
    file = logs.log_file()
    assert file is not None
    file.mkdir()
    for number in range(3):
        logging.getLogger("x").info("line %d", number)
    assert stderr.getvalue() == f"The log cannot be written: {file} (Is a directory).\n"
    assert logs.log_file() is None


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_only_the_owner_can_read_the_log() -> None:
    start()
    file = logs.log_file()
    assert file is not None and file.parent.stat().st_mode & 0o777 == 0o700
