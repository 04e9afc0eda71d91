"""The same speech asked twice is made once: kept in memory and, if wanted, in a folder."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import asdict
from pathlib import Path

import numpy as np

from engine.observing import NOBODY, Observer
from engine.speech.base import (
    Cue,
    Speech,
    SpeechCapabilities,
    SpeechSynthesizer,
    TimedPhoneme,
    TimedWord,
)
from engine.speech.wav import pcm16
from personas.persona import Voice

log = logging.getLogger(__name__)

_MAGIC = b"speech1\n"
_SUFFIX = ".speech"


class SpeechCache:
    """Speeches by key, the ones used least lately given up first. Safe from several threads.

    A folder may be shared by processes: files appear whole, and one that cannot be read counts
    as missing.

    Args:
        memory_bytes: what the speeches in memory may take; 0 keeps none.
        folder: where they are kept beyond the process; None: nowhere.
        folder_bytes: what the files there may take.
        observer: told what was found.
    """

    def __init__(
        self,
        memory_bytes: int,
        folder: Path | None = None,
        folder_bytes: int = 0,
        *,
        observer: Observer = NOBODY,
    ) -> None:
        self._observer = observer
        self._most = memory_bytes
        self._files = _Files(folder, folder_bytes) if folder and folder_bytes else None
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Speech] = OrderedDict()
        self._bytes = 0
        self._making: dict[str, Future[Speech]] = {}

    def once(self, key: str, make: Callable[[], Speech]) -> Speech:
        """The speech of a key, made by `make` where it is not here.

        Who asks for what is being made waits for it, and gets the same speech or the same error.
        """
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None:
                self._kept.move_to_end(key)
                self._observer.looked_up("speech", True)
                return kept
            waiting = self._making.get(key)
            if waiting is None:
                future: Future[Speech] = Future()
                self._making[key] = future
        if waiting is not None:
            self._observer.looked_up("speech", True)
            return waiting.result()
        try:
            found = self._found(key)
            self._observer.looked_up("speech", found is not None)
            speech = found or self._made(key, make)
        except BaseException as error:
            self._done(key)
            future.set_exception(error)
            raise
        self._keep(key, speech)
        self._done(key)
        future.set_result(speech)
        return speech

    def _found(self, key: str) -> Speech | None:
        return self._files.read(key) if self._files else None

    def _made(self, key: str, make: Callable[[], Speech]) -> Speech:
        speech = make()
        # Many share it from now on.
        speech.samples.setflags(write=False)
        if self._files:
            self._files.write(key, speech)
        return speech

    def _keep(self, key: str, speech: Speech) -> None:
        size = _size(speech)
        if size > self._most:
            return
        with self._lock:
            if key not in self._kept:
                self._kept[key] = speech
                self._bytes += size
            while self._bytes > self._most:
                _, oldest = self._kept.popitem(last=False)
                self._bytes -= _size(oldest)

    def _done(self, key: str) -> None:
        with self._lock:
            self._making.pop(key, None)


class CachedSynthesizer:
    """An engine that remembers what it said.

    Args:
        inner: the engine.
        cache: where speeches are kept.
        identity: all that changes its sound besides text and voice: version, settings, and what
            a voice's preset means to it.
    """

    def __init__(
        self, inner: SpeechSynthesizer, cache: SpeechCache, identity: Callable[[Voice], str]
    ) -> None:
        self._inner = inner
        self._cache = cache
        self._identity = identity

    @property
    def name(self) -> str:
        """The engine, as `Voice.engine` names it."""
        return self._inner.name

    @property
    def capabilities(self) -> SpeechCapabilities:
        """What it can do."""
        return self._inner.capabilities

    def warm_up(self) -> None:
        """Does now what the first speech would wait for.

        Raises:
            UnavailableError: the engine cannot run here.
        """
        self._inner.warm_up()

    def synthesize(self, text: str, voice: Voice) -> Speech:
        """Says `text` in `voice`, or gives what was said before. The samples are read-only.

        Raises:
            InvalidInputError: there is nothing in the text that can be spoken.
            UnavailableError: the engine cannot run here or does not answer.
        """
        told = json.dumps([self.name, self._identity(voice), voice.model_dump(), text])
        key = hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()
        return self._cache.once(key, lambda: self._inner.synthesize(text, voice))


def speech_to_bytes(speech: Speech) -> bytes:
    """A speech as a file: a line of JSON, then 16-bit samples."""
    told = asdict(speech)
    del told["samples"]
    samples = pcm16(speech.samples)
    told["sha256"] = hashlib.sha256(samples).hexdigest()
    return _MAGIC + json.dumps(told, separators=(",", ":")).encode() + b"\n" + samples


def speech_from_bytes(data: bytes) -> Speech:
    """What `speech_to_bytes` wrote.

    Raises:
        ValueError: it is something else, or not whole.
    """
    if not data.startswith(_MAGIC):
        raise ValueError("no speech")
    head, _, samples = data[len(_MAGIC) :].partition(b"\n")
    try:
        told = json.loads(head)
        if hashlib.sha256(samples).hexdigest() != told["sha256"]:
            raise ValueError("not whole")
        sounds = np.frombuffer(samples, "<i2").astype(np.float32) / np.float32(32767.0)
        sounds.setflags(write=False)
        return Speech(
            samples=sounds,
            sample_rate=int(told["sample_rate"]),
            phonemes=tuple(TimedPhoneme(**phoneme) for phoneme in told["phonemes"]),
            words=tuple(TimedWord(**word) for word in told["words"]),
            text=str(told["text"]),
            cues=tuple(Cue(**cue) for cue in told["cues"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError("no speech") from error


class _Files:
    """A folder of speeches that stays within its bytes; a disk that fails costs only the cache."""

    def __init__(self, folder: Path, most: int) -> None:
        self._folder = folder.expanduser()
        self._most = most

    def read(self, key: str) -> Speech | None:
        path = self._path(key)
        try:
            speech = speech_from_bytes(path.read_bytes())
            os.utime(path)  # used lately
            return speech
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            log.info("A kept speech cannot be read: %s (%s)", path, error)
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
            return None

    def write(self, key: str, speech: Speech) -> None:
        data = speech_to_bytes(speech)
        if len(data) > self._most:
            return
        path = self._path(key)
        unfinished = path.with_name(f"{path.name}.{uuid.uuid4().hex}.unfinished")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_bytes(data)
            unfinished.replace(path)
            self._make_room()
        except OSError as error:
            log.warning("Speeches cannot be kept in %s: %s", self._folder, error)
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)

    def _make_room(self) -> None:
        files = []
        for path in self._folder.glob("*/*"):
            with contextlib.suppress(OSError):  # another process may be faster
                status = path.stat()
                files.append((status.st_mtime, status.st_size, path))
        total = sum(size for _, size, _ in files)
        for _, size, path in sorted(files):
            if total <= self._most:
                return
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
            total -= size

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}{_SUFFIX}"


def _size(speech: Speech) -> int:
    """Bytes in memory, as good as they can be told."""
    return speech.samples.nbytes + 200 * (len(speech.phonemes) + len(speech.words)) + 1_000
