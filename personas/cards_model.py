"""Card: a character card as it was found, whatever its version and file format."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any, Literal

from pydantic import Field, model_validator

from personas.persona import (
    MAX_DESCRIPTION,
    ArtCredit,
    FaceGeometry,
    FaceLook,
    Frozen,
    Personality,
    Voice,
)

EXTENSION = "chatanything"
"""The key under `extensions` where our own part of a card lies."""

Spec = Literal["v1", "v2", "v3"]


class KeptPortrait(Frozen):
    """A portrait without its pictures, which travel beside it in the same file."""

    size: tuple[int, int]
    generator: str = Field(max_length=200)
    style: str = Field(max_length=200)
    seed: int
    geometry: FaceGeometry
    look: FaceLook | None = None
    credits: tuple[ArtCredit, ...] = Field(default=(), max_length=50)
    picture: str = Field(pattern=r"^[0-9a-f]{64}$", description="sha256 of what the picture shows")

    @model_validator(mode="after")
    def _face_is_on_the_picture(self) -> KeptPortrait:
        """A face elsewhere, or of no size, would break who draws it."""
        g = self.geometry
        width, height = self.size
        numbers = (g.eye_radius, g.mouth_width, g.width, g.height, g.roll)
        points = (g.left_eye, g.right_eye, g.nose, g.mouth, g.centre)
        if not all(map(math.isfinite, numbers)) or not 0 < max(width, height) <= 8192:
            raise ValueError("not a face")
        if max(g.eye_radius, g.mouth_width, g.width, g.height) > 4 * max(width, height):
            raise ValueError("the face is larger than the picture")
        if not all(-width <= x <= 2 * width and -height <= y <= 2 * height for x, y in points):
            raise ValueError("the face is beside the picture")
        return self


class Kept(Frozen):
    """What a card says of a persona beyond the card's own fields: `extensions.chatanything`."""

    version: Literal[1] = 1
    description: str = Field(max_length=MAX_DESCRIPTION)
    personality: Personality
    voice: Voice
    portrait: KeptPortrait | None = None
    seed: int
    model: str = Field(default="", max_length=400)
    created_at: datetime
    adult: bool = False


class Card(Frozen):
    """A character card: the fields of its specification, and what else was in the file.

    Attributes are as found, macros not filled in; `personas.cards.to_personality` reads them.
    """

    spec: Spec
    name: str
    description: str = ""
    personality: str = ""
    scenario: str = ""
    first_mes: str = ""
    mes_example: str = ""
    nickname: str = ""
    creator_notes: str = ""
    system_prompt: str = ""
    post_history_instructions: str = ""
    creator: str = ""
    character_version: str = ""
    alternate_greetings: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    document: dict[str, Any] = Field(
        default_factory=dict, description="all of it, to be stored as Persona.card"
    )
    picture: bytes | None = Field(default=None, repr=False, description="PNG, JPEG or WebP")
    background: bytes | None = Field(default=None, repr=False, description="PNG, of our layers")
    body: bytes | None = Field(default=None, repr=False, description="PNG, of our layers")
    kept: Kept | None = Field(default=None, description="ours, where it is valid")
    warnings: tuple[str, ...] = Field(default=(), description="what was not kept, for people")

    @property
    def called(self) -> str:
        """What stands for {{char}}."""
        return self.nickname.strip() or self.name.strip()
