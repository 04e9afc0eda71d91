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

from filelock import FileLock

from engine.llm.base import Message

_KEPT = ".state"
_PASSING = ".passing"
_UNFINISHED = ".unfinished"
_OWNER = ".owner"
_KEY = 40
_LOCKING = 5.0
"""Seconds; somebody who sweeps may hold a lock file that is just being made."""
_ELBOW_ROOM = 1 << 30
"""Bytes that are left free on the disk."""


class PromptStates:
    """A folder of attention states, each named by what was read and by its own hash.

    A state is only ever used for exactly the model, the settings and the messages that it was
    made of, and only if its bytes are what they were when it was written; so a crash, a full
    disk or another program in the same folder costs time and never an answer. The least recently
    used go when the folder grows too large. What people said is kept no longer than the program
    lives: while it does, it holds the lock on a file with its name, and whoever opens the folder
    removes what belongs to others that are gone. Methods block; call them in a thread.

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
        self._owner = secrets.token_hex(8)
        self._alive = self._life(self._owner)

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
                self._alive.acquire(timeout=_LOCKING)
                self._sweep()
            return os.access(self._folder, os.W_OK | os.X_OK)
        except (OSError, NotImplementedError):  # the latter of a file system without locks
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
            if _digest(path) == path.stem.split("-")[1]:
                os.utime(path)
                return True
        except (OSError, IndexError):
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
        return f"{secrets.token_hex(8)}-{self._owner}{_UNFINISHED}"

    def keep(self, name: str, messages: Sequence[Message], conversation: str | None = None) -> None:
        """Takes in what was written under `name` as the state after `messages`.

        Args:
            name: from `new`.
            messages: what was read.
            conversation: the id of one that goes on after `messages`; such a state holds more
                than they, and is removed by `forget` or `close`. None: it holds nothing else.
        """
        path = self._folder / name
        try:
            key = list(self._keys(messages))[-1]
            kept = f"{key}-{_digest(path)}"
            if conversation is None:
                kept += _KEPT
            else:
                kept += f"-{_mark(conversation)}-{self._owner}{_PASSING}"
            path.chmod(0o600)
            path.replace(self._folder / kept)
            with self._lock:
                self._trim(kept)
        except (OSError, IndexError):
            self.drop(name)

    def forget(self, conversation: str) -> None:
        """Removes what is kept of a conversation, whichever program put it there."""
        with self._lock:
            for name in self._names((_PASSING,)):
                if f"-{_mark(conversation)}-" in name:
                    self.drop(name)

    def close(self) -> None:
        """Removes what was only of use to this program."""
        with self._lock:
            self._drop_of(self._owner)
            self._alive.release()
            self.drop(f"{self._owner}{_OWNER}")

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
        """Removes what belongs to programs that are gone, however they ended."""
        owned = self._names((_PASSING, _UNFINISHED, _OWNER))
        for owner in {_owner_of(name) for name in owned} - {self._owner}:
            with contextlib.suppress(OSError):  # a lock that is held, for one: it lives
                with self._life(owner).acquire(timeout=0):
                    self._drop_of(owner)
                self.drop(f"{owner}{_OWNER}")

    def _drop_of(self, owner: str) -> None:
        for name in self._names((_PASSING, _UNFINISHED)):
            if _owner_of(name) == owner:
                self.drop(name)

    def _life(self, owner: str) -> FileLock:
        """The lock that a program holds; the operating system frees it when the program ends."""
        return FileLock(self._folder / f"{owner}{_OWNER}", thread_local=False)


def _owner_of(name: str) -> str:
    return Path(name).stem.rpartition("-")[2]


def _mark(conversation: str) -> str:
    return hashlib.sha256(conversation.encode()).hexdigest()[:16]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]
