"""llama.cpp inside this process: its own server on a loopback port, behind a key of the moment."""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import json
import os
import platform
import secrets
import threading
import urllib.request
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from engine.llm.gguf import GgufHeader, read_header
from engine.llm.openmp import provide_openmp
from engine.machine import available_memory, usable_cores
from personas.errors import UnavailableError

_QUIET = -1
_FORMAT = 1
"""Counts up when the states that are kept would no longer be the same."""
_FIRST_TOKEN = 300.0
"""Seconds; a large model is read from the disk meanwhile."""
_WAITING = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0"}
_importing = threading.Lock()


@dataclass(frozen=True)
class LlamaOptions:
    """How the model runs.

    Attributes:
        context_tokens: of one conversation; never more than the model was trained to read.
        threads: processor threads; 0: one for each core, within reason.
        parallel: answers written at the same time, each with a context of its own.
        states: an existing folder in which contexts are saved and found again, if any.
    """

    context_tokens: int = 4096
    threads: int = 0
    parallel: int = 2
    states: Path | None = None


class LlamaServer:
    """A running model. Made in a thread: reading the file takes seconds.

    The server answers on a port of the loopback interface that the system picks, and only to
    who knows the key, so other users of the machine cannot use it. It ends with `close`, with
    this object, and at the latest with the interpreter.

    Attributes:
        url: where it answers, without a path.
        key: what it wants to be shown.
        context_tokens: of one conversation.

    Raises:
        UnavailableError: the file is broken, the memory does not hold it, or the runtime is
            not installed.
    """

    def __init__(self, path: Path, options: LlamaOptions) -> None:
        header = read_header(path)
        self.context_tokens = min(
            options.context_tokens, header.context_length or options.context_tokens
        )
        _check_memory(path, header, self.context_tokens * options.parallel)
        self.key = secrets.token_urlsafe(24)
        self._lock = threading.Lock()
        self._server: Any = _start(path, options, self.context_tokens, self.key)
        self.url = str(self._server.listening_address)
        _wait_until_it_writes(self.url, self.key, path)
        # The native server joins its own threads when it is released; at the interpreter's end
        # that has to happen while Python still stands.
        _close_at_exit(self)

    def close(self) -> None:
        """Ends the server and its threads; waits until they are gone. Safe to call twice."""
        with self._lock:
            self._server = None

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.close()


def _start(path: Path, options: LlamaOptions, context_tokens: int, key: str) -> Any:
    try:
        with _importing, _threads_wait_asleep():
            provide_openmp()
            import xllamacpp
    except ImportError as error:
        raise UnavailableError(
            "The local language model needs the package xllamacpp, which cannot be loaded here. "
            "Install it, or configure an endpoint."
        ) from error

    threads = options.threads or usable_cores()
    params = xllamacpp.CommonParams()  # type: ignore[attr-defined]
    params.model.path = str(path)
    params.n_ctx = context_tokens * options.parallel
    params.n_parallel = options.parallel
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    params.n_threads_http = max(2, options.parallel + 1)
    # What was read before is kept by us: see `Slots` and `PromptStates`.
    params.cache_ram_mib = 0
    params.slot_save_path = f"{options.states}/" if options.states else ""
    params.api_keys = [key]
    params.verbosity = _QUIET
    params.ui = False
    params.endpoint_slots = False
    params.warmup = False
    # The memory was checked already; looking for a fit would load everything twice.
    params.fit_params = False
    # On x86 without AMX, weights that are laid out anew read prompts no faster, but they have to
    # be copied at each start and take their memory a second time.
    params.no_extra_bufts = platform.machine().lower() in ("x86_64", "amd64")
    params.offline = True
    try:
        return xllamacpp.Server(params)  # type: ignore[attr-defined]
    except (RuntimeError, ValueError, MemoryError) as error:
        raise UnavailableError(
            f"The language model {path.name} cannot be loaded: the file is broken, or of a kind "
            "that this version of llama.cpp does not know. Fetch it again, or choose another."
        ) from error


@contextlib.contextmanager
def _threads_wait_asleep() -> Iterator[None]:
    """Has threads that wait for each other sleep while the runtime is loaded in here.

    By default they spin, and a core that somebody else needs as well is lost to both: one token
    may take seconds. What a person has set is left alone.
    """
    ours = {} if _WAITING.keys() & os.environ.keys() else _WAITING
    os.environ.update(ours)
    try:
        yield
    finally:
        for name in ours:
            os.environ.pop(name, None)


def _wait_until_it_writes(url: str, key: str, path: Path) -> None:
    """Has the model write one token.

    A server that is released before its loop has begun waits for that loop for ever; once it has
    answered, it can be ended at any time.
    """
    request = urllib.request.Request(
        f"{url}/completion",
        json.dumps({"prompt": "a", "n_predict": 1, "cache_prompt": False}).encode(),
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(request, timeout=_FIRST_TOKEN) as answer:
            answer.read()
    except (OSError, ValueError) as error:
        raise UnavailableError(
            f"The language model {path.name} was loaded but does not write. Choose another one."
        ) from error


def _check_memory(path: Path, header: GgufHeader, tokens: int) -> None:
    needed, free = header.memory_needed(tokens), available_memory()
    if needed > free:
        raise UnavailableError(
            f"The language model {path.name} needs {needed / 2**30:.1f} GB of memory and "
            f"{free / 2**30:.1f} GB are free. Choose a smaller model or fewer context_tokens."
        )


def _close_at_exit(server: LlamaServer) -> None:
    reference = weakref.ref(server)

    def close() -> None:
        alive = reference()
        if alive is not None:
            alive.close()

    atexit.register(close)
    weakref.finalize(server, atexit.unregister, close)


def identity(path: Path) -> str:
    """What the inner states of a model depend on: its file, its runtime, this processor's kind.

    Raises:
        UnavailableError: there is no such file.
    """
    edge = 1 << 20
    told = hashlib.sha256()
    try:
        facts = path.stat()
        with path.open("rb") as file:
            told.update(file.read(edge))
            file.seek(max(0, facts.st_size - edge))
            told.update(file.read(edge))
    except OSError:
        raise UnavailableError(f"There is no model file called {path.name}.") from None
    runtime = "unknown"
    with contextlib.suppress(PackageNotFoundError):
        runtime = version("xllamacpp")
    marks = (facts.st_size, facts.st_mtime_ns, runtime, platform.machine(), _FORMAT)
    return f"{told.hexdigest()} {' '.join(map(str, marks))}"
