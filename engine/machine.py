"""What this machine has left, container limits included, and what this process has taken of it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

MAX_THREADS = 4
"""More threads than this hardly make a small model faster: memory is the limit."""

_FULL = ("out of memory", "not enough memory", "can't allocate memory", "alloc_failed")
"""How PyTorch, drivers and the libraries below them say that memory is full."""

_CGROUP = Path("/sys/fs/cgroup")
_CPUS = Path("/sys/devices/system/cpu")


def available_memory() -> int:
    """Bytes that can be taken without swapping; within the container's limit, if there is one."""
    found = [_machine_memory()]
    limit = _number(_CGROUP / "memory.max") or _number(_CGROUP / "memory/memory.limit_in_bytes")
    used = _number(_CGROUP / "memory.current") or _number(_CGROUP / "memory/memory.usage_in_bytes")
    if limit is not None:
        found.append(max(0, limit - (used or 0)))
    return min(found)


def usable_cores() -> int:
    """Cores that this process may use: at least 1, at most `MAX_THREADS`."""
    return max(1, min(MAX_THREADS, _physical_cores(), _quota()))


def peak_memory_mb() -> float | None:
    """Resident memory of this process at its most, in MiB; None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Kilobytes everywhere but on macOS, where they are bytes.
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def multiplies_bfloat16() -> bool:
    """Whether this processor does so itself, so that networks run twice as fast as in float32.

    Others can only widen each number first, which is slower than float32 from the start. Needs
    PyTorch.
    """
    import torch

    # Older releases do not tell.
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16"))


def is_gpu(device: str) -> bool:
    """Whether work on a device, as capabilities name it, keeps a GPU busy.

    A CPU is none, and what is done elsewhere has no device.
    """
    return device not in ("", "cpu")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether it says that memory is full: the machine's or a device's."""
    if isinstance(error, MemoryError):
        return True
    if not isinstance(error, RuntimeError):
        return False
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(error, torch.OutOfMemoryError):
        return True
    said = str(error).lower()
    return any(full in said for full in _FULL)


def _machine_memory() -> int:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    if sys.platform == "win32":
        return _windows_memory()
    try:
        # No word of what is free here: count on half of what there is.
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (ValueError, OSError, AttributeError):
        return 4 << 30


def _windows_memory() -> int:
    import ctypes

    class Status(ctypes.Structure):
        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            *((name, ctypes.c_ulonglong) for name in ("total", "free", "a", "b", "c", "d", "e")),
        )

    status = Status()
    status.length = ctypes.sizeof(Status)
    ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))  # type: ignore[attr-defined]
    return int(status.free)


def _physical_cores() -> int:
    try:
        usable = os.sched_getaffinity(0)
    except AttributeError:
        return max(1, (os.cpu_count() or 2) // 2)
    cores = set()
    for cpu in usable:
        siblings = _CPUS / f"cpu{cpu}" / "topology" / "thread_siblings_list"
        try:
            cores.add(siblings.read_text().strip())
        except OSError:
            cores.add(str(cpu))
    return max(1, len(cores))


def _quota() -> int:
    """Cores that the container may use at once."""
    try:
        quota, period = (_CGROUP / "cpu.max").read_text().split()
        return max(1, round(int(quota) / int(period)))
    except (OSError, ValueError):
        return MAX_THREADS


def _number(path: Path) -> int | None:
    """What a control file says; None where there is no file or no limit."""
    try:
        value = int(path.read_text())
    except (OSError, ValueError):
        return None
    return value if value < 1 << 60 else None
