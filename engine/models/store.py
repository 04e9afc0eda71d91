"""ModelStore: models in a folder, fetched when asked for, whole or not there at all."""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from engine.models.catalogue import Catalogue, ModelEntry
from engine.models.download import digest
from engine.models.fetch import ModelFetch, bytes_below, unfinished
from engine.models.manifest import NAME as MANIFEST
from engine.models.manifest import Manifest
from engine.models.progress import PullProgress, PullStage, Teller
from engine.models.settings import ModelStoreSettings
from engine.models.web import Patience, Web
from personas.errors import UnavailableError

if TYPE_CHECKING:
    import httpx2

__all__ = [
    "ModelState",
    "ModelStatus",
    "ModelStore",
    "PullProgress",
    "PullStage",
]

BROKEN = ".broken"
LOCKS = ".locks"


class ModelState(StrEnum):
    """How much of a model is here."""

    ABSENT = "absent"
    PARTIAL = "partial"
    READY = "ready"


@dataclass(frozen=True)
class ModelStatus:
    """An entry of the catalogue and what of it is here.

    Attributes:
        entry: what the catalogue says.
        state: absent, partial or ready.
        bytes_on_disk: bytes its files take, unfinished ones included.
        path: where it is or will be.
    """

    entry: ModelEntry
    state: ModelState
    bytes_on_disk: int
    path: Path


