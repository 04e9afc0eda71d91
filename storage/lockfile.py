"""LockFile: how one process knows at once that another one of the same machine has ended."""

from __future__ import annotations

import time
import uuid
from pathlib import Path

from filelock import FileLock, Timeout

_ORPHAN_SECONDS = 3600.0


class LockFile:
    """One opened storage, alive as long as it holds the lock on its file.

    The operating system frees the lock when the process ends, however it ends, so no process id
    can be mistaken for another and nobody has to wait for a heartbeat that does not come.

    Attributes:
        id: of the owner.
        place: the name of the folder; only those who share it can judge each other by it.
    """

    def __init__(self, folder: Path, id: str) -> None:
        """Makes and locks the file; blocks shortly.

        Args:
            folder: of the lock files, shared by the processes that use the same data.
            id: of the owner.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.id = id
        self.place = _place(folder)
        self._lock = _lock(folder, self.id)
        self._lock.acquire(timeout=0)

    def is_dead(self, other: str) -> bool:
        """Whether the owner with the id `other`, of the same place, is known to have ended."""
        if other == self.id:
            return False
        if not _file(self._folder, other).exists():
            return True
        lock = _lock(self._folder, other)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return False
        lock.release()
        return True

    def bury(self, other: str) -> None:
        """Removes what a dead owner left of itself."""
        _file(self._folder, other).unlink(missing_ok=True)

    def bury_unknown(self, known: set[str]) -> None:
        """Removes old lock files of owners that died before they were written down."""
        for file in self._folder.glob("*.lock"):
            try:
                is_old = time.time() - file.stat().st_mtime > _ORPHAN_SECONDS
            except FileNotFoundError:
                continue
            if file.stem not in known and is_old and self.is_dead(file.stem):
                file.unlink(missing_ok=True)

    def release(self) -> None:
        """Ends this owner. Safe to call twice."""
        self._lock.release()
        _file(self._folder, self.id).unlink(missing_ok=True)


def _place(folder: Path) -> str:
    """The name of the folder, the same for all who see it: only they can judge each other."""
    file = folder / "place"
    with FileLock(folder / "place.guard", timeout=30):
        name = file.read_text() if file.exists() else ""
        if len(name) != 32:  # missing, or cut off by a crash
            name = uuid.uuid4().hex
            file.write_text(name)
    return name


def _file(folder: Path, owner: str) -> Path:
    return folder / f"{owner}.lock"


def _lock(folder: Path, owner: str) -> FileLock:
    return FileLock(_file(folder, owner), thread_local=False)
