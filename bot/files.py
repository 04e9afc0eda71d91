"""Files that a person names on the command line."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from personas.errors import InvalidInputError


def read_file(path: Path, limit: int) -> bytes:
    """The bytes of a file a person named.

    Raises:
        InvalidInputError: it is not there, cannot be read, or is too large.
    """
    try:
        if path.stat().st_size > limit:
            raise InvalidInputError(
                f"{path} is too large: at most {limit // 1_000_000} MB can be used."
            )
        return path.read_bytes()
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be read: {error.strerror}.") from error


def write_file(path: Path, data: bytes, *, force: bool) -> None:
    """Writes a file whole or not at all.

    Raises:
        InvalidInputError: it is there already and `force` is not set, or cannot be written.
    """
    if path.exists() and not force:
        raise InvalidInputError(f"{path} is there already; --force replaces it.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            umask = os.umask(0)
            os.umask(umask)
            Path(name).chmod(0o666 & ~umask)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be written: {error.strerror}.") from error


def check_writable(path: Path, *, force: bool) -> None:
    """Refuses early what `write_file` would refuse after minutes of work.

    Raises:
        InvalidInputError: the file is there already, or its folder cannot be written.
    """
    if path.is_dir():
        raise InvalidInputError(f"{path} is a folder.")
    if path.exists() and not force:
        raise InvalidInputError(f"{path} is there already; --force replaces it.")
    folder = next((parent for parent in path.absolute().parents if parent.exists()), Path())
    if not os.access(folder, os.W_OK):
        raise InvalidInputError(f"{path} cannot be written: {folder} is not writable.")
