"""What can be set about speech."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

EngineName = Literal["kokoro", "hibari", "openai", "edge", "espeak"]
ENGINES: tuple[EngineName, ...] = get_args(EngineName)


class EdgeSettings(BaseModel):
    """The `[speech.edge]` table: voices of Microsoft Edge, online and free of charge."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    timeout: float = Field(
        default=20.0, ge=1.0, le=300.0, description="seconds that a whole speech may take to come"
    )
    proxy: str = Field(
        default="",
        description="address of an HTTP proxy; empty: HTTPS_PROXY of the environment, if any",
    )


class OpenAISpeechSettings(BaseModel):
    """The `[speech.openai]` table: any endpoint with OpenAI's `/audio/speech`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: str = Field(
        default="",
        description="address of an OpenAI-compatible endpoint; empty: OPENAI_BASE_URL or OpenAI's",
    )
    api_key: SecretStr = Field(
        default=SecretStr(""), description="key of the endpoint; empty: OPENAI_API_KEY"
    )
    model: str = Field(
        default="gpt-4o-mini-tts", description="name of the voice model at the endpoint"
    )
    sound: Literal["mp3", "wav", "opus", "flac"] = Field(
        default="mp3",
        description="form in which sound comes; where an endpoint refuses it, others are tried",
    )
    timeout: float = Field(
        default=30.0, ge=1.0, le=600.0, description="seconds that a whole speech may take to come"
    )
    retries: int = Field(
        default=1, ge=0, le=10, description="how often a request that failed is sent again"
    )


class SpeechCacheSettings(BaseModel):
    """The `[speech.cache]` table: what was said once need not be made again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    memory_bytes: int = Field(
        default=64 << 20, ge=0, description="bytes of memory for speeches; 0 keeps none"
    )
    folder: Path | None = Field(
        default=None, description="folder that keeps speeches beyond the process; empty: nowhere"
    )
    folder_bytes: int = Field(
        default=512 << 20, ge=0, description="bytes that all files there may take"
    )

    @field_validator("folder", mode="before")
    @classmethod
    def _no_folder(cls, value: object) -> object:
        return None if value == "" else value


class SpeechSettings(BaseModel):
    """The `[speech]` table of the configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    engines: tuple[EngineName, ...] = Field(
        default=ENGINES,
        min_length=1,
        description="who may speak, the preferred first: kokoro (natural, several languages, needs "
        "`chatanything models pull kokoro-82m` and a quick processor), hibari (built in, English, "
        "all characters), openai (an endpoint set in [speech.openai]), edge (extra `edge`, online, "
        "75 languages), espeak (extra `espeak`, 100 languages, robotic: where no other can). "
        "Those that cannot run here are passed over",
    )
    online: Literal["needed", "always", "never"] = Field(
        default="needed",
        description="whether edge, which sends what is said to its service, gives personas their "
        "voices. needed: only in languages that no natural voice of this machine speaks, and "
        "where all others fail; always: in every language; never: nothing leaves the machine",
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
    edge: EdgeSettings = Field(
        default_factory=EdgeSettings, description="voices of Microsoft Edge, online"
    )
    openai: OpenAISpeechSettings = Field(
        default_factory=OpenAISpeechSettings, description="voices of an endpoint"
    )
    cache: SpeechCacheSettings = Field(
        default_factory=SpeechCacheSettings, description="what was said before"
    )
