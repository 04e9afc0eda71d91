"""What the machine tells about this process."""

from __future__ import annotations

import sys

import pytest

from engine import machine
from engine.machine import peak_memory_mb


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell")
def test_peak_memory_is_in_mebibytes_and_never_falls() -> None:
    before = peak_memory_mb()
    assert before is not None
    # A Python process takes some megabytes at least.
    assert 4 < before < 1024 * 1024
    after = peak_memory_mb()
    assert after is not None
    assert after >= before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell")
def test_macs_count_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    class Usage:
        ru_maxrss = 300 * 1024 * 1024

    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(resource, "getrusage", lambda _: Usage)
    assert peak_memory_mb() == 300


def test_it_is_unknown_where_there_is_no_resource_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resource", None)
    assert peak_memory_mb() is None


def test_threads_fit_the_cores_and_the_quota(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 1 <= machine.usable_cores() <= machine.MAX_THREADS
    monkeypatch.setattr(machine, "_physical_cores", lambda: 64)
    monkeypatch.setattr(machine, "_quota", lambda: 3)
    assert machine.usable_cores() == 3
