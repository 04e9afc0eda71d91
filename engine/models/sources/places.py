"""Plain places: an address, or a file on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import StringConstraints

from engine.models.sources.base import Part, SourceError, Stretch
from personas.persona import Frozen

if TYPE_CHECKING:
    from engine.models.web import Web


class UrlSource(Frozen):
    """A file at an address."""

    kind: Literal["url"] = "url"
    url: Annotated[str, StringConstraints(pattern=r"^https?://\S+$")]

    @property
    def label(self) -> str:
        """`url HOST`; the whole address may hold a password."""
        return f"url {self.url.split('/')[2].rpartition('@')[2]}"

    def parts(self) -> Sequence[Part]:
        """The file itself."""
        return (self,)

    def locate(self, web: Web) -> list[Stretch]:
        """The address as it is."""
        return [Stretch(self.url)]


class FileSource(Frozen):
    """A file on this machine or on a drive that it sees; `~` is the home folder."""

    kind: Literal["file"] = "file"
    path: Path

    @property
    def label(self) -> str:
        """`file PATH`."""
        return f"file {self.path}"

    def parts(self) -> Sequence[Part]:
        """The file itself."""
        return (self,)

    def locate(self, web: Web) -> list[Stretch]:
        """The path, if there is a file."""
        path = self.path.expanduser()
        if not path.is_file():
            raise SourceError("there is no such file")
        return [Stretch(str(path.absolute()))]
