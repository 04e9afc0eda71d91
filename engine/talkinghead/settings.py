"""How clips are drawn and encoded."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class EncoderSettings(BaseModel):
    """Options of the section `[talking_head.encoder]`."""

    model_config = ConfigDict(extra="forbid")

    preset: Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow"] = (
        Field(
            default="veryfast",
            description="x264: slower presets make smaller files of the same quality",
        )
    )
    crf: int = Field(
        default=23, ge=0, le=51, description="quality: 18 can hardly be told from the drawing"
    )
    audio_bitrate: int = Field(
        default=64_000, ge=16_000, le=320_000, description="bits a second of the sound"
    )
    threads: int = Field(
        default=0,
        ge=0,
        le=64,
        description="of the encoder; 0: one for each core but the one that draws, at most 4",
    )


class TalkingHeadSettings(BaseModel):
    """Options of the section `[talking_head]`."""

    model_config = ConfigDict(extra="forbid")

    renderer: Literal["auto", "drawn"] = Field(
        default="auto", description="auto: the best one that this machine can run"
    )
    size: int = Field(
        default=512,
        ge=128,
        le=1280,
        multiple_of=16,
        description="width and height of a clip in pixels",
    )
    encoder: EncoderSettings = Field(default_factory=EncoderSettings)
