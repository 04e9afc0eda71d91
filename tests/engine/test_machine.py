"""What the machine tells about this process."""

from __future__ import annotations

import sys

import pytest
import torch

from engine import machine
from engine.machine import is_out_of_memory, multiplies_bfloat16, peak_memory_mb


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


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("Tried to allocate 2.00 GiB"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate(handle)"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: not enough memory"),
    ],
    ids=["Python", "PyTorch", "driver", "library", "host", "host, Windows"],
)
def test_memory_that_is_full_is_told_in_many_ways(error: Exception) -> None:
    assert is_out_of_memory(error)


@pytest.mark.parametrize("error", [RuntimeError("shapes do not fit"), ValueError("out of memory")])
def test_other_errors_are_something_else(error: Exception) -> None:
    assert not is_out_of_memory(error)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"avx512_bf16": True, "amx_bf16": False}, True),
        ({"avx512_bf16": False, "amx_bf16": True}, True),
        ({"avx512_bf16": False, "avx512_f": True}, False),
        ({"architecture": "arm64"}, False),
    ],
)
def test_what_a_processor_multiplies_is_what_pytorch_tells(
    told: dict[str, object], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: told, raising=False)
    assert multiplies_bfloat16() is expected


def test_a_pytorch_that_does_not_tell_leaves_it_at_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert not multiplies_bfloat16()
