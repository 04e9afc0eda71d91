"""What can be set about hearing."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class HearingSettings(BaseModel):
    """The `[hearing]` table of the configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = Field(
        default=True, description="whether voice messages and other recordings are listened to"
    )
    backend: Literal["auto", "whisper", "openai", "off"] = Field(
        default="auto",
        description="who listens. whisper: this machine (extra `hearing`); openai: a compatible "
        "endpoint; auto: the endpoint where one is set here, else whisper where it is installed",
    )
    model: str = Field(
        default="",
        description="whisper: a name of `chatanything models list` (empty: the best that is "
        "here). openai: the model's name there (empty: whisper-1)",
    )
    base_url: str = Field(
        default="",
        description="address of an OpenAI-compatible endpoint; empty: OPENAI_BASE_URL or OpenAI's",
    )
    api_key: SecretStr = Field(
        default=SecretStr(""), description="key of the endpoint; empty: OPENAI_API_KEY"
    )
    timeout: float = Field(
        default=60.0, gt=0, le=3600, description="seconds after which an endpoint is given up"
    )
    retries: int = Field(
        default=2, ge=0, le=10, description="how often a request that failed is sent again"
    )
    threads: int = Field(default=2, ge=1, le=64, description="whisper: processor threads")
    max_seconds: float = Field(
        default=300.0, ge=1.0, le=7200.0, description="longest recording that is listened to"
    )
    max_bytes: int = Field(
        default=25_000_000,
        ge=10_000,
        le=2_000_000_000,
        description="largest file that is listened to; endpoints seldom take more than 25 MB",
    )
    language: str = Field(
        default="",
        description="the language that people speak here, as a tag such as en or pt-BR; empty: "
        "it is found out for each recording",
    )
