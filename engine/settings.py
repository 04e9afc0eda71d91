"""How answers are; apart from what gives them, so that settings are read in no time."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Mode = Literal["text", "voice", "clip"]


class ConversationSettings(BaseModel):
    """Options of the section `[conversation]`."""

    model_config = ConfigDict(extra="forbid")

    mode: Mode = Field(default="clip", description="what an answer is: text, voice or clip")
    reply_tokens: int = Field(default=220, ge=16, le=8192, description="longest answer, in tokens")
    history_tokens: int = Field(
        default=2000, ge=0, description="how much of the conversation the model is shown, in tokens"
    )
    temperature: float = Field(
        default=0.8, ge=0, le=2, description="how freely the model chooses its words"
    )
    clips_at_once: int = Field(
        default=1,
        ge=1,
        le=64,
        description="clips made at the same time; on a GPU they share batches of frames",
    )
