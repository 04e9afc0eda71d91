"""What the engine tells while it works: one small frozen value for each thing that happened.

Adapters match on these types; nothing else leaves the engine. `stages` says how many seconds
each stage took, in the order in which the stages ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.speech.base import Speech
from engine.talkinghead.base import Clip
from personas.persona import MediaKey, Persona, Personality, PortraitBrief

Stages = Mapping[str, float]


@dataclass(frozen=True)
class PersonalityReady:
    """Who it is has been decided; the portrait is being made.

    Attributes:
        personality: who it is.
        brief: what is going to be drawn.
        improvised: the language model gave nothing usable, so we wrote the personality.
    """

    personality: Personality
    brief: PortraitBrief
    improvised: bool = False


@dataclass(frozen=True)
class PortraitProgress:
    """How far the portrait is.

    Attributes:
        fraction: 0 to 1.
        doing: what is being done, for people to read.
    """

    fraction: float
    doing: str


@dataclass(frozen=True)
class PortraitReady:
    """The portrait is drawn. Not stored yet: the persona may still fail.

    Attributes:
        image: a PNG file.
    """

    image: bytes


@dataclass(frozen=True)
class PersonaReady:
    """The persona is stored, whole. The last event.

    Attributes:
        persona: the same that a later `get` gives.
        stages: seconds by stage.
        existing: it had been made before of the same inputs; nothing was made.
    """

    persona: Persona
    stages: Stages = field(default_factory=dict)
    existing: bool = False


@dataclass(frozen=True)
class CreationFailed:
    """There is no persona, and nothing of it is left. The last event.

    Attributes:
        reason: a sentence for the person.
    """

    reason: str


CreationEvent = PersonalityReady | PortraitProgress | PortraitReady | PersonaReady | CreationFailed


@dataclass(frozen=True)
class TextDelta:
    """A piece of the answer, to be appended to the pieces before."""

    text: str


@dataclass(frozen=True)
class TextReady:
    """The whole answer, as it is kept in the history. It stands in place of the deltas.

    Attributes:
        text: the deltas joined; less where the end was a loop, half a sentence or a thought.
        stages: seconds by stage so far.
        turn_id: the stored turn.
    """

    text: str
    stages: Stages = field(default_factory=dict)
    turn_id: int | None = None


@dataclass(frozen=True)
class SpeechReady:
    """The answer has been spoken."""

    speech: Speech


@dataclass(frozen=True)
class ClipReady:
    """The clip is encoded and stored. The last event.

    Attributes:
        key: where it is in the media store; empty for one that is not kept.
        clip: the video.
        stages: seconds by stage, of the whole reply.
    """

    key: MediaKey
    clip: Clip
    stages: Stages = field(default_factory=dict)


@dataclass(frozen=True)
class ClipFailed:
    """There is no clip, or no sound; the text stays. The last event.

    Attributes:
        reason: a sentence for the person.
    """

    reason: str


@dataclass(frozen=True)
class ReplyFailed:
    """There is no answer. The message is not kept, so that it can be sent again. The last event.

    Attributes:
        reason: a sentence for the person.
    """

    reason: str


ReplyEvent = TextDelta | TextReady | SpeechReady | ClipReady | ClipFailed | ReplyFailed
