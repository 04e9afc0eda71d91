"""What can be set about chats, on every platform."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


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
