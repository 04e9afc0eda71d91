"""llama.cpp's package finds OpenMP's runtime, also where the system has none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from engine.llm.openmp import load_renamed, provide_openmp

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux needs it")

_ALONE = """
import ctypes
from engine.llm.openmp import bundled, load_renamed

assert load_renamed(bundled()[0])
ctypes.CDLL("libgomp.so.1").omp_get_max_threads()
import xllamacpp

maps = [line for line in open("/proc/self/maps") if "gomp" in line]
assert maps and all("memfd" in line for line in maps), maps
print("fine")
"""


def test_it_is_there() -> None:
    assert provide_openmp()


def test_a_copy_from_a_package_stands_in_for_the_system_s() -> None:
    done = subprocess.run([sys.executable, "-c", _ALONE], capture_output=True, text=True)
    assert done.stdout.strip() == "fine", done.stderr


def test_a_file_that_is_no_library_does_no_harm(tmp_path: Path) -> None:
    other = tmp_path / "libgomp-00000000.so.1.0.0"
    other.write_bytes(b"not a library")
    assert not load_renamed(other)
