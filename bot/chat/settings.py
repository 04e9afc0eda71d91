"""What can be set about chats, on every platform."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Limits(BaseModel):
    """What may be used in a day. A limit of 0 is none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tokens_each: int = Field(
        default=0,
        ge=0,
        description="tokens of the language model, read and written, that one person may cost a "
        "day in one community; 0: any",
    )
    tokens: int = Field(
        default=0, ge=0, description="tokens that a whole community may cost a day; 0: any"
    )
    gpu_seconds_each: int = Field(
        default=0,
        ge=0,
        description="seconds of GPUs that one person may keep busy a day in one community, with "
        "portraits, voices and clips; 0: any",
    )
    gpu_seconds: int = Field(
        default=0, ge=0, description="seconds of GPUs, of a whole community a day; 0: any"
    )
    cpu_seconds_each: int = Field(
        default=0, ge=0, description="likewise seconds of the CPU, of one person a day; 0: any"
    )
    cpu_seconds: int = Field(
        default=0, ge=0, description="seconds of the CPU, of a whole community a day; 0: any"
    )


class BudgetSettings(Limits):
    """The `[budget]` table of the configuration.

    Where the seconds run out, clips become voices, and voices text; where the tokens do, personas
    are silent until midnight, UTC. Communities can lower these limits for themselves.
    """

    communities: dict[str, Limits] = Field(
        default_factory=dict,
        description="limits of single communities, in place of all of those above: "
        'communities."discord:42".tokens=1000000 sets one',
    )


class ChatSettings(BaseModel):
    """The `[chat]` table of the configuration.

    A limit of 0 is none. Communities can lower the limits a day for themselves, not raise them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    messages_each: int = Field(
        default=300, ge=0, description="messages of one person a day in one community; 0: any"
    )
    messages: int = Field(
        default=5_000, ge=0, description="messages of a whole community a day; 0: any"
    )
    creations_each: int = Field(
        default=20,
        ge=0,
        description="personas that one person makes a day in one community; 0: any",
    )
    creations: int = Field(
        default=200, ge=0, description="personas that a whole community makes a day; 0: any"
    )
    at_once: int = Field(default=2, ge=1, le=256, description="answers that are made at once")
    waiting_each: int = Field(
        default=3, ge=1, le=100, description="messages of one person that may wait for an answer"
    )
    waiting: int = Field(
        default=500, ge=1, le=100_000, description="messages of all people that may wait"
    )
    longest_message: int = Field(
        default=4_000, ge=100, le=32_000, description="characters of a message that are read"
    )
    takeover_seconds: float = Field(
        default=30.0,
        ge=0,
        le=3_600,
        description="how often to look for what killed processes have left; 0: only at the start",
    )
    unfinished_hours: float = Field(
        default=24.0,
        gt=0,
        le=720,
        description="how old a persona in the making may be to be gone on with after a restart",
    )
    unfinished_tries: int = Field(
        default=3, ge=1, le=20, description="how often a persona is tried if processes die over it"
    )
    answer_minutes: float = Field(
        default=10.0,
        gt=0,
        le=1_440,
        description="how old a message may be to be answered after a restart",
    )
