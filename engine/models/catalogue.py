"""The catalogue: what can be fetched, whose it is, how it is recognised, where it is found."""

from __future__ import annotations

import difflib
import hashlib
import tomllib
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, ValidationError, model_validator

from engine.models.sources import Source
from personas.errors import InvalidInputError, NotFoundError
from personas.persona import Frozen

EMBEDDED = Path(__file__).with_name("catalogue.toml")


class Purpose(StrEnum):
    """What a model is for."""

    LANGUAGE_MODEL = "language-model"
    EMBEDDING = "embedding"
    ART = "art"
    HEARING = "hearing"
    LANDMARKS = "landmarks"
    VOICE = "voice"
    TALKING_HEAD = "talking-head"


def _relative(path: str) -> str:
    parts = PurePosixPath(path).parts
    plain = parts and not path.startswith("/") and "\\" not in path and ":" not in path
    if not plain or any(part.startswith(".") for part in parts):
        raise ValueError("must be a relative path, without dots at the start of its parts")
    return path


RelativePath = Annotated[str, AfterValidator(_relative)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Unpack(Frozen):
    """How an archive becomes a folder; the archive itself is not kept."""

    root: str = Field(default="", description="folder inside the archive whose contents are taken")
    include: tuple[str, ...] = Field(default=("*",), description="globs of files, below `root`")


class ModelFile(Frozen):
    """One file: its place in the model's folder, what it must be, and where it is found."""

    path: RelativePath
    size: int = Field(gt=0, description="bytes")
    sha256: Sha256
    sources: tuple[Source, ...] = Field(min_length=1, description="tried in this order")
    unpack: Unpack | None = Field(default=None, description="for an archive: what to take of it")


class ModelEntry(Frozen):
    """Something that can be fetched: weights, a voice, a set of pictures."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}$")]
    purpose: Purpose
    title: str = Field(min_length=1, description="as its authors call it")
    author: str = Field(min_length=1)
    licence: str = Field(min_length=1, description="SPDX identifier where there is one")
    homepage: str = ""
    description: str = ""
    default: bool = Field(default=False, description="needed by the program as it comes")
    rank: int = Field(default=0, description="among those of one purpose, the higher the better")
    minimum_memory: int | None = Field(
        default=None, gt=0, description="bytes of free memory a language model needs to run"
    )
    files: tuple[ModelFile, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        paths = [file.path for file in self.files]
        if len(set(paths)) != len(paths):
            raise ValueError("two files of it have the same path")
        if (self.purpose is Purpose.LANGUAGE_MODEL) != (self.minimum_memory is not None):
            raise ValueError("minimum_memory belongs to language models, and to each of them")
        return self

    @property
    def size(self) -> int:
        """Bytes to fetch, all files together."""
        return sum(file.size for file in self.files)

    @property
    def is_folder(self) -> bool:
        """Whether its path is a folder rather than one file."""
        return len(self.files) > 1 or self.files[0].unpack is not None

    @property
    def fingerprint(self) -> str:
        """Changes whenever what must be on disk changes."""
        marks = [f"{f.path} {f.sha256} {f.unpack!r}" for f in self.files]
        return hashlib.sha256("\n".join(marks).encode()).hexdigest()


class Catalogue(Frozen):
    """All that can be fetched, by name."""

    models: tuple[ModelEntry, ...]

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        names = [entry.name for entry in self.models]
        doubles = sorted({name for name in names if names.count(name) > 1})
        if doubles:
            raise ValueError(f"named twice: {', '.join(doubles)}")
        return self

    @classmethod
    def load(cls, *more: Path) -> Catalogue:
        """The embedded catalogue, with the entries of other files added; theirs win.

        Raises:
            InvalidInputError: a file cannot be read or an entry is wrong.
        """
        entries: dict[str, ModelEntry] = {}
        for path in (EMBEDDED, *more):
            entries |= {entry.name: entry for entry in cls._read(path).models}
        return cls(models=tuple(entries.values()))

    @classmethod
    def _read(cls, path: Path) -> Catalogue:
        try:
            return cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise InvalidInputError(f"The catalogue {path} cannot be read.") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InvalidInputError(f"The catalogue {path} is not valid TOML: {error}.") from error
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(step) for step in first["loc"]) or "the whole"
            raise InvalidInputError(
                f"The catalogue {path} is wrong at {where}: {first['msg']}."
            ) from error

    def get(self, name: str) -> ModelEntry:
        """The entry of that name.

        Raises:
            NotFoundError: there is none; the message names the nearest.
        """
        for entry in self.models:
            if entry.name == name:
                return entry
        names = [entry.name for entry in self.models]
        near = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.4)
        hint = f"Did you mean '{near[0]}'?" if near else f"There are: {', '.join(names)}."
        raise NotFoundError(f"There is no model called '{name[:80]}'. {hint}")

    def of(self, purpose: Purpose) -> list[ModelEntry]:
        """The entries of one purpose, the best first."""
        return sorted(
            (entry for entry in self.models if entry.purpose is purpose), key=lambda e: -e.rank
        )

    def defaults(self) -> Iterable[ModelEntry]:
        """The entries that the program as it comes needs."""
        return (entry for entry in self.models if entry.default)
