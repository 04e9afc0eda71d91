"""What a model made of a prompt is kept: found by its messages, used only whole, never too much."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from engine.llm.base import Message
from engine.llm.prompt_states import PromptStates

PERSONA = [Message("system", "You are Bo."), Message("user", "Hi"), Message("assistant", "Ahoy.")]
TALK = [*PERSONA, Message("user", "Who are you?")]


def opened(folder: Path, limit: int = 1000, identity: str = "model 1") -> PromptStates:
    states = PromptStates(folder / "prompts", limit, identity)
    assert states.open()
    return states


def put(
    states: PromptStates,
    messages: list[Message],
    content: bytes,
    conversation: str | None = None,
) -> None:
    name = states.new()
    assert name is not None
    (states.folder / name).write_bytes(content)
    states.keep(name, messages, conversation)


def files(states: PromptStates) -> list[bytes]:
    kept = (path for path in states.folder.iterdir() if path.suffix != ".owner")
    return sorted(path.read_bytes() for path in kept)


def test_the_longest_beginning_is_found(tmp_path: Path) -> None:
    states = opened(tmp_path)
    assert states.find(TALK) == (0, "")
    put(states, PERSONA[:1], b"one")
    put(states, PERSONA, b"three")
    count, name = opened(tmp_path).find(TALK)
    assert (count, (states.folder / name).read_bytes()) == (3, b"three")
    assert states.check(name)
    assert states.find([Message("system", "You are Bo"), *PERSONA[1:]]) == (0, "")


def test_another_model_finds_nothing(tmp_path: Path) -> None:
    put(opened(tmp_path), PERSONA, b"three")
    assert opened(tmp_path, identity="model 2").find(TALK) == (0, "")


@pytest.mark.parametrize("damage", [b"", b"thr", b"thrEe", b"three and more"])
def test_a_damaged_file_is_not_used_but_removed(tmp_path: Path, damage: bytes) -> None:
    states = opened(tmp_path)
    put(states, PERSONA, b"three")
    _, name = states.find(TALK)
    (states.folder / name).write_bytes(damage)
    assert not states.check(name)
    assert states.find(TALK) == (0, "")
    assert not states.check(name), "it is gone"


def test_what_was_not_finished_does_not_count(tmp_path: Path) -> None:
    states = opened(tmp_path)
    name = states.new()
    assert name is not None
    (states.folder / name).write_bytes(b"half")
    assert opened(tmp_path).find(TALK) == (0, "")
    assert files(states) == [b"half"], "who writes it lives"
    states.close()
    assert files(states) == []


def test_the_least_recently_used_go_first(tmp_path: Path) -> None:
    states = opened(tmp_path, limit=25)
    for age, text in enumerate("abc"):
        put(states, [Message("system", text)], text.encode() * 8)
        _, name = states.find([Message("system", text)])
        os.utime(states.folder / name, (100 + age, 100 + age))
    _, first = states.find([Message("system", "a")])
    assert states.check(first), "used just now"
    put(states, [Message("system", "d")], b"d" * 8)
    assert files(states) == [b"a" * 8, b"c" * 8, b"d" * 8]
    put(states, [Message("system", "e")], b"e" * 26)
    assert files(states) == []


def test_a_conversation_is_put_aside_for_this_program_only(tmp_path: Path) -> None:
    states = opened(tmp_path)
    put(states, PERSONA, b"more than that", "talk")
    assert states.find(TALK)[0] == 3
    assert states.find(TALK, exact=True) == (0, "")
    put(states, PERSONA, b"three")
    _, name = states.find(TALK, exact=True)
    assert (states.folder / name).read_bytes() == b"three"
    opened(tmp_path)
    assert len(files(states)) == 2, "another program leaves it alone"
    states.close()
    assert files(states) == [b"three"]


def test_a_conversation_is_forgotten_whoever_put_it_aside(tmp_path: Path) -> None:
    states, others = opened(tmp_path), opened(tmp_path)
    put(states, PERSONA, b"three")
    put(states, TALK, b"talk", "talk")
    put(others, TALK[:2], b"the same talk", "talk")
    put(others, PERSONA, b"another", "another")
    states.forget("talk")
    assert files(states) == [b"another", b"three"]


def test_what_a_killed_program_left_is_swept_at_once(tmp_path: Path) -> None:
    program = """
        import os, signal, sys
        from pathlib import Path
        from tests.engine.llm.test_prompt_states import PERSONA, TALK, opened, put

        states = opened(Path(sys.argv[1]))
        put(states, PERSONA, b"three")
        put(states, TALK, b"talk", "talk")
        (states.folder / states.new()).write_bytes(b"half")
        os.kill(os.getpid(), signal.SIGKILL)
    """
    killed = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=60,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    (left,) = tmp_path.glob("prompts/*.passing")
    (tmp_path / "prompts" / "left-by-an-older-version.passing").write_bytes(b"talk")
    states = opened(tmp_path)
    assert not left.exists()
    assert files(states) == [b"three"]
    assert len(list(states.folder.glob("*.owner"))) == 1


def test_others_cannot_read_it(tmp_path: Path) -> None:
    states = opened(tmp_path)
    put(states, PERSONA, b"three")
    _, name = states.find(PERSONA)
    assert states.folder.stat().st_mode & 0o077 == 0
    assert (states.folder / name).stat().st_mode & 0o077 == 0


def test_a_full_disk_or_no_folder_costs_only_the_states(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "prompts").write_text("a file is in the way")
    assert not PromptStates(tmp_path / "prompts", 1000, "m").open()
    assert not PromptStates(tmp_path / "other", 0, "m").open()
    states = opened(tmp_path / "roomy")
    states.keep("never-written.unfinished", PERSONA)
    monkeypatch.setattr("shutil.disk_usage", lambda _: Full())
    assert states.new() is None
    assert states.find(PERSONA) == (0, "")


class Full:
    free = 5 << 20
