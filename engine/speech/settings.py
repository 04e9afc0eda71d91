"""What can be set about speech."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class SpeechSettings(BaseModel):
    """The `[speech]` table of the configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    engine: Literal["hibari"] = Field(
        default="hibari", description="which synthesizer speaks; hibari is built in, English only"
    )
    threads: int = Field(
        default=1, ge=1, le=64, description="threads of the voice model; one is faster than speech"
    )
    max_seconds: float = Field(
        default=30.0,
        ge=2.0,
        le=600.0,
        description="longest speech; a longer answer is spoken up to here, in whole sentences",
    )
    loudness: float = Field(
        default=-18.0,
        ge=-36.0,
        le=-12.0,
        description="level of the spoken parts in dB below full scale, as mean power",
    )
    lead_seconds: float = Field(
        default=0.12, ge=0.0, le=2.0, description="silence before the first sound"
    )
    tail_seconds: float = Field(
        default=0.2, ge=0.0, le=2.0, description="silence after the last sound"
    )
