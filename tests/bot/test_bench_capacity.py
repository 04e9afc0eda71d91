"""bench capacity: what an operator puts in, and what comes out."""

from __future__ import annotations

from tests.bot.conftest import Terminal


def test_own_assumptions_count(terminal: Terminal) -> None:
    few = ("bench", "capacity", "--communities", "1000", "--messages", "500")
    usual = terminal.data(*few)
    slow = terminal.data(*few, "--assume", "gpu_fps=2.17")
    assert slow["sizes"][0]["gpus"] > 5 * usual["sizes"][0]["gpus"]
    assert slow["full"][0]["resource"] == "GPUs of workers"
    own = [row for row in slow["assumptions"] if row["source"] == "your own"]
    assert [(row["name"], row["value"]) for row in own] == [("gpu_fps", 2.17)]


def test_the_table_names_the_first_bottleneck(terminal: Terminal) -> None:
    result = terminal("bench", "capacity", "--communities", "10", "--messages", "500")
    assert result.exit_code == 0
    assert "full first" in result.stdout
    assert "GPUs of workers" in result.stdout


def test_a_wrong_assumption_is_named(terminal: Terminal) -> None:
    for wrong in ("gpus=3", "gpu_fps=fast", "gpu_fps=-1", "gpu_fps"):
        result = terminal("bench", "capacity", "--assume", wrong)
        assert result.exit_code == 4
        assert "gpu" in result.stderr
