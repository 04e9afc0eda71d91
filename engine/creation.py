"""Description in, persona out, as a stream of events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.events import CreationEvent
from engine.llm.base import LanguageModel
from engine.portrait.base import PortraitGenerator
from personas.persona import Persona, Personality, PortraitBrief

if TYPE_CHECKING:
    from personas.styles import StyleCatalogue
    from personas.voices import VoiceCatalogue
    from storage.store import Storage


@dataclass(frozen=True)
class CreationRequest:
    """What somebody asks for.

    Attributes:
        description: any text, at most `MAX_DESCRIPTION` characters.
        gallery: the community the persona will belong to.
        creator: who asks, as the platform names them.
        seed: decides everything that is left open; drawn when None.
        style: an entry of the catalogue of styles; empty: the model chooses.
        voice: an entry of the catalogue of voices; empty: the model casts.
        photo: an image file to use as its appearance.
    """

    description: str
    gallery: str = "terminal"
    creator: str = ""
    seed: int | None = None
    style: str = ""
    voice: str = ""
    photo: bytes | None = None


class Creator:
    """Builds personas."""

    def __init__(
        self,
        model: LanguageModel,
        portraits: PortraitGenerator,
        styles: StyleCatalogue,
        voices: VoiceCatalogue,
        storage: Storage,
    ) -> None:
        raise NotImplementedError

    def create(self, request: CreationRequest) -> AsyncIterator[CreationEvent]:
        """Makes a persona; the last event is `PersonaReady` or `CreationFailed`."""
        raise NotImplementedError

    def adopt(
        self,
        personality: Personality,
        request: CreationRequest,
        *,
        brief: PortraitBrief | None = None,
        card: dict[str, Any] | None = None,
    ) -> AsyncIterator[CreationEvent]:
        """Gives a face and a voice to a personality that was written elsewhere."""
        raise NotImplementedError

    async def find(
        self, description: str, gallery: str, seed: int, *, style: str = "", voice: str = ""
    ) -> Persona | None:
        """The persona that was made of these inputs by this model, or None."""
        raise NotImplementedError
