"""Fetching a whole model: its files, each from the first source that can give it."""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from engine.models.archives import unpack
from engine.models.catalogue import ModelEntry, ModelFile
from engine.models.download import FileDownload, digest
from engine.models.manifest import KeptFile, Manifest
from engine.models.progress import PullStage, Teller
from engine.models.sources import (
    ContentError,
    FileSource,
    SourceError,
    SourceProtocol,
    UrlSource,
)
from engine.models.web import Web
from personas.errors import UnavailableError

log = logging.getLogger(__name__)

UNFINISHED = ".unfinished"
SPARE = 64 << 20
"""Bytes that we leave free on the disk."""


@dataclass(frozen=True)
class ModelFetch:
    """One fetch of one model into a store's folder; the caller holds the model's lock.

    Attributes:
        entry: what to fetch.
        folder: the store's folder.
        web: how to reach sources.
        mirrors: folders or addresses that hold `NAME/FILE`, tried first.
        tell: told how far it is.
    """

    entry: ModelEntry
    folder: Path
    web: Web
    mirrors: tuple[str, ...]
    tell: Teller

    def run(self) -> None:
        """Fetch what is missing, then write the manifest that makes the model count.

        Raises:
            UnavailableError: no source could give a file, or the disk has no room for it.
            OSError: the folder may not be written.
        """
        home = self.folder / self.entry.name
        home.mkdir(parents=True, exist_ok=True)
        kept: list[KeptFile] = []
        before = 0
        for file in self.entry.files:
            kept += self._file(file, home, replace(self.tell, base=before))
            before += file.size
        _drop_strangers(home, {home / file.path for file in kept})
        Manifest(fingerprint=self.entry.fingerprint, files=tuple(kept)).write(home)
        for leftover in unfinished(self.folder, self.entry):
            shutil.rmtree(leftover, ignore_errors=True)

    def _file(self, file: ModelFile, home: Path, tell: Teller) -> list[KeptFile]:
        target = home / file.path
        if file.unpack is None:
            kept = KeptFile(path=file.path, size=file.size, sha256=file.sha256)
            if _is_here(target, file):  # by hand, or by a fetch that did not come to its end
                tell(PullStage.CHECKING, 0)
                if digest(target) == file.sha256:
                    return [kept]
            fetched = self._from_any_source(file, tell)
            target.parent.mkdir(parents=True, exist_ok=True)
            fetched.replace(target)
            return [kept]
        fetched = self._from_any_source(file, tell)
        tell(PullStage.UNPACKING, file.size)
        try:
            names = unpack(fetched, home, file.unpack.root, file.unpack.include)
        except SourceError as error:
            raise UnavailableError(
                f"The model '{self.entry.name}' cannot be unpacked: {error}. This is a fault of "
                "its entry in the catalogue."
            ) from error
        return [
            KeptFile(path=name, size=(home / name).stat().st_size, sha256=digest(home / name))
            for name in names
        ]

    def _from_any_source(self, file: ModelFile, tell: Teller) -> Path:
        """The file, complete and with the right hash, among the unfinished things."""
        reasons: list[str] = []
        for source in (*self._mirror_sources(file), *file.sources):
            try:
                return self._from_source(source, file, replace(tell, source=source.label))
            except SourceError as error:
                log.warning(
                    "%s: no %s from %s: %s", self.entry.name, file.path, source.label, error
                )
                log.debug("the cause of it", exc_info=error)
                reasons.append(f"{source.label}: {error}")
        name = self.entry.name
        raise UnavailableError(
            f"The model '{name}' could not be fetched ({'; '.join(reasons)}). "
            f"`chatanything models pull {name}` tries again and goes on where this ended."
        )

    def _from_source(self, source: SourceProtocol, file: ModelFile, tell: Teller) -> Path:
        download = FileDownload(
            source=source,
            size=file.size,
            folder=self.folder / UNFINISHED / f"{file.sha256[:20]}-{_mark(source)}",
            web=self.web,
            on_bytes=lambda done: tell(PullStage.FETCHING, done),
        )
        went_on = download.begun
        self._check_space(file, download)
        try:
            joined = download.run()
            tell(PullStage.CHECKING, file.size)
            if digest(joined) != file.sha256:
                raise ContentError("what it gives is another file than the catalogue describes")
            return joined
        except ContentError:
            download.discard()
            if not went_on:
                raise
        # what an earlier attempt left may have been at fault: once more, from the beginning
        return self._from_source(source, file, tell)

    def _check_space(self, file: ModelFile, download: FileDownload) -> None:
        # an archive and what is taken out of it are on the disk together for a moment
        room = file.size * (3 if file.unpack else 1) - bytes_below(download.folder) + SPARE
        free = shutil.disk_usage(self.folder).free
        if free < room:
            raise UnavailableError(
                f"The model '{self.entry.name}' needs {room / 1e6:,.0f} MB of free space in "
                f"{self.folder}, and there are {free / 1e6:,.0f} MB. Make room, or set another "
                "folder for models."
            )

    def _mirror_sources(self, file: ModelFile) -> Iterable[SourceProtocol]:
        for mirror in self.mirrors:
            if mirror.startswith(("http://", "https://")):
                yield UrlSource(url=f"{mirror.rstrip('/')}/{self.entry.name}/{file.path}")
            else:
                yield FileSource(path=Path(mirror) / self.entry.name / file.path)


def unfinished(folder: Path, entry: ModelEntry) -> list[Path]:
    """Folders of what was begun for an entry and is not finished."""
    return [
        path
        for file in entry.files
        for path in sorted((folder / UNFINISHED).glob(f"{file.sha256[:20]}-*"))
    ]


def bytes_below(path: Path) -> int:
    """Bytes of a file, or of all files in a folder; 0 where there is nothing."""
    if path.is_file():
        return path.stat().st_size
    return sum(file.lstat().st_size for file in path.rglob("*") if not file.is_dir())


def _mark(source: SourceProtocol) -> str:
    """Tells the sources of a file apart, across runs."""
    return hashlib.sha256(repr(source).encode()).hexdigest()[:10]


def _is_here(path: Path, file: ModelFile) -> bool:
    return path.is_file() and path.stat().st_size == file.size


def _drop_strangers(home: Path, wanted: set[Path]) -> None:
    """Delete what an older state of the catalogue left in a model's folder."""
    for path in sorted(home.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif path not in wanted:
            path.unlink()
