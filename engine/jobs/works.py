"""The three works, as they are told to a queue: what a portrait, a speech and a clip are made of.

Each becomes a `Job` whose payload is all of it; `read` turns a job back into the work, wherever
it comes from, and trusts nothing in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final, Self

from pydantic import Field, ValidationError

from engine.jobs.base import Job
from personas.errors import InvalidInputError
from personas.persona import Frozen, MediaKey, Persona, Portrait, PortraitBrief, Voice

PORTRAIT: Final = "portrait"
SPEECH: Final = "speech"
CLIP: Final = "clip"
KINDS: Final = (PORTRAIT, SPEECH, CLIP)

_LONGEST = 20_000
"""Characters of a text that is spoken; far more than an answer has."""


class Work(Frozen):
    """What all works have in common."""

    made_by: str = Field(
        default="", max_length=200, description="settings and versions that show in the result"
    )

    @classmethod
    def read(cls, job: Job) -> Self:
        """The work of a job.

        Raises:
            InvalidInputError: it is something else.
        """
        try:
            return cls.model_validate(dict(job.payload))
        except (ValidationError, TypeError, ValueError) as error:
            raise InvalidInputError(f"This is not a {job.kind} that can be made.") from error


class PortraitWork(Work):
    """A portrait to be drawn.

    The result: `portrait`, a `Portrait` whose media are products; nothing where the photo is only
    looked at.
    """

    brief: PortraitBrief
    seed: int = Field(ge=0, lt=2**63)
    photo: MediaKey | None = Field(default=None, description="a product: the file to go by")
    looks_only: bool = Field(
        default=False, description="whether the photo is fit for everybody; nothing is drawn"
    )

    def job(self, meta: Mapping[str, str] | None = None) -> Job:
        """The job that makes it."""
        # Workers of an older version draw, and know of nothing else.
        left_out = set() if self.looks_only else {"looks_only"}
        payload = self.model_dump(mode="json", exclude=left_out)
        return Job(PORTRAIT, payload, {}, self.brief.style, meta or {})


class SpeechWork(Work):
    """Something to be said.

    The result: `speech`, a product, as `engine.speech.cache.speech_to_bytes` writes it.
    """

    text: str = Field(max_length=_LONGEST)
    voice: Voice

    def job(self, meta: Mapping[str, str] | None = None) -> Job:
        """The job that makes it."""
        return Job(SPEECH, self.model_dump(mode="json"), {}, self.voice.engine, meta or {})


class ClipWork(Work):
    """Something to be said before the camera.

    Progress tells the `speech` as soon as it is there. The result: `clip` and `speech`, both
    products, and `duration`, `size` and `frames` of the clip. The hint `speech` says where it
    lies already.
    """

    portrait: Portrait
    text: str = Field(max_length=_LONGEST)
    voice: Voice
    seed: int = Field(ge=0, lt=2**63, description="how the face moves")

    def job(self, speech: MediaKey = "", meta: Mapping[str, str] | None = None) -> Job:
        """The job that makes it."""
        hints = {"speech": speech} if speech else {}
        return Job(CLIP, self.model_dump(mode="json"), hints, meta=meta or {})

    @classmethod
    def of(cls, persona: Persona, text: str, made_by: str = "") -> Self:
        """A persona says something; the same words are always performed the same way."""
        return cls(
            portrait=persona.portrait,
            text=text,
            voice=persona.voice,
            seed=clip_seed(persona, text),
            made_by=made_by,
        )


def clip_seed(persona: Persona, text: str) -> int:
    """How a persona moves while it says something: always the same way."""
    told = f"{persona.seed}\n{text}".encode("utf-8", "replace")
    return int.from_bytes(hashlib.sha256(told).digest()[:4]) >> 1
