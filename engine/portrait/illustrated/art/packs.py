"""Packs of SVG pictures: one JSON file each, read in place and never as a whole."""

from __future__ import annotations

import json
import mmap
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Protocol

from engine.portrait.illustrated.art.concepts import OURS
from personas.errors import NotFoundError, UnavailableError
from personas.persona import ArtCredit


class Shelf(Protocol):
    """Where models and packs lie; the model store is one."""

    def path(self, name: str) -> Path:
        """The file or unpacked folder of `name`.

        Raises:
            UnavailableError: it has not been fetched.
        """


@dataclass(frozen=True)
class PackInfo:
    """A pack, where it lies and whose work it is.

    Attributes:
        name: as styles and concepts call it.
        model: its name in the model store.
        resolution: pixels at which it is rasterised; blurs make shaded art slow, and soft
            enough to be enlarged from less.
    """

    name: str
    model: str
    title: str
    author: str
    licence: str
    url: str
    resolution: int = 1024


PACKS = {
    info.name: info
    for info in (
        PackInfo(
            "fluent",
            "fluent-emoji",
            "Fluent Emoji",
            "Microsoft Corporation",
            "MIT",
            "https://github.com/microsoft/fluentui-emoji",
            resolution=640,
        ),
        PackInfo(
            "twemoji",
            "twemoji",
            "Twemoji",
            "Twitter, Inc. and contributors",
            "CC-BY-4.0",
            "https://github.com/jdecked/twemoji",
        ),
        PackInfo(
            "openmoji",
            "openmoji",
            "OpenMoji",
            "the OpenMoji project",
            "CC-BY-SA-4.0",
            "https://openmoji.org",
        ),
        PackInfo(
            "noto",
            "noto-emoji",
            "Noto Emoji",
            "Google LLC",
            "Apache-2.0",
            "https://github.com/googlefonts/noto-emoji",
        ),
    )
}


def credit(pack: str, title: str) -> ArtCredit:
    """Whose work a picture is."""
    if pack == OURS:
        return ArtCredit(title=title, author="the ChatAnything project", licence="MIT")
    info = PACKS[pack]
    return ArtCredit(
        title=f"{title} ({info.title})", author=info.author, licence=info.licence, url=info.url
    )


class PackReader:
    """Reads single pictures out of packs.

    Args:
        shelf: where the packs lie.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._open: dict[str, _IconSet] = {}

    def has(self, pack: str) -> bool:
        """Whether the pack is there."""
        try:
            self._set(pack)
        except (UnavailableError, NotFoundError):
            return False
        return True

    def require(self, pack: str) -> None:
        """Opens a pack.

        Raises:
            UnavailableError: it has not been fetched, or is damaged.
            NotFoundError: there is no such pack.
        """
        self._set(pack)

    def svg(self, pack: str, name: str) -> str:
        """The source of a picture.

        Raises:
            UnavailableError: the pack has not been fetched, or is damaged.
        """
        if pack == OURS:
            file = resources.files(__package__).joinpath("ours", f"{name}.svg")
            return file.read_text("utf-8")
        return self._set(pack).svg(name)

    def _set(self, pack: str) -> _IconSet:
        if pack not in self._open:
            if pack not in PACKS:
                raise NotFoundError(f"There is no pack of pictures called {pack!r}.")
            folder = self._shelf.path(PACKS[pack].model)
            found = sorted(folder.rglob("icons.json")) if folder.is_dir() else [folder]
            if not found or not found[0].is_file():
                raise UnavailableError(
                    f"The pictures of {PACKS[pack].title} are missing; fetch them with "
                    f"`chatanything models pull {PACKS[pack].model}`."
                )
            self._open[pack] = _IconSet(found[0], PACKS[pack])
        return self._open[pack]


class _IconSet:
    """An Iconify JSON file, mapped into memory and searched by name."""

    def __init__(self, file: Path, info: PackInfo) -> None:
        self._info = info
        try:
            with file.open("rb") as stream:
                self._bytes = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise self._damaged() from error
        self._size = self._number(b'"width":', 16), self._number(b'"height":', 16)

    def svg(self, name: str) -> str:
        """The picture as a document of its own."""
        icon = self._entry(name)
        if "body" not in icon:
            raise self._damaged()  # our table only names what the pack has
        width, height = icon.get("width", self._size[0]), icon.get("height", self._size[1])
        left, top = icon.get("left", 0), icon.get("top", 0)
        return (
            '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
            f'viewBox="{left} {top} {width} {height}">{icon["body"]}</svg>'
        )

    def _entry(self, name: str) -> dict[str, Any]:
        """The JSON object after the key `name`; the file is far too large to be parsed whole."""
        for key in (f'"{name}": {{', f'"{name}":{{'):
            at = self._bytes.find(key.encode())
            if at < 0:
                continue
            start, length = at + len(key.encode()) - 1, 1 << 14
            while True:
                text = self._bytes[start : start + length].decode("utf-8", "ignore")
                try:
                    entry, _ = json.JSONDecoder().raw_decode(text)
                except json.JSONDecodeError as error:
                    if start + length >= len(self._bytes):
                        raise self._damaged() from error
                    length *= 4
                    continue
                return entry if isinstance(entry, dict) else {}
        return {}

    def _number(self, key: bytes, fallback: int) -> int:
        at = self._bytes.rfind(key)
        digits = self._bytes[at + len(key) : at + len(key) + 8].strip().split(b"\n")[0]
        text = digits.rstrip(b",} ")
        return int(text) if at >= 0 and text.isdigit() else fallback

    def _damaged(self) -> UnavailableError:
        return UnavailableError(
            f"The pictures of {self._info.title} are damaged; fetch them again with "
            f"`chatanything models pull {self._info.model}`."
        )
