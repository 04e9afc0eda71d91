"""Where files of the catalogue come from: one file a kind of source."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from engine.models.sources.base import (
    ArchiveMember,
    ContentError,
    Part,
    SourceError,
    SourceProtocol,
    Stretch,
)
from engine.models.sources.hub import HubSource
from engine.models.sources.npm import NpmSource
from engine.models.sources.places import FileSource, UrlSource
from engine.models.sources.wheel import WheelSource

Source = Annotated[
    HubSource | WheelSource | NpmSource | FileSource | UrlSource, Field(discriminator="kind")
]
"""A source as the catalogue writes it; `kind` says which."""

__all__ = [
    "ArchiveMember",
    "ContentError",
    "FileSource",
    "HubSource",
    "NpmSource",
    "Part",
    "Source",
    "SourceError",
    "SourceProtocol",
    "Stretch",
    "UrlSource",
    "WheelSource",
]
