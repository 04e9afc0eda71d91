"""Chooses who draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.portrait.base import PortraitGenerator
from engine.portrait.settings import PortraitSettings

if TYPE_CHECKING:
    from engine.models.store import ModelStore

EMBEDDING = "minilm-l6-int8"


def open_portrait_generator(settings: PortraitSettings, store: ModelStore) -> PortraitGenerator:
    """The portrait generator that `settings` ask for; pictures are read when it first draws.

    Raises:
        UnavailableError: the embedding model has not been fetched; the message names the command.
    """
    from engine.embedding import MiniLmEmbedder
    from engine.portrait.illustrated.art.library import ArtLibrary
    from engine.portrait.illustrated.generator import IllustratedGenerator
    from engine.portrait.landmarks.base import open_landmarkers
    from personas.styles import load_styles

    library = ArtLibrary(store, MiniLmEmbedder(store.path(EMBEDDING)))
    landmarkers = open_landmarkers() if settings.landmarks else ()
    return IllustratedGenerator(library, load_styles(), settings.size, landmarkers)
