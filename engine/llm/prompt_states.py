"""PromptStates: what a local model made of prompts it has read, kept on disk."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from engine.llm.base import Message

_KEPT = ".state"
_PASSING = ".passing"
_UNFINISHED = ".unfinished"
_KEY = 40
_ELBOW_ROOM = 1 << 30
"""Bytes that are left free on the disk."""
_STALE = 24 * 3600.0
"""Seconds after which what a killed program left behind is swept."""


class PromptStates:
    """A folder of attention states, each named by what was read and by its own hash.

    A state is only ever used for exactly the model, the settings and the messages that it was
    made of, and only if its bytes are what they were when it was written; so a crash, a full
    disk or another program in the same folder costs time and never an answer. The least recently
    used go when the folder grows too large. Methods block; call them in a thread.

    Args:
        folder: where they are; made when it is needed, readable by its owner only.
        limit_bytes: of all files together.
        identity: the model and all that shapes its states.
    """

    def __init__(self, folder: Path, limit_bytes: int, identity: str) -> None:
        self._folder = folder
        self._limit = limit_bytes
        self._identity = identity
        self._lock = threading.Lock()
        self._passing: set[str] = set()

    @property
    def folder(self) -> Path:
        """Where the runtime writes and reads."""
        return self._folder

    def open(self) -> bool:
        """Makes the folder and sweeps it; False where states cannot be kept."""
        if self._limit <= 0:
            return False
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._lock:
                self._sweep()
            return os.access(self._folder, os.W_OK | os.X_OK)
        except OSError:
            return False

    def find(self, messages: Sequence[Message], *, exact: bool = False) -> tuple[int, str]:
        """The state that covers most of the beginning of `messages`: how many, and its file.

        `(0, "")` where there is none. With `exact`, only one that holds these messages and
        nothing else, read alone.
        """
        with self._lock:
            here = {name[:_KEY]: name for name in self._names((_PASSING,) if not exact else ())}
            here |= {name[:_KEY]: name for name in self._names((_KEPT,))}
            found = (0, "")
            for count, key in enumerate(self._keys(messages), start=1):
                if key in here:
                    found = (count, here[key])
            return found

    def check(self, name: str) -> bool:
        """Whether a file is as it was written, and marks it as used; if not, it is removed."""
        path = self._folder / name
        try:
            if _digest(path) == path.stem[_KEY + 1 :]:
                os.utime(path)
                return True
        except OSError:
            pass
        self.drop(name)
        return False

    def drop(self, name: str) -> None:
        """Removes a file; it was of no use."""
        with contextlib.suppress(OSError):
            (self._folder / name).unlink()

    def new(self) -> str | None:
        """A name under which the runtime may write a state; None where there is no room."""
        try:
            if shutil.disk_usage(self._folder).free < _ELBOW_ROOM:
                return None
        except OSError:
            return None
        return f"{secrets.token_hex(8)}{_UNFINISHED}"

    def keep(self, name: str, messages: Sequence[Message], *, passing: bool = False) -> None:
        """Takes in what was written under `name` as the state after `messages`.

        Args:
            name: from `new`.
            messages: what was read.
            passing: it holds more than `messages`, a conversation that goes on, and is removed
                by `close`.
        """
        path = self._folder / name
        try:
            key = list(self._keys(messages))[-1]
            kept = f"{key}-{_digest(path)}{_PASSING if passing else _KEPT}"
            path.chmod(0o600)
            path.replace(self._folder / kept)
            with self._lock:
                if passing:
                    self._passing.add(kept)
                self._trim(kept)
        except (OSError, IndexError):
            self.drop(name)

    def close(self) -> None:
        """Removes what was only of use to this program."""
        with self._lock:
            for name in self._passing:
                self.drop(name)
            self._passing.clear()

    def _keys(self, messages: Sequence[Message]) -> Iterator[str]:
        """A key for each beginning of the messages, shortest first."""
        told = hashlib.sha256(self._identity.encode())
        for message in messages:
            told.update(json.dumps([message.role, message.content]).encode())
            yield told.hexdigest()[:_KEY]

    def _names(self, endings: tuple[str, ...]) -> list[str]:
        try:
            return [path.name for path in self._folder.iterdir() if path.name.endswith(endings)]
        except OSError:
            return []

    def _trim(self, newest: str) -> None:
        """Removes the least recently used until all fit; the newest goes last."""
        sizes: list[tuple[float, int, str]] = []
        for name in self._names((_KEPT, _PASSING)):
            with contextlib.suppress(OSError):
                facts = (self._folder / name).stat()
                used = float("inf") if name == newest else facts.st_mtime
                sizes.append((used, facts.st_size, name))
        total = sum(size for _, size, _ in sizes)
        for _, size, name in sorted(sizes):
            if total <= self._limit:
                break
            self.drop(name)
            total -= size

    def _sweep(self) -> None:
        newest = max((self._folder.stat().st_mtime, 0.0))
        for name in self._names((_PASSING, _UNFINISHED)):
            with contextlib.suppress(OSError):
                if newest - (self._folder / name).stat().st_mtime > _STALE:
                    self.drop(name)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]
