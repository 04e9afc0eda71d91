"""What a fetched model consists of; written last, so that its presence means the model is whole."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import ValidationError

from engine.models.catalogue import ModelEntry
from personas.persona import Frozen

NAME = ".manifest.json"


class KeptFile(Frozen):
    """A file in a model's folder."""

    path: str
    size: int
    sha256: str


class Manifest(Frozen):
    """All files of a model, and which state of the catalogue they stand for."""

    fingerprint: str
    files: tuple[KeptFile, ...]

    @classmethod
    def read(cls, folder: Path) -> Manifest | None:
        """The manifest in a model's folder; None where there is no readable one."""
        try:
            return cls.model_validate_json((folder / NAME).read_bytes())
        except (OSError, ValidationError):
            return None

    def write(self, folder: Path) -> None:
        """Put the manifest into a model's folder, all at once."""
        fresh = folder / f"{NAME}.new"
        with fresh.open("w", encoding="utf-8") as file:
            file.write(self.model_dump_json())
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(folder / NAME)

    def fits(self, entry: ModelEntry, folder: Path) -> bool:
        """Whether this is the entry as the catalogue has it now, and every file has its size."""
        return self.fingerprint == entry.fingerprint and all(
            _size(f"{folder}{os.sep}{file.path}") == file.size for file in self.files
        )


def _size(path: str) -> int:
    # thousands of files in a set of pictures: os.stat is several times as fast as Path.stat
    try:
        return os.stat(path).st_size  # noqa: PTH116
    except OSError:
        return -1
