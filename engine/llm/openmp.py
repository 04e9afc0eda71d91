"""OpenMP's runtime, which llama.cpp's package expects of the system and slim systems lack."""

from __future__ import annotations

import ctypes
import logging
import os
import re
import sys
from importlib import metadata
from pathlib import Path

log = logging.getLogger(__name__)

_NAME = b"libgomp.so.1"
_BUNDLED = re.compile(rb"libgomp-[0-9a-f]{8}\.so\.1\.0\.0")
_CARRIERS = ("pykdtree", "ctranslate2", "scikit-learn")
"""Packages that bring a copy along, under a name of their own; we depend on the first."""


def provide_openmp() -> bool:
    """Makes `libgomp.so.1` known to this process; whether it is now.

    Where the system has none, a copy that came with a package is loaded under that name. Other
    systems than Linux do not need it.
    """
    if sys.platform != "linux":
        return True
    try:
        ctypes.CDLL(_NAME.decode())
    except OSError:
        return any(load_renamed(path) for path in bundled())
    return True


def bundled() -> list[Path]:
    """The copies that came with packages."""
    found = []
    for carrier in _CARRIERS:
        try:
            files = metadata.files(carrier) or ()
        except metadata.PackageNotFoundError:
            continue
        found += [
            Path(str(file.locate())) for file in files if _BUNDLED.fullmatch(file.name.encode())
        ]
    return [path for path in found if path.is_file()]


def load_renamed(path: Path) -> bool:
    """Loads a copy of the library under the name that everybody asks for; whether that worked.

    What loads a library by name is content with one that bears that name already. The name is
    part of the file, so it is changed in a copy, which lives in memory only.
    """
    data = path.read_bytes()
    copy = _BUNDLED.sub(lambda match: _NAME.ljust(len(match[0]), b"\0"), data)
    try:
        file = os.memfd_create("libgomp")
        try:
            os.write(file, copy)
            ctypes.CDLL(f"/proc/self/fd/{file}", mode=ctypes.RTLD_GLOBAL)
        finally:
            os.close(file)
    except OSError as error:
        log.warning("%s cannot be loaded: %s", path, error)
        return False
    return True