class ModelStore:
    """The models of a catalogue in a folder.

    What is being fetched stands in `.unfinished/` and moves to `NAME/` once its hash is right.
    A manifest is written last, and only a model with its manifest counts. The locks are the
    operating system's and vanish with their process, so a crash leaves nothing to clean up.
    Methods block; call them in a thread where an event loop runs.

    Args:
        folder: where models are kept; made when something is fetched.
        catalogue: what can be fetched.
        offline: never use the network.
        mirrors: folders or addresses that hold `NAME/FILE`, tried before the entry's sources.
        http: makes the HTTP client; the default one heeds the environment's proxies and
            certificates.
        environment: where package registries are configured; by default the process's own.
        patience: how long to wait for servers.
    """

    def __init__(
        self,
        folder: Path,
        catalogue: Catalogue,
        *,
        offline: bool = False,
        mirrors: tuple[str, ...] = (),
        http: Callable[[], httpx2.Client] | None = None,
        environment: Mapping[str, str] | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.folder = folder.expanduser().absolute()
        self.catalogue = catalogue
        self._offline = offline
        self._mirrors = mirrors
        self._http = http or self._default_client
        self._environment = os.environ if environment is None else environment
        self._patience = patience or Patience()

    @classmethod
    def from_settings(cls, settings: ModelStoreSettings) -> ModelStore:
        """The store that the settings describe.

        Raises:
            InvalidInputError: one of the catalogues is wrong.
        """
        return cls(
            settings.folder,
            Catalogue.load(*settings.catalogues),
            offline=settings.offline,
            mirrors=settings.mirrors,
        )

    def entries(self) -> list[ModelStatus]:
        """Every entry of the catalogue with its state."""
        return [self.status(entry.name) for entry in self.catalogue.models]

    def status(self, name: str) -> ModelStatus:
        """One entry with its state.

        Raises:
            NotFoundError: the catalogue has no such entry.
        """
        entry = self.catalogue.get(name)
        size = bytes_below(self.folder / name)
        size += sum(bytes_below(folder) for folder in unfinished(self.folder, entry))
        state = ModelState.PARTIAL if size else ModelState.ABSENT
        if self._ready(entry):
            state = ModelState.READY
        return ModelStatus(entry, state, size, self._place(entry))

    def has(self, name: str) -> bool:
        """Whether a model is here, whole.

        Raises:
            NotFoundError: the catalogue has no such entry.
        """
        return self._ready(self.catalogue.get(name))

    def path(self, name: str) -> Path:
        """The model's file, or its folder where it is more than one file.

        Raises:
            NotFoundError: the catalogue has no such entry.
            UnavailableError: it is not here; the message names the command that fetches it.
        """
        entry = self.catalogue.get(name)
        if not self._ready(entry):
            raise UnavailableError(
                f"The model '{name}' is not here yet. `chatanything models pull {name}` "
                f"fetches it ({entry.size / 1e6:,.0f} MB)."
            )
        return self._place(entry)

    def pull(self, name: str, progress: Callable[[PullProgress], None] | None = None) -> Path:
        """Fetch a model unless it is here.

        Args:
            name: of the entry.
            progress: told what happens, in the calling thread, about once a chunk.

        Returns:
            As `path`.

        Raises:
            NotFoundError: the catalogue has no such entry.
            UnavailableError: no source could give it, the disk is full, or the folder may not
                be written; what was fetched is kept and gone on with next time.
        """
        entry = self.catalogue.get(name)
        tell = Teller(name, entry.size, progress or _ignore)
        if not self._ready(entry):
            with self._explained(entry), self._locked(entry, tell):
                if not self._ready(entry):
                    with self._web() as web:
                        ModelFetch(entry, self.folder, web, self._mirrors, tell).run()
                    shutil.rmtree(self.folder / BROKEN / name, ignore_errors=True)
        tell(PullStage.READY, entry.size)
        return self._place(entry)

    def verify(self, name: str, progress: Callable[[PullProgress], None] | None = None) -> None:
        """Hash every file of a model anew; what is broken is set aside in `.broken/`.

        Raises:
            NotFoundError: the catalogue has no such entry.
            UnavailableError: the model is not here, or files of it are broken.
        """
        entry = self.catalogue.get(name)
        with self._explained(entry), self._locked(entry, Teller(name, 0, progress or _ignore)):
            manifest = Manifest.read(self.folder / name)
            if manifest is None or manifest.fingerprint != entry.fingerprint:
                self.path(name)  # says that it is not here
                return
            tell = Teller(name, sum(file.size for file in manifest.files), progress or _ignore)
            broken: list[str] = []
            done = 0
            for file in manifest.files:
                tell(PullStage.CHECKING, done)
                path = self.folder / name / file.path
                if not path.is_file() or digest(path) != file.sha256:
                    broken.append(file.path)
                done += file.size
            if broken:
                self._set_aside(name, broken)
        if broken:
            listed = ", ".join(broken[:3])
            more = f" and {len(broken) - 3} more" if len(broken) > 3 else ""
            raise UnavailableError(
                f"The model '{name}' is damaged: {listed}{more}. `chatanything models pull "
                f"{name}` fetches it again; what was wrong is in {self.folder / BROKEN / name}."
            )
        tell(PullStage.READY, done)

    def remove(self, name: str) -> int:
        """Delete a model and whatever unfinished or broken is left of it.

        Returns:
            Bytes freed; 0 where nothing was there.

        Raises:
            NotFoundError: the catalogue has no such entry.
            UnavailableError: the folder may not be written.
        """
        entry = self.catalogue.get(name)
        if not any(path.exists() for path in self._all_of(entry)):
            return 0
        with self._explained(entry), self._locked(entry, Teller(name, 0, _ignore)):
            freed = sum(bytes_below(path) for path in self._all_of(entry))
            for path in self._all_of(entry):
                self._delete(path)
        return freed

    def _ready(self, entry: ModelEntry) -> bool:
        home = self.folder / entry.name
        manifest = Manifest.read(home)
        return manifest is not None and manifest.fits(entry, home)

    def _place(self, entry: ModelEntry) -> Path:
        home = self.folder / entry.name
        return home if entry.is_folder else home / entry.files[0].path

    def _all_of(self, entry: ModelEntry) -> list[Path]:
        homes = [self.folder / entry.name, self.folder / BROKEN / entry.name]
        return homes + unfinished(self.folder, entry)

    def _set_aside(self, name: str, broken: list[str]) -> None:
        (self.folder / name / MANIFEST).unlink()
        for path in broken:
            aside = self.folder / BROKEN / name / path
            aside.parent.mkdir(parents=True, exist_ok=True)
            if (self.folder / name / path).exists():
                (self.folder / name / path).replace(aside)

    def _delete(self, path: Path) -> None:
        if not path.exists():
            return
        # moved first: whoever looks meanwhile sees the whole of it or nothing
        doomed = self.folder / f".deleted-{uuid.uuid4().hex}"
        path.replace(doomed)
        shutil.rmtree(doomed)

    @contextmanager
    def _locked(self, entry: ModelEntry, tell: Teller) -> Iterator[None]:
        import filelock

        (self.folder / LOCKS).mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(self.folder / LOCKS / f"{entry.name}.lock")
        while True:
            try:
                lock.acquire(timeout=0.5)
                break
            except filelock.Timeout:
                tell(PullStage.WAITING, min(self.status(entry.name).bytes_on_disk, entry.size))
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def _explained(self, entry: ModelEntry) -> Iterator[None]:
        """What the operating system refuses becomes a sentence."""
        try:
            yield
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise UnavailableError(
                    f"The disk is full: the model '{entry.name}' needs {entry.size / 1e6:,.0f} MB "
                    f"in {self.folder}. Make room, or set another folder for models; what was "
                    "fetched is kept."
                ) from error
            raise UnavailableError(
                f"The folder for models cannot be used: {self.folder} "
                f"({(error.strerror or str(error)).lower()}). Set another folder for models."
            ) from error

    @contextmanager
    def _web(self) -> Iterator[Web]:
        if self._offline:
            yield Web(None, self._environment, self._patience)
            return
        with self._http() as client:
            yield Web(client, self._environment, self._patience)

    def _default_client(self) -> httpx2.Client:
        import ssl

        import httpx2

        timeout = httpx2.Timeout(self._patience.read, connect=self._patience.connect)
        client = {"User-Agent": "chatanything"}
        # whoever told pip about a company's certificates has said enough
        authorities = self._environment.get("PIP_CERT")
        if authorities and not self._environment.get("SSL_CERT_FILE"):
            context = ssl.create_default_context(cafile=authorities)
            return httpx2.Client(timeout=timeout, headers=client, verify=context)
        return httpx2.Client(timeout=timeout, headers=client)


def _ignore(progress: PullProgress) -> None:
    """For those who do not want to know."""
