"""Persona, and what it is made of: personality, portrait, voice. Frozen and validated.

Coordinates are pixels of the portrait, origin top left, x to the right, y down; *left* and
*right* are the picture's, not the persona's. Colours are `#rrggbb`. A media key names stored
bytes by their content.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Point = tuple[float, float]
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-f]{6}$")]
MediaKey = Annotated[str, StringConstraints(min_length=1, max_length=200)]

MAX_DESCRIPTION = 4_000
"""Characters of a description that are kept; Discord's longest text option is shorter."""


class Frozen(BaseModel):
    """A value: equal when its parts are equal, never changed after it was made."""

    # What does not fit may be what somebody said, and errors go to the log.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Mood(StrEnum):
    """The expression a face has at rest; steers brows, lids and mouth corners."""

    CHEERFUL = "cheerful"
    CALM = "calm"
    GRUMPY = "grumpy"
    SHY = "shy"
    PROUD = "proud"
    SAD = "sad"
    MISCHIEVOUS = "mischievous"
    CURIOUS = "curious"


Gender = Literal["female", "male", "neutral"]
Age = Literal["child", "young", "adult", "old"]


class Exchange(Frozen):
    """One message and the answer this persona would give: its few-shot example of itself."""

    user: str
    reply: str


class Personality(Frozen):
    """Name, character, speaking style, greeting, language."""

    name: str = Field(min_length=1, max_length=60)
    kind: str = Field(min_length=1, max_length=80, description="what it is, as a noun: lighthouse")
    tagline: str = Field(default="", max_length=140)
    character: str = Field(min_length=1, description="in the second person: You are ...")
    speaking_style: str = ""
    greeting: str = Field(min_length=1)
    examples: tuple[Exchange, ...] = ()
    language: str = Field(default="en", description="BCP 47 tag of the language it speaks")
    gender: Gender = "neutral"
    age: Age = "adult"
    mood: Mood = Mood.CALM


class Voice(Frozen):
    """How a persona sounds: an engine's preset and the shaping on top of it."""

    engine: str
    preset: str = Field(description="an entry of the catalogue of voices")
    pitch: float = Field(default=1.0, gt=0.2, lt=4, description="ratio to the engine's own")
    formant: float = Field(default=1.0, gt=0.4, lt=2.5, description="ratio; below 1 is larger")
    breath: float = Field(default=0.0, ge=0, le=1, description="0 clear ... 1 whispered")
    range: float = Field(default=1.0, ge=0, le=2, description="of intonation; 0 is monotone")
    rate: float = Field(default=1.0, gt=0.4, lt=2.5, description="speed; 2 is twice as fast")


class FaceGeometry(Frozen):
    """Where the face of a portrait is: landmarks found, or anchors known because we drew them."""

    source: Literal["drawn", "found"]
    left_eye: Point
    right_eye: Point
    eye_radius: float = Field(gt=0, description="half the width of one eye, pixels")
    nose: Point
    mouth: Point = Field(description="centre of the closed mouth")
    mouth_width: float = Field(gt=0)
    centre: Point = Field(description="centre of the face oval")
    width: float = Field(gt=0, description="of the face oval, along the line of the eyes")
    height: float = Field(gt=0)
    roll: float = Field(default=0.0, description="radians, clockwise as seen")


class FaceLook(Frozen):
    """How a face is drawn, so that it belongs to the art it is drawn on."""

    rendering: Literal["outlined", "flat", "shaded"] = "flat"
    ink: Colour = Field(default="#2b2320", description="lines, brows, pupils")
    line_width: float = Field(default=4.0, gt=0, description="pixels of the portrait")
    eye_shape: Literal["round", "oval", "dot", "almond"] = "oval"
    eye_white: Colour = "#ffffff"
    iris: Colour = "#5b3a21"
    skin: Colour = Field(default="#f4c7a1", description="what surrounds the face: lids, shadows")
    lip: Colour = "#b5524a"
    brow: Colour = "#2b2320"
    brow_weight: float = Field(default=1.0, ge=0, le=2)
    lashes: bool = False
    blush: Colour | None = None
    nose_kind: Literal["none", "dot", "line", "button"] = "none"
    mood: Mood = Mood.CALM


class ArtCredit(Frozen):
    """Whose work a portrait is made from; shown wherever the portrait is explained."""

    title: str
    author: str
    licence: str
    url: str = ""


class Layers(Frozen):
    """A portrait taken apart, for heads that move it; all of the portrait's size."""

    background: MediaKey = Field(description="RGB, nothing of the persona on it")
    body: MediaKey = Field(description="RGBA, straight alpha, without the face")


class Attempt(Frozen):
    """One try at a picture with a face on it, so that it can be made again."""

    seed: int = Field(description="the noise it began with")
    hold: float = Field(default=0.0, description="share of steps with all of the face held")
    release: float = Field(default=0.0, description="share of steps after which none of it was")
    scale: float = Field(default=0.0, description="weight of the ControlNet")
    outcome: str = Field(description="found, or why it was not good enough")


class Portrait(Frozen):
    """The picture, where its face is, and what it was made from."""

    image: MediaKey = Field(description="PNG, RGB: the persona at rest")
    size: tuple[int, int] = Field(description="width, height in pixels")
    generator: str = Field(description="which backend and version made it")
    style: str
    seed: int
    geometry: FaceGeometry
    look: FaceLook | None = None
    layers: Layers | None = None
    credits: tuple[ArtCredit, ...] = ()
    attempts: tuple[Attempt, ...] = Field(default=(), description="tries of a guided painter")


class Persona(Frozen):
    """Somebody to talk to. Built once, never rebuilt on a message."""

    id: str
    slug: str = Field(description="its name in commands and paths: a-z, 0-9 and hyphens")
    gallery: str = Field(description="the community it belongs to, e.g. terminal or discord:42")
    creator: str = Field(default="", description="who asked for it, as the platform names them")
    description: str
    personality: Personality
    portrait: Portrait
    voice: Voice
    seed: int
    model: str = Field(default="", description="the language model that wrote the personality")
    created_at: datetime
    adult: bool = Field(default=False, description="only for channels that keep children out")
    card: dict[str, Any] = Field(
        default_factory=dict, description="fields of an imported character card that we do not use"
    )


class PortraitBrief(Frozen):
    """What to draw: the order that a portrait generator gets."""

    subject: str = Field(min_length=1, description="a short noun phrase: old lighthouse")
    details: str = Field(default="", description="colours, clothes, surroundings")
    style: str = Field(default="", description="an entry of the catalogue of styles; empty: any")
    mood: Mood = Mood.CALM
    gender: Gender = "neutral"
    age: Age = "adult"
    is_person: bool = False
    adult: bool = Field(default=False, description="shown only where children are kept out")


def slugify(name: str, fallback: str = "persona") -> str:
    """A name for commands and paths: lower-case ASCII letters, digits and hyphens, at most 40.

    Args:
        name: any text, in any script.
        fallback: what to use when nothing of the name can be written in ASCII.
    """
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_name.lower()).strip("-")[:40].rstrip("-")
    return slug or fallback
