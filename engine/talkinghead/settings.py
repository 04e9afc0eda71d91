"""How clips are drawn and encoded."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Degrees = Annotated[float, Field(ge=-90, le=90)]


class EncoderSettings(BaseModel):
    """Options of the section `[talking_head.encoder]`."""

    model_config = ConfigDict(extra="forbid")

    codec: Literal["auto", "x264"] = Field(
        default="auto", description="auto: the GPU's encoder where there is one, x264 else"
    )
    preset: Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow"] = (
        Field(
            default="veryfast",
            description="x264: slower presets make smaller files of the same quality",
        )
    )
    crf: int = Field(
        default=23, ge=1, le=51, description="quality: 18 can hardly be told from the drawing"
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


class SadTalkerSettings(BaseModel):
    """Options of the section `[talking_head.sadtalker]`."""

    model_config = ConfigDict(extra="forbid")

    resolution: Literal[256, 512] = Field(
        default=256,
        description="pixels of the face as it is made; 512 takes four times as long, and the "
        "checkpoint of that size",
    )
    framing: Literal["full", "crop"] = Field(
        default="full", description="full: the whole portrait; crop: the face alone"
    )
    expression: float = Field(default=1.0, ge=0, le=3, description="strength of the expression")
    movement: float = Field(default=1.0, ge=0, le=2, description="size of the head's movements")
    pose_style: int = Field(
        default=-1,
        ge=-1,
        le=45,
        description="how the head moves, one of 46 learnt styles; -1: by mood and seed",
    )
    still: bool = Field(default=False, description="only the face moves, not the head")
    blinks: bool = Field(default=True, description="eyes blink")
    camera_yaw: tuple[Degrees, ...] = Field(
        default=(),
        max_length=32,
        description="degrees through which the head turns in every clip, instead of moving as it "
        "speaks: [-20, 20] from left to right; one holds it",
    )
    camera_pitch: tuple[Degrees, ...] = Field(
        default=(), max_length=32, description="likewise up and down"
    )
    camera_roll: tuple[Degrees, ...] = Field(
        default=(), max_length=32, description="likewise tilted"
    )
    device: Literal["auto", "cuda", "cpu"] = Field(
        default="auto", description="auto: the GPU; the CPU takes seconds for each frame"
    )
    precision: Literal["auto", "float32", "float16", "bfloat16"] = Field(
        default="auto",
        description="of the renderer; auto: float16 on a GPU, bfloat16 on processors that multiply "
        "it themselves, float32 elsewhere",
    )
    batch: int = Field(
        default=0, ge=0, le=256, description="frames made at once; 0: as many as memory allows"
    )
    compile: bool = Field(
        default=False,
        description="compile the renderer on a GPU: faster, after minutes at the first clip",
    )


class TalkingHeadSettings(BaseModel):
    """Options of the section `[talking_head]`."""

    model_config = ConfigDict(extra="forbid")

    renderer: Literal["auto", "drawn", "sadtalker"] = Field(
        default="auto",
        description="auto: sadtalker for faces that were found in pictures, where its weights and "
        "a GPU are here, drawn else; sadtalker: for all faces, even without a GPU",
    )
    size: int = Field(
        default=512,
        ge=128,
        le=1280,
        multiple_of=16,
        description="width and height of a clip in pixels",
    )
    encoder: EncoderSettings = Field(default_factory=EncoderSettings)
    sadtalker: SadTalkerSettings = Field(default_factory=SadTalkerSettings)
